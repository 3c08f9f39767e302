"""Plain values that pass into and out of the contact log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit_service.contacts.models import Channel, ContactAttempt, Direction, Outcome, Recipient


@dataclass(frozen=True)
class AttemptRecord:
    """What one source (a row of a log, the sidecar of a recording) says about one contact attempt.

    Things are named by the keys of the lender's systems. Empty text and None mean that the source does not say.

    Attributes:
        institution: code of the institution.
        reference: key of the attempt in the lender's system; the same key is the same attempt.
        borrower: the borrower's reference.
        agency: code of the agency.
        channel: by which means.
        started_at: when it began, aware.
        agent: staff number within the agency.
        account: number of the account.
        contact_person: name of the contact person it went to, where it did not go to the borrower.
        direction: who began it.
        recipient: whom it reached or meant to reach.
        number: the other side's number, as written.
        timezone: IANA zone of the person contacted.
        outcome: how it ended.
        talk_s: seconds of talk.
        exhibit_id: the sealed file that says so.
        source_row: the row in that file, 1 = first data row.
    """

    institution: str
    reference: str
    borrower: str
    agency: str
    channel: Channel
    started_at: datetime
    agent: str = ""
    account: str = ""
    contact_person: str = ""
    direction: Direction | None = None
    recipient: Recipient | None = None
    number: str = ""
    timezone: str | None = None
    outcome: Outcome | None = None
    talk_s: float | None = None
    exhibit_id: int | None = None
    source_row: int | None = None


@dataclass(frozen=True)
class FieldProblem:
    """One field of a record that cannot be used or contradicts what is stored, with what to do about it."""

    field: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class RecordedAttempt:
    """What became of one record.

    Attributes:
        attempt: the attempt it made or joined; None if the record was refused.
        is_new: the record made the attempt.
        problems: why it was refused, or, where it was joined, the facts that contradict the stored ones and were
            therefore left out.
    """

    attempt: ContactAttempt | None
    is_new: bool
    problems: tuple[FieldProblem, ...] = ()
