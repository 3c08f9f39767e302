"""Call log against recordings, both ways, per agency and civil day: what is missing, and whose recording is too short.

An answered call without a recording, a recording without its line in a log, and a recording much shorter or longer than
the talk time are the three ways in which evidence is withheld or lost without anybody saying so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from audit_service.contacts.models import Channel, ContactAttempt, Outcome, Recording

TOLERANCE_S = 5.0
TOLERANCE_SHARE = 0.1


@dataclass(frozen=True)
class LengthGap:
    """A recording that is not as long as its call: the call's reference, talk time and recorded length in seconds."""

    reference: str
    talk_s: float
    recorded_s: float


@dataclass
class DaySheet:
    """One agency on one civil day, in the time zone of the lender.

    Attributes:
        answered: answered calls that a call log names.
        recorded: those of them that have a recording.
        without_recording: references of answered calls that have none.
        without_log_line: references of recordings that no call log names.
        gaps: recordings whose length differs from the talk time by more than five seconds and a tenth.
    """

    institution: str
    agency: str
    day: date
    answered: int = 0
    recorded: int = 0
    without_recording: list[str] = field(default_factory=list)
    without_log_line: list[str] = field(default_factory=list)
    gaps: list[LengthGap] = field(default_factory=list)

    @property
    def coverage(self) -> float | None:
        """Return the share of answered calls that have a recording; None where none was answered."""
        return self.recorded / self.answered if self.answered else None

    @property
    def is_clean(self) -> bool:
        """Tell whether log and recordings agree."""
        return not (self.without_recording or self.without_log_line or self.gaps)


def reconcile(
    session: Session, *, begin: datetime | None = None, end: datetime | None = None, agency: str | None = None
) -> list[DaySheet]:
    """Return a sheet for each agency and day with calls in [``begin``, ``end``), in their order."""
    query = (
        select(ContactAttempt)
        .where(ContactAttempt.channel == Channel.CALL)
        .order_by(ContactAttempt.started_at, ContactAttempt.id)
        .options(joinedload(ContactAttempt.institution), joinedload(ContactAttempt.agency))
    )
    if begin is not None:
        query = query.where(ContactAttempt.started_at >= begin)
    if end is not None:
        query = query.where(ContactAttempt.started_at < end)
    attempts = session.scalars(query).all()
    recorded = session.execute(select(Recording.attempt_id, Recording.duration_s))
    lengths = {attempt_id: duration_s for attempt_id, duration_s in recorded}  # noqa: C416 (rows, not pairs)
    chosen = [attempt for attempt in attempts if agency in {None, attempt.agency.code}]
    return _sheets(chosen, lengths)


def _sheets(attempts: Iterable[ContactAttempt], lengths: dict[int, float]) -> list[DaySheet]:
    sheets: dict[tuple[date, str, str], DaySheet] = {}
    for attempt in attempts:
        day = attempt.started_at.astimezone(ZoneInfo(attempt.institution.timezone)).date()
        key = (day, attempt.institution.code, attempt.agency.code)
        sheet = sheets.setdefault(key, DaySheet(attempt.institution.code, attempt.agency.code, day))
        _enter(sheet, attempt, lengths.get(attempt.id))
    return [sheets[key] for key in sorted(sheets)]


def _enter(sheet: DaySheet, attempt: ContactAttempt, recorded_s: float | None) -> None:
    is_in_log = attempt.source_row is not None
    if recorded_s is not None and not is_in_log:
        sheet.without_log_line.append(attempt.reference)
    if is_in_log and attempt.outcome is Outcome.ANSWERED:
        sheet.answered += 1
        if recorded_s is None:
            sheet.without_recording.append(attempt.reference)
        else:
            sheet.recorded += 1
    if recorded_s is not None and attempt.talk_s is not None:
        gap = abs(attempt.talk_s - recorded_s)
        if gap > max(TOLERANCE_S, TOLERANCE_SHARE * attempt.talk_s):
            sheet.gaps.append(LengthGap(attempt.reference, attempt.talk_s, round(recorded_s, 1)))


def totals(sheets: Sequence[DaySheet]) -> tuple[int, int]:
    """Return how many calls were answered and how many of them are recorded."""
    return sum(sheet.answered for sheet in sheets), sum(sheet.recorded for sheet in sheets)
