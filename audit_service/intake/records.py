"""Turns the named texts of one row or sidecar into a record of the contact log, gathering every field at fault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from audit_service.contacts.models import Channel, Direction, Outcome, Recipient, Speaker
from audit_service.contacts.values import AttemptRecord, FieldProblem
from audit_service.intake import columns, fields
from audit_service.intake.errors import FieldRefusedError

T = TypeVar("T")
_LENGTHS = {
    "reference": 80,
    "institution": 40,
    "agency": 40,
    "agent": 40,
    "borrower": 60,
    "account": 60,
    "contact_person": 100,
    "number": 40,
    "thread": 100,
}


class Facts:
    """The texts of one row or sidecar by column, and what is wrong with them.

    Args:
        values: text by column; an empty text says nothing.
        required: the columns that must say something.
        written: what the file calls a column, where it differs.
    """

    def __init__(self, values: Mapping[str, str], required: Collection[str], written: Mapping[str, str]) -> None:
        self._values = values
        self._required = required
        self._written = written
        self.problems: list[FieldProblem] = []

    def read(self, column: str, convert: Callable[[str], T]) -> T | None:
        """Return the converted text of ``column``; None where it says nothing or is at fault."""
        text = self._values.get(column, "")
        if not text.strip():
            if column in self._required:
                self.refuse(column, "is empty", "Fill it in.")
            return None
        try:
            return convert(text)
        except FieldRefusedError as error:
            self.refuse(column, error.message, error.remedy)
            return None

    def key(self, column: str) -> str:
        """Return the key or name in ``column``, empty where there is none."""
        return self.read(column, partial(fields.plain, most=_LENGTHS[column])) or ""

    def refuse(self, column: str, reason: str, remedy: str) -> None:
        """Note that ``column`` is at fault."""
        self.problems.append(FieldProblem(self._written.get(column, column), reason, remedy))


def call_record(facts: Facts) -> AttemptRecord | None:
    """Return what a call log's row or a recording's sidecar says; None if a field is at fault."""
    channel = facts.read("channel", partial(fields.choice, kinds=Channel, synonyms=columns.CHANNELS))
    return _record(facts, channel or Channel.CALL, None)


def message_record(facts: Facts) -> tuple[AttemptRecord, Speaker] | None:
    """Return what a message log's row says and who sent the message; None if a field is at fault."""
    channel = facts.read("channel", partial(fields.choice, kinds=Channel, synonyms=columns.CHANNELS))
    sender = facts.read("sender", partial(fields.choice, kinds=Speaker, synonyms=columns.SENDERS))
    record = _record(facts, channel or Channel.SMS, sender)
    if record is None or sender is None or channel is None:
        return None
    return record, sender


def _record(facts: Facts, channel: Channel, sender: Speaker | None) -> AttemptRecord | None:
    timezone = facts.read("timezone", fields.zone)
    started_at = facts.read("started_at", partial(fields.instant, timezone=timezone or ""))
    keys = {name: facts.key(name) for name in _LENGTHS if name != "thread"}
    direction = facts.read("direction", partial(fields.choice, kinds=Direction, synonyms=columns.DIRECTIONS))
    recipient = facts.read("recipient", partial(fields.choice, kinds=Recipient, synonyms=columns.RECIPIENTS))
    outcome = facts.read("outcome", partial(fields.choice, kinds=Outcome, synonyms=columns.OUTCOMES))
    talk_s = facts.read("talk_s", fields.seconds)
    if recipient is Recipient.BORROWER and keys["contact_person"]:
        facts.refuse("contact_person", "names a contact person, but the recipient is the borrower", "Correct one.")
    if facts.problems or started_at is None:
        return None
    return AttemptRecord(
        institution=keys["institution"],
        reference=keys["reference"],
        borrower=keys["borrower"],
        agency=keys["agency"],
        agent=keys["agent"],
        account=keys["account"],
        contact_person=keys["contact_person"],
        number=keys["number"],
        channel=channel,
        started_at=started_at,
        direction=direction or _direction_of(sender),
        recipient=recipient or _recipient_of(sender),
        timezone=timezone,
        outcome=outcome or _outcome_of(sender),
        talk_s=talk_s,
    )


def _direction_of(sender: Speaker | None) -> Direction | None:
    directions = {Speaker.AGENT: Direction.OUTBOUND, Speaker.BORROWER: Direction.INBOUND}
    return None if sender is None else directions.get(sender)


def _recipient_of(sender: Speaker | None) -> Recipient | None:
    return Recipient.THIRD_PARTY if sender is Speaker.THIRD_PARTY else None


def _outcome_of(sender: Speaker | None) -> Outcome | None:
    if sender is None:
        return None
    return Outcome.SENT if sender is Speaker.AGENT else Outcome.RECEIVED
