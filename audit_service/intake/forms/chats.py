"""Chats exported as text: WhatsApp (both of its ways of writing dates) and WeChat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.forms.hints import Hints
from audit_service.intake.forms.messages import ExportedMessage, other_side, rows_of
from audit_service.intake.rows import BrokenRow, Row

_HIDDEN = str.maketrans("\u202f\u00a0", "  ", "\u200e\u200f\u202a\u202c\ufeff")
_DATE = r"(?P<a>\d{1,4})[/.\-](?P<b>\d{1,2})[/.\-](?P<c>\d{2,4})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s?(?P<half>[AaPp]\.?[Mm]\.?)?"
WHATSAPP = re.compile(rf"\[?{_DATE},?\s{_TIME}\]?\s?(?:-\s)?(?P<name>[^:]{{1,80}}): (?P<text>.*)")
WECHAT = re.compile(rf"(?P<name>.{{1,80}}?)\s+{_DATE}\s{_TIME}\s*")
_OPENING_LINES = 60
_YEAR_DIGITS = 4
_MOST_MONTHS = 12
_NOON = 12
_ASK_ORDER = 'Say "date_order": "dmy" or "mdy" in the JSON file beside the export.'
_ASK_NAMES = 'Say "agent_names": ["…"] in the JSON file beside the export; everybody else is the other side.'


@dataclass(frozen=True)
class _Line:
    number: int
    match: re.Match[str] | None
    text: str


def looks_like_chat(path: Path, encoding: str) -> bool:
    """Tell whether a text file is a chat that was exported."""
    return any(line.match is not None for line in islice(_lines(path, encoding), _OPENING_LINES))


def read_chat(path: Path, encoding: str, hints: Hints) -> Iterator[Row | BrokenRow]:
    """Yield the rows of an exported chat; lines without a date go on with the message before.

    Raises:
        FileRefusedError: day and month cannot be told apart, or it is not said who the agent is.
    """
    order = _order(_lines(path, encoding), hints)
    if not hints.agent_names:
        raise FileRefusedError("log.agent_names", "It does not say which name is the agent's.", remedy=_ASK_NAMES)
    opening = islice(_lines(path, encoding), _OPENING_LINES)
    is_wechat = any(line.match is not None and line.match.re is WECHAT for line in opening)
    yield from rows_of(_messages(_lines(path, encoding), order, hints), "wechat" if is_wechat else "app", hints)


def _lines(path: Path, encoding: str) -> Iterator[_Line]:
    with path.open(encoding=encoding) as stream:
        for number, raw in enumerate(stream, start=1):
            text = raw.rstrip("\r\n").translate(_HIDDEN)
            yield _Line(number, WHATSAPP.fullmatch(text) or WECHAT.fullmatch(text), text)


def _messages(lines: Iterable[_Line], order: str, hints: Hints) -> Iterator[ExportedMessage | BrokenRow]:
    begun: _Line | None = None
    more: list[str] = []
    for line in lines:
        if line.match is None:
            more.append(line.text)
            continue
        if begun is not None:
            yield from _message(begun, more, order, hints)
        begun, more = line, []
    if begun is not None:
        yield from _message(begun, more, order, hints)


def _message(begun: _Line, more: list[str], order: str, hints: Hints) -> Iterator[ExportedMessage | BrokenRow]:
    match = begun.match
    if match is None:
        return
    first = match["text"] if match.re is WHATSAPP else ""
    text = "\n".join([*([first] if first else []), *more]).strip()
    if not text:
        return
    try:
        written_at = _instant(match, order)
    except ValueError as error:
        yield BrokenRow(begun.number, f"the date cannot be read: {error}", "Correct the line.")
        return
    name = match["name"].strip()
    sender = "agent" if name in hints.agent_names else other_side(hints)
    yield ExportedMessage(begun.number, sender, written_at, text, "\n".join([begun.text, *more]))


def _order(lines: Iterable[_Line], hints: Hints) -> str:
    """Return in which order the dates are written, from the hints or from a date that can mean one thing only."""
    if hints.date_order:
        return hints.date_order
    seen = ""
    for line in lines:
        if line.match is None:
            continue
        if len(line.match["a"]) == _YEAR_DIGITS:
            return "ymd"
        if int(line.match["a"]) > _MOST_MONTHS:
            return "dmy"
        if int(line.match["b"]) > _MOST_MONTHS:
            return "mdy"
        seen = seen or f"{line.match['a']}/{line.match['b']}/{line.match['c']}"
    raise FileRefusedError("log.date_order", f"Is {seen} day first or month first? No date tells.", remedy=_ASK_ORDER)


def _instant(match: re.Match[str], order: str) -> str:
    parts = dict(zip(order, (match["a"], match["b"], match["c"]), strict=True))
    year = int(parts["y"]) + (2000 if len(parts["y"]) < _YEAR_DIGITS else 0)
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % _NOON + (_NOON if match["half"].lower().startswith("p") else 0)
    month, day = int(parts["m"]), int(parts["d"])
    if not 1 <= month <= _MOST_MONTHS:
        raise ValueError(f"there is no month {month}")
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{match['minute']}:{match['second'] or '00'}"
