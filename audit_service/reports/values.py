"""Frozen values of a report: all that is printed, read once, so that the same values give the same bytes.

Instants are UTC and come with the zone they are shown in. Persons are masked before they get here: no template
can print a whole name or telephone number by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Texts = dict[str, str]
"""One text in several languages, by language code (``zh``, ``en``)."""


@dataclass(frozen=True)
class ExhibitLine:
    """One sealed file as the annex lists it; ``size_bytes`` in bytes."""

    number: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    route: str
    received_at: datetime


@dataclass(frozen=True)
class Authority:
    """The instrument behind a rule: its title, number, clause and legal weight (LAW, RULE, NORM, STD, SELF)."""

    title: Texts
    number: str
    clause: str
    weight: str


@dataclass(frozen=True)
class RuleText:
    """A rule as it stood in the pack that flagged."""

    id: str
    version: int
    title: Texts
    explanation: Texts
    authorities: tuple[Authority, ...]
    pack: str
    pack_version: str


@dataclass(frozen=True)
class AttemptLine:
    """One contact attempt; ``zone`` is the zone of the person contacted, or the institution's where unknown."""

    id: int
    reference: str
    started_at: datetime
    zone: str
    zone_is_known: bool
    channel: str
    direction: str
    recipient: str
    outcome: str
    talk_s: float | None
    agency: str
    staff_number: str
    borrower: str
    borrower_reference: str
    number: str
    exhibit_number: str
    source_row: int | None


@dataclass(frozen=True)
class Turn:
    """What one speaker said (``start_s`` seconds into the recording) or wrote (``sent_at``).

    ``unsure`` are the offsets in ``text`` of words that were recognised with little certainty; ``is_guess`` says that
    the speaker was guessed, with too little certainty. Where a person corrected the words, ``machine_text`` is what the
    machine wrote.
    """

    speaker: str
    text: str
    start_s: float | None = None
    sent_at: datetime | None = None
    unsure: tuple[tuple[int, int], ...] = ()
    is_guess: bool = False
    machine_text: str = ""
    corrected_by: str = ""


@dataclass(frozen=True)
class Passage:
    """The words a finding is about, one turn before and one after; offsets are characters of ``turn.text``."""

    turn: Turn
    start: int
    end: int
    before: Turn | None = None
    after: Turn | None = None

    @property
    def turns(self) -> list[Turn]:
        """The turns that are printed, in order."""
        return [turn for turn in (self.before, self.turn, self.after) if turn is not None]

    @property
    def unsure_words(self) -> list[str]:
        """Words of the turns that were recognised with little certainty, in order."""
        return [turn.text[start:end] for turn in self.turns for start, end in turn.unsure]


@dataclass(frozen=True)
class DispositionLine:
    """A reviewer's outcome."""

    verdict: str
    reason: str
    reviewer: str
    decided_at: datetime


@dataclass(frozen=True)
class FindingEntry:
    """One finding with everything that supports it; ``start_s`` is seconds into the recording."""

    id: int
    kind: str
    severity: str
    category: str
    rule: RuleText
    attempt: AttemptLine
    quote: str
    score: float
    plane: str
    explanation: dict[str, Any]
    is_current: bool
    passage: Passage | None = None
    start_s: float | None = None
    exhibit: ExhibitLine | None = None
    transcript: str = ""
    related: tuple[AttemptLine, ...] = ()
    related_total: int = 0
    disposition: DispositionLine | None = None


@dataclass(frozen=True)
class Tally:
    """Findings of one key, by what the reviewers said."""

    key: str
    total: int
    confirmed: int = 0
    needs_information: int = 0
    dismissed: int = 0

    @property
    def unreviewed(self) -> int:
        """Findings that no reviewer has looked at."""
        return self.total - self.confirmed - self.needs_information - self.dismissed


@dataclass(frozen=True)
class Summary:
    """The same findings counted three ways, the contacts on record by channel, and how many recordings have words."""

    by_severity: tuple[Tally, ...]
    by_category: tuple[Tally, ...]
    by_agency: tuple[Tally, ...]
    contacts_by_channel: tuple[tuple[str, int], ...]
    recordings: int = 0
    transcribed: int = 0

    @property
    def contacts(self) -> int:
        """All contact attempts on record."""
        return sum(count for _, count in self.contacts_by_channel)


@dataclass(frozen=True)
class LedgerState:
    """How far the ledger had grown, and the last signed statement about it; empty texts where there is none."""

    entries: int
    head: str
    checkpoint_size: int = 0
    checkpoint_root: str = ""
    checkpoint_note: str = ""
    signed_at: datetime | None = None


@dataclass(frozen=True)
class AllegationEntry:
    """One stated wrong and what the records say about it; ``findings`` are ids of linked findings with reasons."""

    position: int
    category: str
    words: str
    when_text: str
    result: str
    reasons: tuple[Any, ...]
    links: tuple[tuple[int, float, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class ClockLine:
    """A statutory limit of the complaint."""

    kind: str
    basis: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None


@dataclass(frozen=True)
class EventLine:
    """A step of the complaint."""

    status: str
    note: str
    occurred_at: datetime


@dataclass(frozen=True)
class DecisionLine:
    """The institution's answer."""

    outcome: str
    text: str
    remedies: tuple[Any, ...]
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True)
class ComplaintFacts:
    """A complaint and what became of it; the complainant is masked."""

    number: str
    status: str
    route: str
    jurisdiction: str
    submitted_at: datetime
    complainant: str
    phone: str
    borrower_reference: str
    on_behalf: bool
    is_urgent: bool
    narrative: str
    requests: tuple[tuple[str, str], ...]
    allegations: tuple[AllegationEntry, ...]
    clocks: tuple[ClockLine, ...]
    events: tuple[EventLine, ...]
    decisions: tuple[DecisionLine, ...]
    attempts: tuple[AttemptLine, ...]


@dataclass(frozen=True)
class ComplaintLine:
    """One complaint in the list of a period report."""

    number: str
    submitted_at: datetime
    status: str
    is_urgent: bool
    categories: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True)
class Period:
    """Civil dates of the institution's zone, both included."""

    from_on: date
    to_on: date


@dataclass(frozen=True)
class ReportContent:
    """Everything that one report prints, apart from its number.

    ``findings_total`` counts all findings of the subject; ``findings`` holds those printed in detail.
    """

    institution: str
    zone: str
    summary: Summary
    findings: tuple[FindingEntry, ...]
    signals: tuple[FindingEntry, ...]
    findings_total: int
    signals_total: int
    exhibits: tuple[ExhibitLine, ...]
    ledger: LedgerState
    complaint: ComplaintFacts | None = None
    period: Period | None = None
    complaints: tuple[ComplaintLine, ...] = ()
    complaints_total: int = 0


@dataclass(frozen=True)
class Heading:
    """What makes one printing of a content: number, instant, language."""

    number: str
    generated_at: datetime
    locale: str
