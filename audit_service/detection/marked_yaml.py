"""Read YAML and keep where each key and value stands, so that every complaint can name file, line and column.

Only ``true``/``false``, numbers and ``null`` are read as other than text: dates stay text, and so do the words
"yes", "no", "on" and "off", which are words that people say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from audit_service.detection.errors import RulePackError

Place = tuple[int, int]
Route = tuple[str | int, ...]


class _Loader(yaml.CSafeLoader):
    """A safe loader with a shorter list of guessed types."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~)$"), list("n~"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))


@dataclass(frozen=True)
class MarkedYaml:
    """A YAML document and the place (line, column; from 1) of each of its nodes by route."""

    file: Path
    value: Any
    places: dict[Route, Place]

    def place(self, route: Route) -> Place:
        """Return the place of the node at ``route``, or of the nearest one above it."""
        while route and route not in self.places:
            route = route[:-1]
        return self.places.get(route, (1, 1))


def read_marked(file: Path) -> MarkedYaml:
    """Read one YAML file.

    Raises:
        RulePackError: the file is not UTF-8, not YAML, empty, or holds a key twice.
    """
    loader = _Loader(_text(file))
    try:
        node = loader.get_single_node()
        if node is None:
            raise RulePackError(file, 1, "the file is empty")
        places: dict[Route, Place] = {}
        _mark(file, node, (), places)
        return MarkedYaml(file, loader.construct_document(node), places)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise RulePackError(file, mark.line + 1 if mark else 1, f"not YAML: {error.problem}") from error
    finally:
        loader.dispose()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RulePackError(file, 1, "not UTF-8 text") from error


def _mark(file: Path, node: yaml.Node, route: Route, places: dict[Route, Place]) -> None:
    places.setdefault(route, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*route, str(key.value))
            if below in places:
                raise RulePackError(file, key.start_mark.line + 1, f"key {key.value!r} stands here twice")
            places[below] = (key.start_mark.line + 1, key.start_mark.column + 1)
            _mark(file, value, below, places)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _mark(file, value, (*route, index), places)
