"""Plain values that go into the engine and come out of it. All frozen; instants are aware; lengths in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Turn:
    """What one speaker said without a break, or one message; ``confidence`` 0..1 is the recogniser's."""

    speaker: str
    text: str
    start_s: float | None = None
    end_s: float | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Conversation:
    """One contact: its turns and the facts about it that rules need.

    Attributes:
        source: ``typed``, ``transcript`` (written by people) or ``asr`` (written by a recogniser).
        channel: ``call``, ``sms``, ``wechat``, ``app``, ``email`` …; None when unknown.
        recipient: ``borrower`` or ``third_party``; None when unknown.
        at: the instant of the contact; None when unknown.
        timezone: IANA zone of the person contacted; None when unknown.
        jurisdictions: packs that apply; empty means: those of the jurisdiction whose pack is
            the first in the language spoken.
        known_agencies: names by which the caller may truthfully identify himself.
        is_in_log: the same contact is also judged by :meth:`Engine.scan_log`, which then owns the hours rules.
        consents: agreements of the person contacted, for the exceptions of event rules.
    """

    id: str
    turns: tuple[Turn, ...]
    source: str = "typed"
    channel: str | None = None
    recipient: str | None = None
    at: datetime | None = None
    timezone: str | None = None
    language: str | None = None
    jurisdictions: tuple[str, ...] = ()
    known_agencies: tuple[str, ...] = ()
    direction: str = "outbound"
    is_in_log: bool = False
    consents: tuple[Consent, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One line of the contact log. ``started_at`` is aware UTC; ``timezone`` is that of the person contacted.

    ``outcome`` is the dial result (``answered``, ``no_answer``, ``busy``, ``voicemail``, ``invalid``); None if unknown.
    """

    id: str
    borrower_id: str
    contact_person_id: str | None
    is_related: bool | None
    number: str
    agency_id: str
    institution_id: str
    channel: str
    direction: str
    started_at: datetime
    timezone: str | None
    is_answered: bool | None
    talk_s: float | None
    recipient: str | None
    has_recording: bool | None = None
    jurisdiction: str = ""
    outcome: str | None = None

    @property
    def is_unnamed(self) -> bool:
        """Tell whether a third person was contacted of whom the log does not say who it is."""
        return self.recipient == "third_party" and self.contact_person_id is None

    @property
    def person(self) -> str:
        """Return a key of the person contacted: the contact person, an unnamed one by the number, or the borrower."""
        if self.contact_person_id is not None:
            return f"contact:{self.contact_person_id}"
        return f"number:{self.number}" if self.is_unnamed else f"borrower:{self.borrower_id}"


@dataclass(frozen=True)
class CeaseRequest:
    """A wish not to be contacted.

    Attributes:
        scope: ``all``, ``night``, ``represented`` (a lawyer acts), ``work``, or ``hours HH:MM-HH:MM``; see
            :mod:`audit_service.detection.cease_terms`.
        channel: the only channel that it is about; None for every channel.
        attempt_id: the contact in which it was said, if it is on record.
    """

    borrower_id: str
    contact_person_id: str | None
    at: datetime
    scope: str
    channel: str | None = None
    attempt_id: str | None = None

    @property
    def person(self) -> str:
        """Return the key of the person who asked, in the form of :attr:`Attempt.person`."""
        if self.contact_person_id is None:
            return f"borrower:{self.borrower_id}"
        return f"contact:{self.contact_person_id}"


@dataclass(frozen=True)
class Consent:
    """An agreement of the borrower, e.g. ``night_contact``, in force in [``from_at``, ``to_at``)."""

    borrower_id: str
    kind: str
    from_at: datetime
    to_at: datetime | None

    def covers(self, instant: datetime) -> bool:
        """Tell whether the consent is in force at ``instant``."""
        return self.from_at <= instant and (self.to_at is None or instant < self.to_at)


@dataclass(frozen=True)
class Complaint:
    """A complaint or dispute of a borrower, pending in [``from_at``, ``to_at``); ``requests`` are what it asks for."""

    borrower_id: str
    from_at: datetime
    to_at: datetime | None = None
    requests: tuple[str, ...] = ()

    def is_pending(self, instant: datetime) -> bool:
        """Tell whether it waits for an answer at ``instant``."""
        return self.from_at < instant and (self.to_at is None or instant < self.to_at)


@dataclass(frozen=True)
class FoundFinding:
    """One rule met in one place.

    ``subject`` is the id of the conversation or attempt. ``start`` and ``end`` are character offsets in the original
    text of turn ``turn``, and ``quote`` is exactly that text; for event rules ``turn`` is None and the quote empty.
    The engine fills in ``rule_digest`` and, from the pack's table of severities, ``severity`` and what follows from it.
    """

    rule_id: str
    rule_version: int
    category: str
    kind: str
    severity: str
    subject: str
    turn: int | None
    speaker: str
    start: int
    end: int
    start_s: float | None
    end_s: float | None
    quote: str
    score: float
    plane: str
    edits: int
    explanation: Mapping[str, Any] = field(default_factory=dict)
    related: tuple[str, ...] = ()
    rule_digest: str = ""
    points: int = 0
    is_fatal: bool = False
    needs_listening: bool = False


@dataclass(frozen=True)
class Undetermined:
    """A rule that could not be judged because facts are missing: neither compliant nor violated."""

    rule_id: str
    subject: str
    missing: str


@dataclass(frozen=True)
class ScanResult:
    """What a scan found, and what it could not determine."""

    findings: tuple[FoundFinding, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()
