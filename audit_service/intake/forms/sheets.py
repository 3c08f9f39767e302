"""Excel workbooks (.xlsx): the first sheet that holds anything, cell by cell as text."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.rows import Row

LARGEST_UNPACKED_BYTES = 300 * 1024**2
MOST_ROWS = 1_000_000
_SAVE = "Save the sheet as CSV in UTF-8, or as an ordinary .xlsx workbook."


def read_sheet(path: Path) -> Iterator[Row]:
    """Yield the rows of the first sheet that holds any; formulas give the value that was saved with them.

    Raises:
        FileRefusedError: it is no workbook, or unpacks to more than ``LARGEST_UNPACKED_BYTES``.
    """
    _refuse_bomb(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise FileRefusedError(
            "log.not_a_workbook", f"It cannot be read as a workbook: {error}.", remedy=_SAVE
        ) from error
    try:
        for sheet in book.worksheets:
            number = 0
            for cells in sheet.iter_rows(values_only=True):
                texts = tuple(_text(cell) for cell in cells)
                if any(texts):
                    yield Row(number, texts, "\t".join(texts))
                    number += 1
                if number > MOST_ROWS:
                    raise FileRefusedError(
                        "log.too_long", f"It holds more than {MOST_ROWS:,} rows.", remedy="Split it."
                    )
            if number:
                return
    finally:
        book.close()


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(member.file_size for member in packed.infolist())
    except zipfile.BadZipFile as error:
        raise FileRefusedError("log.not_a_workbook", "It is not a workbook.", remedy=_SAVE) from error
    if unpacked > LARGEST_UNPACKED_BYTES:
        raise FileRefusedError("log.too_large", f"It unpacks to {unpacked} bytes.", remedy="Split it.")


def _text(cell: object) -> str:
    """Return a cell as text: times in ISO 8601, lengths of time in seconds, whole numbers without a point."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(round(cell.total_seconds()))
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
