"""JSON: one array of objects (.json), or one object a line (.jsonl, .ndjson). The keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.rows import BrokenRow, Row

LARGEST_ARRAY_BYTES = 200 * 1024**2
_WRITE = "Write one object a line, with the same keys in each."


def read_array(path: Path, encoding: str) -> Iterator[Row | BrokenRow]:
    """Yield the rows of an array of objects.

    Raises:
        FileRefusedError: it is no array of objects, or too large to be read at once.
    """
    if path.stat().st_size > LARGEST_ARRAY_BYTES:
        raise FileRefusedError("log.too_large", "It is too large for one array.", remedy="Write one object a line.")
    try:
        items = json.loads(path.read_text(encoding=encoding))
    except (ValueError, RecursionError) as error:
        raise FileRefusedError("log.not_json", f"It is not JSON: {error}.", remedy=_WRITE) from error
    if not isinstance(items, list):
        raise FileRefusedError("log.not_json", "It is not an array of objects.", remedy=_WRITE)
    yield from _rows((json.dumps(item, ensure_ascii=False), item) for item in items)


def read_lines(path: Path, encoding: str) -> Iterator[Row | BrokenRow]:
    """Yield the rows of a file with one object a line; a line that is none comes as ``BrokenRow``."""
    yield from _rows(_parsed(path, encoding))


def _parsed(path: Path, encoding: str) -> Iterator[tuple[str, Any]]:
    with path.open(encoding=encoding) as stream:
        for line in stream:
            if line.strip():
                try:
                    yield line.rstrip("\r\n"), json.loads(line)
                except (ValueError, RecursionError) as error:
                    yield line.rstrip("\r\n"), error


def _rows(items: Iterable[tuple[str, Any]]) -> Iterator[Row | BrokenRow]:
    """Yield the header and the rows; the first object gives the columns, a later key that it has not is a fault."""
    columns: tuple[str, ...] = ()
    for number, (raw, item) in enumerate(items, start=1):
        if isinstance(item, Exception) or not isinstance(item, dict):
            reason = f"it is not JSON: {item}" if isinstance(item, Exception) else "it is not an object"
            yield BrokenRow(number, reason, _WRITE)
            continue
        if not columns:
            columns = tuple(map(str, item))
            yield Row(0, columns, "")
        extra = sorted(set(item) - set(columns))
        if extra:
            yield BrokenRow(number, f"the first object has no {', '.join(extra)}", _WRITE)
            continue
        yield Row(number, tuple(_text(item.get(name)) for name in columns), raw)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
