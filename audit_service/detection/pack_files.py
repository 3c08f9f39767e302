"""Find and read the files of a rule pack, and check their form against the JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from audit_service.detection.errors import RulePackError
from audit_service.detection.marked_yaml import MarkedYaml, read_marked
from audit_service.detection.severities import SEVERITIES_FILE

OWN_SCHEMAS = Path(__file__).parents[2] / "rules" / "schema"
PACK_FILE, INSTRUMENTS_FILE, LEXICONS_FOLDER, RETIRED_FOLDER = "pack.yaml", "instruments.yaml", "lexicons", "retired"
CALENDARS_FILE = "calendars.yaml"
MODEL_FILE = Path("model") / "wording.npz"
WORD_KINDS = frozenset({"phrase", "frame"})
TEXT_KINDS = WORD_KINDS | {"model"}
RESERVED = frozenset({"condition", "event", "limits", "opening", "verification", "least_score", "part", "least_level"})


@dataclass(frozen=True)
class PackFiles:
    """The files of one pack, as read; ``base`` is the pack that it extends."""

    folder: Path
    pack: MarkedYaml
    instruments: MarkedYaml
    lexicons: tuple[MarkedYaml, ...]
    rules: tuple[MarkedYaml, ...]
    base: PackFiles | None = None
    calendars: MarkedYaml | None = None
    severities: MarkedYaml | None = None

    def by_schema(self) -> Iterator[tuple[str, MarkedYaml]]:
        """Yield each file with the name of the schema that it must follow."""
        yield "pack", self.pack
        yield "instruments", self.instruments
        if self.calendars is not None:
            yield "calendars", self.calendars
        yield from (("lexicon", file) for file in self.lexicons)
        yield from (("rule", file) for file in self.rules)
        if self.severities is not None:
            yield "severities", self.severities

    @property
    def model_file(self) -> Path:
        """Return where the trained weights of the pack lie, if it has any; those of its base if it has none."""
        own = self.folder / MODEL_FILE
        return own if self.base is None or own.is_file() else self.base.model_file

    def severity_table(self) -> Mapping[str, Any]:
        """Return the table of severities of the pack, else that of its base; empty where neither has one."""
        if self.severities is not None:
            table: Mapping[str, Any] = self.severities.value
            return table
        return {} if self.base is None else self.base.severity_table()

    def words(self) -> dict[str, tuple[str, ...]]:
        """Return the words of each list of all lexicons, by the name of the list; own lists go before the base's."""
        own = {name: tuple(words) for file in self.lexicons for name, words in file.value.get("lists", {}).items()}
        return own if self.base is None else {**self.base.words(), **own}

    def derived(self) -> Iterator[MarkedYaml]:
        """Yield the rules of words and wording of the base as rules of this pack: own id, authority and dates.

        A base rule is left out where this pack has a file of its own at the same path, or names it under ``without``.
        """
        if self.base is None:
            return
        extends = self.pack.value["extends"]
        left_out = {item["rule"] for item in self.pack.value.get("without", ())}
        for file in self.base.rules:
            place = file.file.relative_to(self.base.folder)
            if file.value["kind"] not in TEXT_KINDS or file.value["id"] in left_out or (self.folder / place).exists():
                continue
            related = [{"id": file.value["id"], "type": "derived_from"}]
            own = {"id": ".".join((self.pack.value["id"], *place.with_suffix("").parts)), "related": related}
            own |= {key: extends[key] for key in ("authority", "in_force", "owner")}
            yield MarkedYaml(file.file, {**file.value, **own}, file.places)


@dataclass(frozen=True)
class FormProblem:
    """One place where a file does not follow its schema."""

    file: Path
    line: int
    column: int
    message: str


def pack_folders(folders: Sequence[Path]) -> list[Path]:
    """Return the pack folders among ``folders``: each is a pack itself, or holds packs.

    Raises:
        RulePackError: a folder neither is nor holds a pack.
    """
    found: list[Path] = []
    for folder in folders:
        packs = [folder] if (folder / PACK_FILE).is_file() else sorted(f.parent for f in folder.glob(f"*/{PACK_FILE}"))
        if not packs:
            raise RulePackError(folder / PACK_FILE, 1, "there is no rule pack here")
        found += packs
    return found


def read_pack(folder: Path) -> PackFiles:
    """Read all files of a pack.

    Raises:
        RulePackError: a file is missing or cannot be read as YAML.
    """
    for name in (PACK_FILE, INSTRUMENTS_FILE):
        if not (folder / name).is_file():
            raise RulePackError(folder / name, 1, "the file is missing")
    pack = read_marked(folder / PACK_FILE)
    table = folder / SEVERITIES_FILE
    return PackFiles(
        folder=folder,
        pack=pack,
        instruments=read_marked(folder / INSTRUMENTS_FILE),
        lexicons=tuple(read_marked(file) for file in sorted((folder / LEXICONS_FOLDER).glob("*.yaml"))),
        rules=tuple(read_marked(file) for file in rule_files(folder)),
        base=_base(folder, pack),
        calendars=read_marked(folder / CALENDARS_FILE) if (folder / CALENDARS_FILE).is_file() else None,
        severities=read_marked(table) if table.is_file() else None,
    )


def _base(folder: Path, pack: MarkedYaml) -> PackFiles | None:
    named = pack.value.get("extends") if isinstance(pack.value, dict) else None
    if not isinstance(named, dict) or not isinstance(named.get("pack"), str):
        return None
    base = (folder / named["pack"]).resolve()
    line = pack.place(("extends", "pack"))[0]
    if not (base / PACK_FILE).is_file():
        raise RulePackError(pack.file, line, f"there is no rule pack at {named['pack']}")
    if "extends" in read_marked(base / PACK_FILE).value:
        raise RulePackError(pack.file, line, "a pack can only extend one that extends none")
    return read_pack(base)


def lists_used(rule: Mapping[str, Any]) -> set[str]:
    """Return the names of the lists of words that a rule, as written, looks for."""
    return {
        entry["lexicon"]
        for part in ("detect", "except", "requires")
        for name, selection in rule.get(part, {}).items()
        if name not in RESERVED
        for entry in (*selection.get("any", ()), *selection.get("all", ()))
        if isinstance(entry, dict)
    }


def rule_files(folder: Path) -> list[Path]:
    """Return the rule files of a pack: all YAML files in sub-folders but lexicons and retired rules."""
    skipped = {LEXICONS_FOLDER, RETIRED_FOLDER}
    return sorted(file for file in folder.glob("*/**/*.yaml") if file.relative_to(folder).parts[0] not in skipped)


def needed_files(folder: Path) -> list[Path]:
    """Return all files that the pack in ``folder`` is read from: its own, its base's, the reader's, and the schemas."""
    files = read_pack(folder)
    folders = [folder, folder.parent / "schema"]
    folders += [] if files.base is None else [files.base.folder]
    named = files.pack.value.get("reader")
    folders += [] if named is None else [(folder / named).resolve()]
    return sorted(file for place in folders if place.is_dir() for file in place.rglob("*") if file.is_file())


@cache
def _validator(file: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def form_problems(files: PackFiles) -> list[FormProblem]:
    """Return every place where a file of the pack does not follow its schema."""
    beside = files.folder.parent / "schema"
    folder = beside if beside.is_dir() else OWN_SCHEMAS
    problems = []
    for name, file in files.by_schema():
        errors = _validator(folder / f"{name}.schema.json").iter_errors(file.value)
        problems += [
            _problem(file, error) for error in sorted(errors, key=lambda error: [str(p) for p in error.absolute_path])
        ]
    return problems


def _problem(file: MarkedYaml, error: ValidationError) -> FormProblem:
    route: tuple[Any, ...] = tuple(error.absolute_path)
    message = error.message
    schema = error.schema
    if error.validator == "additionalProperties" and isinstance(error.instance, dict) and isinstance(schema, Mapping):
        unknown = sorted(set(map(str, error.instance)) - set(schema.get("properties", {})))
        route, message = (*route, unknown[0]), f"unknown key {', '.join(unknown)}"
    line, column = file.place(route)
    return FormProblem(file.file, line, column, f"{'.'.join(map(str, route))}: {message}".lstrip(": "))
