r"""What the name of a recording says, where no JSON file stands beside it: a pattern with named groups.

It is kept in the folder of the recordings as ``filenames.json``::

    {"pattern": "(?P<started_at>\\d{14})_(?P<number>\\d+)_(?P<borrower>[A-Z0-9-]+)",
     "started_at": "%Y%m%d%H%M%S",
     "defaults": {"institution": "anxin", "agency": "hengda", "recipient": "borrower", "timezone": "Asia/Shanghai"}}

A name that does not match, or a time that cannot be read, is refused; a recording never gets the present as its time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit_service.contacts.values import FieldProblem
from audit_service.intake import columns
from audit_service.intake.beside import read_object
from audit_service.intake.errors import FileRefusedError

FOLDER_PATTERNS = "filenames.json"
LONGEST_PATTERN = 500
LONGEST_NAME = 255
_CORRECT = f"Correct {FOLDER_PATTERNS}, and try it with `audit-service names`."
# Repetition inside a repeated group is where matching can take for ever.
_NESTED = re.compile(r"\([^()]*[*+][^()]*\)[*+{]")


@dataclass(frozen=True)
class NamePattern:
    """How names of recordings are read.

    Attributes:
        pattern: has a named group a column; matches the whole name without its suffix.
        started_at: how the time is written, in the form of ``strptime``.
        defaults: the text of a column that the name does not say.
    """

    pattern: re.Pattern[str]
    started_at: str
    defaults: Mapping[str, str]

    def values(self, name: str) -> dict[str, str]:
        """Return what a file's name says, by column.

        Raises:
            FileRefusedError: the name does not match, or its time cannot be read.
        """
        match = self.pattern.fullmatch(Path(name).stem[:LONGEST_NAME])
        if match is None:
            raise FileRefusedError(
                "name.no_match", f"The name {name!r} does not match the pattern of its folder.", remedy=_CORRECT
            )
        said = {column: text for column, text in match.groupdict().items() if text}
        if "started_at" in said:
            said["started_at"] = self._time(said["started_at"])
        return {"reference": Path(name).stem[:80], **self.defaults, **said}

    def _time(self, text: str) -> str:
        try:
            written = datetime.strptime(text, self.started_at)  # noqa: DTZ007 (the zone is a column of its own)
        except ValueError as error:
            raise FileRefusedError(
                "name.time", f"started_at: {text!r} is not written as {self.started_at}.", remedy=_CORRECT
            ) from error
        return written.isoformat(sep=" ")


def pattern_for(recording: Path) -> NamePattern | None:
    """Return the pattern of the folder that ``recording`` lies in; None where there is none.

    Raises:
        FileRefusedError: the folder's file cannot be used; names the field.
    """
    file = recording.with_name(FOLDER_PATTERNS)
    if not file.is_file():
        return None
    problems: list[FieldProblem] = []
    document = read_object(file, too_large="name.pattern", not_json="name.pattern", remedy=_CORRECT)
    pattern = _compiled(document.get("pattern"), problems)
    defaults = document.get("defaults", {})
    if not isinstance(defaults, dict) or not all(columns.column_of(name) == name for name in defaults):
        problems.append(FieldProblem("defaults", "is not an object of columns", f"Use {', '.join(columns.SYNONYMS)}."))
    if problems or pattern is None:
        raise FileRefusedError.of_fields("name.pattern", f"{FOLDER_PATTERNS} cannot be used.", problems, _CORRECT)
    started_at = str(document.get("started_at", "%Y%m%d%H%M%S"))
    return NamePattern(pattern, started_at, {name: str(value) for name, value in defaults.items()})


def _compiled(text: object, problems: list[FieldProblem]) -> re.Pattern[str] | None:
    remedy = "Write a regular expression with named groups, e.g. (?P<number>[0-9]+)."
    if not isinstance(text, str) or not text or len(text) > LONGEST_PATTERN:
        problems.append(FieldProblem("pattern", "is missing or too long", remedy))
        return None
    if _NESTED.search(text):
        problems.append(FieldProblem("pattern", "repeats a group that repeats", "Take one of the repetitions away."))
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        problems.append(FieldProblem("pattern", f"is no regular expression: {error}", remedy))
        return None
    unknown = [name for name in pattern.groupindex if name not in columns.SYNONYMS]
    if unknown or not pattern.groupindex:
        reason = f"names the group {unknown[0]!r}, which is no column" if unknown else "has no named group"
        problems.append(FieldProblem("pattern", reason, f"Use {', '.join(columns.SYNONYMS)}."))
        return None
    return pattern
