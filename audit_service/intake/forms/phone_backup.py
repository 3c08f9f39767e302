"""Messages saved by SMS Backup & Restore (XML): ``<sms address date type body>``; date in milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from audit_service.intake.errors import FileRefusedError
from audit_service.intake.forms.hints import Hints
from audit_service.intake.forms.messages import ExportedMessage, other_side, rows_of
from audit_service.intake.rows import BrokenRow, Row

# On the phone of the person contacted: 1 was received by it, so the agent wrote it; 2 was sent from it.
RECEIVED, SENT = "1", "2"
_EXPORT = "Export the messages again with SMS Backup & Restore."


def looks_like_backup(path: Path) -> bool:
    """Tell whether an XML file begins as such a backup does."""
    with path.open("rb") as stream:
        return b"<smses" in stream.read(4096)


def read_backup(path: Path, hints: Hints) -> Iterator[Row | BrokenRow]:
    """Yield the rows of a backup made on the phone of the person contacted.

    Raises:
        FileRefusedError: it is no such XML, or holds entities, which such a file never does.
    """
    try:
        yield from rows_of(_messages(path, hints), "sms", hints)
    except (ParseError, DefusedXmlException) as error:
        raise FileRefusedError("log.not_a_backup", f"It is not such a backup: {error}.", remedy=_EXPORT) from error


def _messages(path: Path, hints: Hints) -> Iterator[ExportedMessage | BrokenRow]:
    number = 0
    for _, element in iterparse(path, events=("end",)):
        if element.tag == "sms":
            number += 1
            yield _message(number, element, hints)
            element.clear()


def _message(number: int, element: Element, hints: Hints) -> ExportedMessage | BrokenRow:
    date, kind, body = element.get("date", ""), element.get("type", ""), element.get("body", "")
    if not date.isdigit():
        return BrokenRow(number, f"date {date!r} is not in milliseconds", _EXPORT)
    if kind not in {RECEIVED, SENT}:
        return BrokenRow(number, f"type {kind!r} is neither received (1) nor sent (2)", "Leave drafts out.")
    at = datetime.fromtimestamp(int(date) / 1000, tz=UTC)
    sender = "agent" if kind == RECEIVED else other_side(hints)
    raw = " ".join(f'{name}="{value}"' for name, value in sorted(element.attrib.items()))
    return ExportedMessage(number, sender, at.isoformat(timespec="seconds"), body, raw, element.get("address", ""))
