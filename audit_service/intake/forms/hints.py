"""What a sender says beside a log: what its columns are called, what holds for every row, how dates are written.

``export.json`` beside ``export.xlsx`` speaks for that file, ``columns.json`` in a folder for all logs of the folder
that have none of their own. So a map of columns is made once and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit_service.contacts.values import FieldProblem
from audit_service.intake import columns
from audit_service.intake.beside import read_object
from audit_service.intake.errors import FileRefusedError

FOLDER_HINTS = "columns.json"
DATE_ORDERS = ("dmy", "mdy", "ymd")
_CORRECT = "Correct the JSON file beside the log and hand the log in again."


@dataclass(frozen=True)
class Hints:
    """What is said about a log.

    Attributes:
        columns: our name of a column by the file's.
        defaults: the text of a column of ours, for every row that says nothing else.
        date_order: ``dmy``, ``mdy`` or ``ymd``; empty where it is not said.
        agent_names: by which names the agent appears in a chat.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    date_order: str = ""
    agent_names: tuple[str, ...] = ()


def hints_file(log: Path) -> Path | None:
    """Return the file that speaks about ``log``, if there is one."""
    own = (log.with_suffix(".json"), log.with_name(f"{log.name}.json"))
    for file in (*own, log.with_name(FOLDER_HINTS)):
        if file != log and file.is_file():
            return file
    return None


def hints_for(log: Path) -> Hints:
    """Return what is said about ``log``; nothing is said where there is no such file.

    Raises:
        FileRefusedError: the file is no JSON object, or names columns or orders that there are not.
    """
    file = hints_file(log)
    if file is None:
        return Hints()
    document = read_object(file, too_large="log.hints", not_json="log.hints", remedy=_CORRECT)
    problems: list[FieldProblem] = []
    hints = Hints(
        columns=_columns(document.get("columns", {}), problems),
        defaults=_defaults(document, problems),
        date_order=str(document.get("date_order", "")).lower(),
        agent_names=tuple(map(str, _as_list(document.get("agent_names", ())))),
    )
    if hints.date_order not in {"", *DATE_ORDERS}:
        problems.append(FieldProblem("date_order", f"{hints.date_order!r} is no order", "Write dmy, mdy or ymd."))
    if problems:
        raise FileRefusedError.of_fields("log.hints", f"{file.name} cannot be used.", problems, _CORRECT)
    return hints


def _columns(given: object, problems: list[FieldProblem]) -> dict[str, str]:
    if not isinstance(given, dict):
        problems.append(FieldProblem("columns", "is not an object", 'Write {"name in the file": "our name"}.'))
        return {}
    known = {}
    for theirs, ours in given.items():
        if ours in columns.SYNONYMS:
            known[str(theirs).strip()] = str(ours)
        else:
            remedy = f"Use one of {', '.join(columns.SYNONYMS)}."
            problems.append(FieldProblem(str(theirs), f"{ours!r} is no column of ours", remedy))
    return known


def _defaults(document: Mapping[str, Any], problems: list[FieldProblem]) -> dict[str, str]:
    """Return what holds for every row: under ``defaults``, or (for chats) at the top of the document."""
    given = document.get("defaults", {})
    if not isinstance(given, dict):
        problems.append(FieldProblem("defaults", "is not an object", 'Write {"institution": "…"}.'))
        return {}
    found = {}
    for name, value in {**document, **given}.items():
        column = columns.column_of(name)
        if column is not None and isinstance(value, str | int | float) and not isinstance(value, bool):
            found[column] = str(value)
    return found


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
