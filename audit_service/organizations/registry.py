"""Reads a registry document (JSON) place by place, so that every refusal names its path in the document."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from audit_service import clock
from audit_service.errors import InputProblem
from audit_service.organizations.errors import RegistryRefusedError

FILE = "registry"
T = TypeVar("T")


@dataclass
class Problems:
    """Everything wrong with one registry document, gathered so that it is told at once."""

    found: list[InputProblem] = field(default_factory=list)

    def add(self, path: str, reason: str, remedy: str = "Correct the document and register it again.") -> None:
        """Note that the value at ``path`` cannot be used."""
        self.found.append(InputProblem(FILE, reason, field=path, remedy=remedy))

    def refuse_if_any(self) -> None:
        """Refuse the document if anything is wrong with it.

        Raises:
            RegistryRefusedError: names every place.
        """
        if self.found:
            raise RegistryRefusedError(self.found)


@dataclass(frozen=True)
class Entry:
    """One object of the document and its path, e.g. ``$.agencies[2]``."""

    path: str
    values: Mapping[str, Any]
    problems: Problems

    def text(self, name: str, *, most: int, default: str | None = None) -> str:
        """Return the text under ``name`` (NFC, at most ``most`` characters); without ``default`` it must be there."""
        value = self.values.get(name)
        if value is None or value == "":
            if default is None:
                self.refuse(name, "is missing")
            return default or ""
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            self.refuse(name, "is not text")
            return ""
        plain = unicodedata.normalize("NFC", value.strip())
        if len(plain) > most:
            self.refuse(name, f"is longer than {most} characters")
            return ""
        return plain

    def flag(self, name: str) -> bool:
        """Return the truth value under ``name``; False where there is none."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, "is neither true nor false")
            return False
        return value

    def whole(self, name: str) -> int:
        """Return the whole number, not below 0, under ``name``; 0 where there is none."""
        value = self.values.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.refuse(name, "is not a whole number of 0 or more")
            return 0
        return value

    def day(self, name: str) -> date | None:
        """Return the civil date (ISO 8601) under ``name``; None where there is none."""
        value = self.text(name, most=10, default="")
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.refuse(name, f"{value!r} is not a date like 2026-03-01")
            return None

    def zone(self, name: str, *, is_required: bool = True) -> str:
        """Return the IANA time zone under ``name``; empty where there is none and none is required."""
        value = self.text(name, most=64, default=None if is_required else "")
        if value and not clock.is_zone(value):
            self.refuse(name, f"{value!r} is not an IANA time zone like Asia/Shanghai")
        return value

    def one_of(self, name: str, choices: Sequence[str], *, default: str | None = None) -> str:
        """Return the text under ``name``, which must be one of ``choices``."""
        value = self.text(name, most=60, default=default)
        if value and value not in choices:
            self.refuse(name, f"{value!r} is none of {', '.join(choices)}")
            return choices[0]
        return value

    def known(self, name: str, things: Mapping[str, T], *, what: str) -> T | None:
        """Return the thing that ``name`` refers to, which must have been registered."""
        key = self.text(name, most=200)
        if key and key not in things:
            self.refuse(name, f"there is no {what} {key!r}")
        return things.get(key)

    def entries(self, name: str) -> Iterator[Entry]:
        """Yield the objects of the list under ``name``; none where there is no list."""
        values = self.values.get(name, [])
        if not isinstance(values, list):
            self.refuse(name, "is not a list")
            return
        for position, value in enumerate(values):
            path = f"{self.path}.{name}[{position}]"
            if isinstance(value, Mapping):
                yield Entry(path, value, self.problems)
            else:
                self.problems.add(path, "is not an object")

    def refuse(self, name: str, reason: str) -> None:
        """Note that the value under ``name`` cannot be used."""
        self.problems.add(f"{self.path}.{name}", reason)


def document(values: object) -> Entry:
    """Return the whole document as an entry.

    Raises:
        RegistryRefusedError: it is not an object.
    """
    problems = Problems()
    if not isinstance(values, Mapping):
        problems.add("$", "is not an object")
        raise RegistryRefusedError(problems.found)
    return Entry("$", values, problems)
