"""Named reads of findings and contacts, as pages need them; each a bounded number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Tuple, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from audit_service.contacts.models import ContactAttempt, Message, Recording
from audit_service.custody.models import CustodyEvent, Exhibit
from audit_service.database import existing
from audit_service.errors import NotFoundError
from audit_service.organizations.models import Agency
from audit_service.review.models import Disposition, Finding, FindingKind, Severity
from audit_service.review.open_questions import OpenQuestion, open_questions
from audit_service.review.standings import RuleKey, rules_under_review
from audit_service.transcription.models import Segment, Transcript
from audit_service.transcription.progress import Progress, under_way
from audit_service.transcription.talk import Talk, measure

PAGE_ROWS = 50
HOME_ZONE = "Asia/Shanghai"
UNREVIEWED = "unreviewed"


@dataclass(frozen=True)
class FindingFilter:
    """What a list of findings is narrowed to; empty means all. Days are civil days in ``HOME_ZONE``.

    ``before_id`` and ``is_under_review`` say where to go on: the findings of rules under review come last.
    """

    category: str = ""
    severity: str = ""
    kind: str = ""
    agency: str = ""
    channel: str = ""
    disposition: str = ""
    text: str = ""
    from_on: date | None = None
    to_on: date | None = None
    before_id: int | None = None
    is_under_review: bool = False


@dataclass(frozen=True)
class FindingPage:
    """One page of findings, newest first, those of rules under review last; and the place to go on from, if any."""

    findings: Sequence[Finding]
    next_before: int | None
    is_next_under_review: bool = False
    under_review: frozenset[RuleKey] = frozenset()


@dataclass(frozen=True)
class ContactPage:
    """All that is shown of one contact."""

    attempt: ContactAttempt
    recording: Recording | None
    transcript: Transcript | None
    segments: Sequence[Segment]
    thread: Sequence[Message]
    findings: Sequence[Finding]
    exhibit: Exhibit | None
    custody: Sequence[CustodyEvent]
    progress: Progress | None = None
    talk: Talk | None = None
    open_questions: Sequence[OpenQuestion] = ()
    under_review: frozenset[RuleKey] = frozenset()


def findings_page(session: Session, wanted: FindingFilter, floor: float = 0.0) -> FindingPage:
    """Return the current findings that ``wanted`` lets through; rules under ``floor`` are under review."""
    under_review = rules_under_review(session, floor)
    rows: list[Finding] = []
    if not wanted.is_under_review:
        rows += _findings(session, [*_conditions(wanted), *_before(wanted), *_outside(under_review)], PAGE_ROWS + 1)
    if under_review and len(rows) <= PAGE_ROWS:
        place = _before(wanted) if wanted.is_under_review else []
        conditions = [*_conditions(wanted), *place, _rule().in_(under_review)]
        rows += _findings(session, conditions, PAGE_ROWS + 1 - len(rows))
    shown = rows[:PAGE_ROWS]
    if len(rows) <= PAGE_ROWS:
        return FindingPage(shown, None, under_review=under_review)
    last = shown[-1]
    # Where the page ends with the last finding outside, the next one begins at the top of those under review.
    is_next_under_review = (last.rule_id, last.rule_version) in under_review
    return FindingPage(shown, last.id, is_next_under_review, under_review)


def _rule() -> Tuple:
    return tuple_(Finding.rule_id, Finding.rule_version)


def _outside(rules: frozenset[RuleKey]) -> list[ColumnElement[bool]]:
    return [_rule().not_in(rules)] if rules else []


def _before(wanted: FindingFilter) -> list[ColumnElement[bool]]:
    return [Finding.id < wanted.before_id] if wanted.before_id else []


def _findings(session: Session, conditions: Sequence[ColumnElement[bool]], limit: int) -> Sequence[Finding]:
    query = (
        select(Finding)
        .join(Finding.attempt)
        .where(Finding.is_current, *conditions)
        .order_by(Finding.id.desc())
        .limit(limit)
        .options(
            joinedload(Finding.attempt).options(
                joinedload(ContactAttempt.agency), joinedload(ContactAttempt.agent), joinedload(ContactAttempt.borrower)
            ),
            joinedload(Finding.pack_version),
            selectinload(Finding.dispositions),
        )
    )
    return session.scalars(query).all()


def _conditions(wanted: FindingFilter) -> list[ColumnElement[bool]]:
    equal = (
        (Finding.category, wanted.category),
        (Finding.severity, wanted.severity),
        (Finding.kind, wanted.kind),
        (ContactAttempt.channel, wanted.channel),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equal if value]
    if wanted.agency:
        conditions.append(ContactAttempt.agency.has(Agency.code == wanted.agency))
    if wanted.text:
        conditions.append(Finding.quote.icontains(wanted.text, autoescape=True))
    if wanted.from_on:
        conditions.append(ContactAttempt.started_at >= midnight(wanted.from_on))
    if wanted.to_on:
        conditions.append(ContactAttempt.started_at < midnight(wanted.to_on + timedelta(days=1)))
    return conditions + _disposition_condition(wanted.disposition)


def _disposition_condition(disposition: str) -> list[ColumnElement[bool]]:
    if not disposition:
        return []
    last = (
        select(Disposition.verdict)
        .where(Disposition.finding_id == Finding.id)
        .order_by(Disposition.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return [last.is_(None) if disposition == UNREVIEWED else last == disposition]


def midnight(day: date) -> datetime:
    """Return the instant at which a civil day begins in ``HOME_ZONE``."""
    return datetime.combine(day, time.min, ZoneInfo(HOME_ZONE))


def agencies(session: Session) -> Sequence[Agency]:
    """Return all agencies by name, for a filter."""
    return session.scalars(select(Agency).order_by(Agency.name)).all()


def counts_by_severity(session: Session) -> Mapping[Severity, int]:
    """Return how many current violations there are of each severity."""
    query = (
        select(Finding.severity, func.count())
        .where(Finding.is_current, Finding.kind == FindingKind.VIOLATION)
        .group_by(Finding.severity)
    )
    return {severity: int(number) for severity, number in session.execute(query)}


def counts_by_category(session: Session, kind: FindingKind) -> Sequence[tuple[str, int]]:
    """Return the categories of current findings of a kind with their numbers, the most frequent first."""
    query = (
        select(Finding.category, func.count())
        .where(Finding.is_current, Finding.kind == kind)
        .group_by(Finding.category)
        .order_by(func.count().desc(), Finding.category)
    )
    return [(category, int(number)) for category, number in session.execute(query)]


def contact_page(session: Session, attempt_id: int, floor: float = 0.0) -> ContactPage:
    """Return one contact with its words, findings and custody; findings of rules under ``floor`` come last.

    Raises:
        NotFoundError: there is no such contact.
    """
    attempt = session.scalar(
        select(ContactAttempt)
        .where(ContactAttempt.id == attempt_id)
        .options(
            joinedload(ContactAttempt.agency),
            joinedload(ContactAttempt.agent),
            joinedload(ContactAttempt.borrower),
            joinedload(ContactAttempt.contact_person),
            joinedload(ContactAttempt.institution),
        )
    )
    if attempt is None:
        raise NotFoundError(f"There is no contact {attempt_id}.", remedy="Go back to the list.")
    recording = session.scalar(
        select(Recording).where(Recording.attempt_id == attempt.id).options(joinedload(Recording.exhibit))
    )
    transcript = None if recording is None else _newest_transcript(session, recording)
    exhibit = recording.exhibit if recording is not None else _log_exhibit(session, attempt)
    under_review = rules_under_review(session, floor)
    return ContactPage(
        attempt=attempt,
        recording=recording,
        transcript=transcript,
        segments=[] if transcript is None else transcript.segments,
        thread=_thread(session, attempt),
        open_questions=open_questions(session, attempt),
        findings=sorted(
            _findings_of(session, attempt), key=lambda one: (one.rule_id, one.rule_version) in under_review
        ),
        exhibit=exhibit,
        custody=[] if exhibit is None else _custody(session, exhibit),
        progress=next(iter(under_way(session, recording.id)), None) if recording is not None else None,
        under_review=under_review,
        talk=None if recording is None or transcript is None else _talk(transcript, recording),
    )


def _talk(transcript: Transcript, recording: Recording) -> Talk:
    is_told_apart = transcript.options.get("told_apart_by", "channel") not in {"voice", "nothing"} and (
        recording.channels > 1
    )
    return measure(transcript.segments, recording.duration_s, transcript.acoustics, is_told_apart=is_told_apart)


def _newest_transcript(session: Session, recording: Recording) -> Transcript | None:
    query = (
        select(Transcript)
        .where(Transcript.recording_id == recording.id)
        .order_by(Transcript.version.desc())
        .limit(1)
        .options(selectinload(Transcript.segments).selectinload(Segment.edits))
    )
    return session.scalar(query)


def _log_exhibit(session: Session, attempt: ContactAttempt) -> Exhibit | None:
    return None if attempt.exhibit_id is None else session.get(Exhibit, attempt.exhibit_id)


def _custody(session: Session, exhibit: Exhibit) -> Sequence[CustodyEvent]:
    query = select(CustodyEvent).where(CustodyEvent.exhibit_id == exhibit.id).order_by(CustodyEvent.seq).limit(100)
    return session.scalars(query).all()


def _thread(session: Session, attempt: ContactAttempt) -> Sequence[Message]:
    own = session.scalar(select(Message).where(Message.attempt_id == attempt.id))
    if own is None:
        return []
    query = (
        select(Message)
        .join(Message.attempt)
        .where(Message.thread == own.thread)
        .order_by(ContactAttempt.started_at, Message.id)
        .limit(200)
        .options(joinedload(Message.attempt))
    )
    return session.scalars(query).all()


def _findings_of(session: Session, attempt: ContactAttempt) -> Sequence[Finding]:
    query = (
        select(Finding)
        .where(
            Finding.is_current,
            or_(Finding.attempt_id == attempt.id, Finding.related_attempt_ids.contains([attempt.id])),
        )
        .order_by(Finding.start_s, Finding.id)
        .options(
            joinedload(Finding.pack_version),
            selectinload(Finding.dispositions),
            selectinload(Finding.second_hearings),
        )
    )
    return session.scalars(query).all()


def finding(session: Session, finding_id: int) -> Finding:
    """Return one finding with the account of why it was made.

    Raises:
        NotFoundError: there is no such finding.
    """
    return existing(session, Finding, finding_id)


def recording_exhibit(session: Session, recording_id: int) -> Exhibit:
    """Return the exhibit to play for a recording: its rendition, else the recording as received.

    Raises:
        NotFoundError: there is no such recording.
    """
    recording = existing(session, Recording, recording_id)
    return recording.rendition or recording.exhibit
