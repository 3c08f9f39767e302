"""Reads comma-separated text (RFC 4180) row by row, so that one broken row costs no other row."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from audit_service.intake.errors import FileRefusedError

ENCODINGS = ("utf-8-sig", "gb18030")
"""Tried in this order; ``utf-8-sig`` reads UTF-8 with and without its mark."""
LONGEST_LINE = 200_000
MOST_LINES_IN_A_ROW = 200
_CHUNK = 1 << 20
_SAVE_AS = "Save it as CSV in UTF-8."


@dataclass(frozen=True)
class Row:
    """One row: its number (0 = header, 1 = first data row), its cells, and its text as it stands in the file."""

    number: int
    cells: tuple[str, ...]
    raw: str


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be split into cells, and why."""

    number: int
    reason: str
    remedy: str


def encoding_of(path: Path) -> str:
    """Return the encoding in which the whole file can be read, one of ``ENCODINGS``.

    Raises:
        FileRefusedError: it is in none of them, or is no text at all.
    """
    for encoding in ENCODINGS:
        if _is_in(path, encoding):
            return encoding
    raise FileRefusedError("log.not_text", "It is neither UTF-8 nor GB18030 text.", remedy=_SAVE_AS)


def _is_in(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
                if b"\x00" in chunk:
                    raise FileRefusedError("log.not_text", "It holds zero bytes and is no text.", remedy=_SAVE_AS)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


class RowReader:
    """Iterates over the rows of a CSV file opened with ``newline=""``, the header first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pushed: deque[str] = deque()

    def __iter__(self) -> Iterator[Row | BrokenRow]:
        """Yield each row that is not blank; a row that cannot be split comes as ``BrokenRow``."""
        number = 0
        while line := self._next_line():
            if line.strip():
                yield self._row(number, line)
                number += 1

    def _next_line(self) -> str:
        return self._pushed.popleft() if self._pushed else self._stream.readline(LONGEST_LINE)

    def _row(self, number: int, first: str) -> Row | BrokenRow:
        if len(first) >= LONGEST_LINE:
            self._skip_rest_of(first)
            return BrokenRow(number, f"a line of more than {LONGEST_LINE} characters", "Shorten it.")
        lines = [first]
        is_open = first.count('"') % 2 == 1
        while is_open and len(lines) < MOST_LINES_IN_A_ROW and (line := self._next_line()):
            lines.append(line)
            is_open ^= line.count('"') % 2 == 1
        cells = None if is_open else _split(lines)
        if cells is None:
            # Only the first line is at fault for certain: the others are read again as rows of their own.
            self._pushed.extendleft(reversed(lines[1:]))
            remedy = 'Put the field between quotes and double each quote inside it ("").'
            return BrokenRow(number, "its quotes do not match, so it cannot be split into fields", remedy)
        return Row(number, cells, "".join(lines).rstrip("\r\n"))

    def _skip_rest_of(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._next_line()


def _split(lines: list[str]) -> tuple[str, ...] | None:
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error:
        return None
    return tuple(rows[0]) if len(rows) == 1 else None
