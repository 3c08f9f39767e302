"""What all exports of messages have in common: messages in, rows of a message log out.

An export says who wrote what and when; whose debt it is about stands in the JSON file beside it (``hints``).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit_service.contacts.models import Recipient
from audit_service.intake import columns
from audit_service.intake.forms.hints import Hints
from audit_service.intake.rows import BrokenRow, Row

COLUMNS = (
    "reference", "institution", "agency", "agent", "borrower", "account", "recipient", "contact_person", "number",
    "channel", "sender", "started_at", "timezone", "thread", "text",
)  # fmt: skip


@dataclass(frozen=True)
class ExportedMessage:
    """One message of an export.

    Attributes:
        number: the line of the file, from 1, or the number of the message.
        sender: ``agent``, ``borrower`` or ``third_party``.
        written_at: date and time, year first, with an offset or in the zone that the hints give.
        raw: what stands in the file.
    """

    number: int
    sender: str
    written_at: str
    text: str
    raw: str
    other_number: str = ""
    timezone: str = ""


def rows_of(messages: Iterable[ExportedMessage | BrokenRow], channel: str, hints: Hints) -> Iterator[Row | BrokenRow]:
    """Yield the header and a row for each message.

    A message is known again by what it says, who says it and when: the same chat exported later gives the same
    references for what was there before.
    """
    yield Row(0, COLUMNS, "")
    seen: Counter[str] = Counter()
    for message in messages:
        if isinstance(message, BrokenRow):
            yield message
            continue
        key = "\x1f".join(
            [hints.defaults.get("borrower", ""), channel, message.sender, message.written_at, message.text]
        )
        seen[key] += 1
        digest = hashlib.sha256(f"{key}\x1f{seen[key]}".encode()).hexdigest()[:24]
        values = {
            **hints.defaults,
            "reference": f"{channel}-{digest}",
            "channel": hints.defaults.get("channel", channel),
            "sender": message.sender,
            "started_at": message.written_at,
            "text": message.text,
        }
        if message.other_number:
            values.setdefault("number", message.other_number)
        if message.timezone:
            values["timezone"] = message.timezone
        yield Row(message.number, tuple(values.get(column, "") for column in COLUMNS), message.raw)


def other_side(hints: Hints) -> str:
    """Return who the agent writes with, as the hints say: a third party, else the borrower."""
    said = hints.defaults.get("recipient", "") or Recipient.BORROWER
    is_borrower = columns.RECIPIENTS.get(said, said) == Recipient.BORROWER
    return Recipient.BORROWER if is_borrower else Recipient.THIRD_PARTY
