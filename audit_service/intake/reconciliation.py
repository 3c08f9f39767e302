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

from audit_service import clock
from audit_service.contacts.models import Channel, ContactAttempt, Outcome, Recording
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.intake.models import ReconciliationAlert
from audit_service.organizations.models import Agency, Institution

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
        gaps: recordings shorter than the talk time by more than five seconds, or longer by more than that and a tenth.
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
    def disagreeing(self) -> float:
        """Return the share of the day's calls in which log and recordings disagree, from 0 to 1."""
        calls = self.answered + len(self.without_log_line)
        wrong = len(self.without_recording) + len(self.without_log_line) + len(self.gaps)
        return min(1.0, wrong / calls) if calls else 0.0

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
        longer = recorded_s - attempt.talk_s
        if -longer > TOLERANCE_S or longer > max(TOLERANCE_S, TOLERANCE_SHARE * attempt.talk_s):
            sheet.gaps.append(LengthGap(attempt.reference, attempt.talk_s, round(recorded_s, 1)))


def totals(sheets: Sequence[DaySheet]) -> tuple[int, int]:
    """Return how many calls were answered and how many of them are recorded."""
    return sum(sheet.answered for sheet in sheets), sum(sheet.recorded for sheet in sheets)


def raise_alerts(session: Session, sheets: Sequence[DaySheet], tolerated: float) -> list[ReconciliationAlert]:
    """Raise an alert for each sheet that disagrees in more calls than tolerated, and clear those that no longer do.

    Returns:
        The alerts raised now.
    """
    raised = []
    for sheet in sheets:
        agency_id = _agency_id(session, sheet)
        known = session.scalar(
            select(ReconciliationAlert).where(
                ReconciliationAlert.agency_id == agency_id, ReconciliationAlert.day == sheet.day
            )
        )
        if sheet.disagreeing > tolerated:
            alert = known or ReconciliationAlert(agency_id=agency_id, day=sheet.day, raised_at=clock.now())
            if known is None or known.cleared_at is not None:
                raised.append(alert)
                _note(session, sheet, is_raised=True)
            alert.share, alert.tolerated, alert.cleared_at = round(sheet.disagreeing, 4), tolerated, None
            alert.counts = _counts(sheet)
            session.add(alert)
        elif known is not None and known.cleared_at is None:
            known.cleared_at = clock.now()
            _note(session, sheet, is_raised=False)
    session.flush()
    return raised


def open_alerts(session: Session, limit: int = 100) -> Sequence[ReconciliationAlert]:
    """Return the alerts that are not cleared, the latest day first."""
    query = select(ReconciliationAlert).where(ReconciliationAlert.cleared_at.is_(None))
    ordered = query.order_by(ReconciliationAlert.day.desc(), ReconciliationAlert.id).limit(limit)
    return session.scalars(ordered.options(joinedload(ReconciliationAlert.agency))).all()


def _agency_id(session: Session, sheet: DaySheet) -> int:
    query = select(Agency.id).join(Institution, Institution.id == Agency.institution_id)
    return session.scalars(query.where(Institution.code == sheet.institution, Agency.code == sheet.agency)).one()


def _counts(sheet: DaySheet) -> dict[str, int]:
    return {
        "answered": sheet.answered,
        "recorded": sheet.recorded,
        "without_recording": len(sheet.without_recording),
        "without_log_line": len(sheet.without_log_line),
        "gaps": len(sheet.gaps),
    }


def _note(session: Session, sheet: DaySheet, *, is_raised: bool) -> None:
    detail: dict[str, str | int | bool] = {"day": sheet.day.isoformat(), "raised": is_raised, **_counts(sheet)}
    custody.record(session, Act(Action.ALERTED, "agency", f"{sheet.institution}/{sheet.agency}", detail=detail))
