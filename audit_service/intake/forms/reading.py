"""Tells in which form a log is, and reads it row by row, the header first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.forms.chats import looks_like_chat, read_chat
from audit_service.intake.forms.hints import Hints
from audit_service.intake.forms.mail import read_mail
from audit_service.intake.forms.objects import read_array, read_lines
from audit_service.intake.forms.phone_backup import read_backup
from audit_service.intake.forms.sheets import read_sheet
from audit_service.intake.rows import ENCODINGS, BrokenRow, Row, RowReader, encoding_of

SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".xlsx": SHEET_TYPE,
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".xml": "application/xml",
    ".eml": "message/rfc822",
}
TEXT_TYPES = frozenset({"text/csv", "text/plain", "application/json", "application/x-ndjson"})


@dataclass(frozen=True)
class LogForm:
    """In which form a log is: its media type, and for text the encoding that the whole of it can be read in."""

    media_type: str
    encoding: str = ""

    @property
    def note(self) -> str:
        """Return how the text was read, where that is not a matter of course; else nothing."""
        is_usual = self.encoding in {"", ENCODINGS[0]}
        return "" if is_usual else f"Not UTF-8; read as {self.encoding.upper()}."


def form_of(path: Path) -> LogForm:
    """Return the form of a log by its name; the content still has to bear it out.

    Raises:
        FileRefusedError: its text is in no known encoding.
    """
    media_type = MEDIA_TYPES.get(path.suffix.lower(), "text/csv")
    return LogForm(media_type, encoding_of(path) if media_type in TEXT_TYPES else "")


def rows_in(path: Path, form: LogForm, hints: Hints) -> Iterator[Row | BrokenRow]:
    """Yield the rows of a log in any form; what the hints say of every row stands in columns added at the end.

    Raises:
        FileRefusedError: the file is not what its name says.
    """
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return read_backup(path, hints)
    if suffix == ".eml":
        return read_mail(path, hints)
    if suffix == ".txt" and looks_like_chat(path, form.encoding):
        return read_chat(path, form.encoding, hints)
    if suffix == ".xlsx":
        return with_defaults(read_sheet(path), hints)
    readers = {".json": read_array, ".jsonl": read_lines, ".ndjson": read_lines}
    return with_defaults(readers.get(suffix, _separated)(path, form.encoding), hints)


def _separated(path: Path, encoding: str) -> Iterator[Row | BrokenRow]:
    with path.open(encoding=encoding, newline="") as stream:
        yield from RowReader(stream)


def with_defaults(rows: Iterator[Row | BrokenRow], hints: Hints) -> Iterator[Row | BrokenRow]:
    """Yield the rows with the file's names of columns replaced by ours, and the defaults added as columns.

    Raises:
        FileRefusedError: the hints name a column that the file has not.
    """
    first = next(rows, None)
    if first is None:
        return
    if isinstance(first, BrokenRow):
        yield from chain([first], rows)
        return
    named = [cell.strip() for cell in first.cells]
    missing = [name for name in hints.columns if name not in named]
    if missing:
        raise FileRefusedError(
            "log.hints",
            f"The JSON file beside it speaks of the column {missing[0]!r}, which the log has not.",
            remedy=f"Name one of {', '.join(named)}.",
        )
    cells = tuple(hints.columns.get(name, name) for name in named)
    added = [name for name in hints.defaults if name not in cells]
    yield Row(first.number, (*cells, *added), first.raw)
    for row in rows:
        if isinstance(row, BrokenRow) or len(row.cells) != len(cells):
            yield row
            continue
        filled = (text or hints.defaults.get(name, "") for name, text in zip(cells, row.cells, strict=True))
        yield Row(row.number, (*filled, *(hints.defaults[name] for name in added)), row.raw)
