"""Reads everything that a report prints into frozen values, in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from audit_service import clock
from audit_service.complaints.models import (
    Allegation,
    Complaint,
    ComplaintAttempt,
    Decision,
    Link,
    Proof,
)
from audit_service.contacts.models import Channel, ContactAttempt, Recording
from audit_service.custody.models import CheckpointRow, Exhibit, LedgerRow
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.organizations.models import Agency, Institution
from audit_service.reports.finding_queries import (
    attempt_line,
    attempts_by_id,
    exhibit_line,
    exhibits_by_id,
    finding_entries,
    recordings_by_attempt,
    user_names,
)
from audit_service.reports.masking import masked_name, masked_phone
from audit_service.reports.models import Report, ReportKind
from audit_service.reports.values import (
    AllegationEntry,
    AttemptLine,
    ClockLine,
    ComplaintFacts,
    ComplaintLine,
    DecisionLine,
    EventLine,
    ExhibitLine,
    FindingEntry,
    LedgerState,
    Period,
    ReportContent,
    Summary,
    Tally,
)
from audit_service.review.models import Disposition, Finding, FindingKind, Severity, Verdict
from audit_service.transcription.models import Transcript

FINDINGS_SHOWN = 300
SIGNALS_SHOWN = 100
COMPLAINTS_SHOWN = 200

Counted = Row[FindingKind, Severity, str, str, Verdict | None, int]


def complaint_content(session: Session, complaint: Complaint) -> ReportContent:
    """Return what a report on ``complaint`` prints: its course, and the findings linked to it or in its contacts."""
    lender = complaint.institution
    scope = _findings_of(complaint)
    attempts = attempts_by_id(session, session.scalars(_attempts_named(complaint)))
    proofs = session.scalars(
        select(Exhibit).join(Proof, Proof.exhibit_id == Exhibit.id).where(Proof.complaint_id == complaint.id)
    ).all()
    logs = exhibits_by_id(session, (row.exhibit_id for row in attempts.values() if row.exhibit_id))
    lines = sorted((attempt_line(row, logs, lender) for row in attempts.values()), key=lambda line: line.started_at)
    cited = [*proofs, *logs.values(), *recordings_by_attempt(session, attempts).values()]
    content = _content(session, lender, scope, _contacts_of(complaint))
    return replace(
        content,
        exhibits=_exhibits(content.findings + content.signals, map(exhibit_line, cited)),
        complaint=_facts(session, complaint, tuple(lines)),
    )


def period_content(session: Session, lender: Institution, period: Period) -> ReportContent:
    """Return what a report on a period prints; the dates are civil dates of the institution's zone, both included."""
    from_at, to_at = instants(lender, period)
    contacts = and_(
        ContactAttempt.institution_id == lender.id,
        ContactAttempt.started_at >= from_at,
        ContactAttempt.started_at < to_at,
    )
    content = _content(session, lender, and_(Finding.is_current, contacts), contacts)
    received = and_(
        Complaint.institution_id == lender.id, Complaint.submitted_at >= from_at, Complaint.submitted_at < to_at
    )
    return replace(
        content,
        exhibits=_exhibits(content.findings + content.signals, ()),
        period=period,
        complaints=_complaint_lines(session, received),
        complaints_total=session.scalar(select(func.count()).select_from(Complaint).where(received)) or 0,
    )


def complaint_by_number(session: Session, number: str) -> Complaint:
    """Return a complaint with its parts.

    Raises:
        NotFoundError: there is none of this number.
    """
    complaint = session.scalar(
        select(Complaint)
        .where(Complaint.number == number)
        .options(
            joinedload(Complaint.institution),
            joinedload(Complaint.borrower),
            selectinload(Complaint.allegations).joinedload(Allegation.corroboration),
            selectinload(Complaint.allegations).selectinload(Allegation.links),
            selectinload(Complaint.requests),
            selectinload(Complaint.clocks),
            selectinload(Complaint.events),
        )
    )
    if complaint is None:
        raise NotFoundError(f"There is no complaint {number}.", remedy="Check the number, e.g. C-2026-000001.")
    return complaint


def institution_by_code(session: Session, code: str) -> Institution:
    """Return an institution.

    Raises:
        NotFoundError: there is none of this code.
    """
    lender = session.scalar(select(Institution).where(Institution.code == code))
    if lender is None:
        raise NotFoundError(f"There is no institution {code}.", remedy="Use the institution's code.")
    return lender


def instants(lender: Institution, period: Period) -> tuple[datetime, datetime]:
    """Return the period as a half-open range of instants in UTC.

    Raises:
        InputRefusedError: the period ends before it begins.
    """
    if period.to_on < period.from_on:
        raise InputRefusedError(
            f"The period ends on {period.to_on}, before it begins on {period.from_on}.", remedy="Swap the dates."
        )
    zone = ZoneInfo(lender.timezone)
    first = datetime.combine(period.from_on, time.min, zone)
    after = datetime.combine(period.to_on + timedelta(days=1), time.min, zone)
    return clock.utc(first), clock.utc(after)


@dataclass(frozen=True)
class ListedReport:
    """A report in a list: ``row`` with its exhibit loaded, the complaint or the institution it is about."""

    number: str
    kind: ReportKind
    locale: str
    complaint: Complaint | None
    institution_code: str
    row: Report


def report_list(session: Session, limit: int = 200) -> list[ListedReport]:
    """Return the last ``limit`` reports, oldest first."""
    rows = session.execute(
        select(Report, Institution.code)
        .outerjoin(Institution, Report.institution_id == Institution.id)
        .order_by(Report.id.desc())
        .limit(limit)
        .options(joinedload(Report.exhibit), joinedload(Report.complaint))
    ).all()
    return [
        ListedReport(row.number, row.kind, row.locale, row.complaint, code or "", row) for row, code in reversed(rows)
    ]


def ledger_state(session: Session) -> LedgerState:
    """Return how far the ledger has grown and its last signed checkpoint."""
    head = session.scalar(select(LedgerRow).order_by(LedgerRow.seq.desc()).limit(1))
    last = session.scalar(select(CheckpointRow).order_by(CheckpointRow.tree_size.desc()).limit(1))
    first = session.scalar(select(func.min(LedgerRow.seq))) or 0
    entries = 0 if head is None else head.seq - first + 1
    state = LedgerState(entries=entries, head="" if head is None else head.entry_hash)
    if last is None:
        return state
    return LedgerState(
        entries=state.entries,
        head=state.head,
        checkpoint_size=last.tree_size,
        checkpoint_root=last.root,
        checkpoint_note=last.note,
        signed_at=last.signed_at,
    )


def _attempts_named(complaint: Complaint) -> Select[int]:
    return select(ComplaintAttempt.attempt_id).where(ComplaintAttempt.complaint_id == complaint.id)


def _findings_of(complaint: Complaint) -> ColumnElement[bool]:
    linked = select(Link.finding_id).join(Allegation).where(Allegation.complaint_id == complaint.id)
    named = _attempts_named(complaint)
    return or_(Finding.id.in_(linked), and_(Finding.is_current, Finding.attempt_id.in_(named)))


def _contacts_of(complaint: Complaint) -> ColumnElement[bool]:
    if complaint.borrower_id is not None:
        return and_(
            ContactAttempt.borrower_id == complaint.borrower_id, ContactAttempt.started_at <= complaint.submitted_at
        )
    named = _attempts_named(complaint)
    return ContactAttempt.id.in_(named)


def _content(
    session: Session, lender: Institution, scope: ColumnElement[bool], contacts: ColumnElement[bool]
) -> ReportContent:
    counted = _counted(session, scope)
    return ReportContent(
        institution=lender.name,
        zone=lender.timezone,
        summary=_summary(session, counted, contacts),
        findings=finding_entries(session, scope, FindingKind.VIOLATION, lender, FINDINGS_SHOWN),
        signals=finding_entries(session, scope, FindingKind.SIGNAL, lender, SIGNALS_SHOWN),
        findings_total=sum(row[-1] for row in counted if row[0] is FindingKind.VIOLATION),
        signals_total=sum(row[-1] for row in counted if row[0] is FindingKind.SIGNAL),
        exhibits=(),
        ledger=ledger_state(session),
    )


def _counted(session: Session, scope: ColumnElement[bool]) -> Sequence[Counted]:
    """Count findings by everything the summary's tables group by; the last disposition of a finding counts."""
    last = (
        select(Disposition.verdict)
        .where(Disposition.finding_id == Finding.id)
        .order_by(Disposition.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    judged = (
        select(Finding.kind, Finding.severity, Finding.category, Agency.name, last.label("verdict"))
        .join(ContactAttempt, Finding.attempt_id == ContactAttempt.id)
        .join(Agency, ContactAttempt.agency_id == Agency.id)
        .where(scope)
        .subquery()
    )
    rows = session.execute(select(*judged.c, func.count()).group_by(*judged.c)).all()
    return cast("Sequence[Counted]", rows)


def _summary(session: Session, counted: Sequence[Counted], contacts: ColumnElement[bool]) -> Summary:
    violations = [row for row in counted if row[0] is FindingKind.VIOLATION]
    order = [severity.value for severity in Severity]
    by_severity = sorted(
        _tallies((row[1].value, row[4], row[5]) for row in violations), key=lambda tally: order.index(tally.key)
    )
    channels = dict(
        session.execute(
            select(ContactAttempt.channel, func.count()).where(contacts).group_by(ContactAttempt.channel)
        ).all()
    )
    recordings, transcribed = _recordings(session, contacts)
    return Summary(
        by_severity=tuple(by_severity),
        by_category=_tallies((row[2], row[4], row[5]) for row in violations),
        by_agency=_tallies((row[3], row[4], row[5]) for row in violations),
        contacts_by_channel=tuple((channel.value, channels[channel]) for channel in Channel if channel in channels),
        recordings=recordings,
        transcribed=transcribed,
    )


def _recordings(session: Session, contacts: ColumnElement[bool]) -> tuple[int, int]:
    row = session.execute(
        select(func.count(Recording.id.distinct()), func.count(Transcript.recording_id.distinct()))
        .join(ContactAttempt, Recording.attempt_id == ContactAttempt.id)
        .outerjoin(Transcript, Transcript.recording_id == Recording.id)
        .where(contacts)
    ).one()
    return row[0], row[1]


def _tallies(rows: Iterable[tuple[str, Verdict | None, int]]) -> tuple[Tally, ...]:
    """Add up counts by key, the most findings first."""
    counts: dict[str, dict[Verdict | None, int]] = {}
    for key, verdict, count in rows:
        verdicts = counts.setdefault(key, {})
        verdicts[verdict] = verdicts.get(verdict, 0) + count
    tallies = [
        Tally(
            key=key,
            total=sum(verdicts.values()),
            confirmed=verdicts.get(Verdict.CONFIRMED, 0),
            # A dismissal that waits for a second person is as open as one that waits for information.
            needs_information=verdicts.get(Verdict.NEEDS_INFORMATION, 0) + verdicts.get(Verdict.DISMISSAL_PROPOSED, 0),
            dismissed=verdicts.get(Verdict.DISMISSED, 0),
        )
        for key, verdicts in counts.items()
    ]
    return tuple(sorted(tallies, key=lambda tally: (-tally.total, tally.key)))


def _exhibits(findings: Iterable[FindingEntry], more: Iterable[ExhibitLine]) -> tuple[ExhibitLine, ...]:
    cited = {finding.exhibit.number: finding.exhibit for finding in findings if finding.exhibit}
    cited.update({exhibit.number: exhibit for exhibit in more})
    return tuple(cited[number] for number in sorted(cited))


def _facts(session: Session, complaint: Complaint, attempts: tuple[AttemptLine, ...]) -> ComplaintFacts:
    return ComplaintFacts(
        number=complaint.number,
        status=complaint.status.value,
        route=complaint.route,
        jurisdiction=complaint.jurisdiction,
        submitted_at=complaint.submitted_at,
        complainant=masked_name(complaint.complainant_name),
        phone=masked_phone(complaint.complainant_phone),
        borrower_reference=complaint.borrower.reference if complaint.borrower else "",
        on_behalf=complaint.on_behalf,
        is_urgent=complaint.is_urgent,
        narrative=complaint.narrative,
        requests=tuple((request.kind.value, request.detail) for request in complaint.requests),
        allegations=tuple(_allegation(allegation) for allegation in complaint.allegations),
        clocks=tuple(
            ClockLine(row.kind, row.basis, row.started_at, row.due_at, row.stopped_at) for row in complaint.clocks
        ),
        events=tuple(EventLine(row.status.value, row.note, row.occurred_at) for row in complaint.events),
        decisions=_decisions(session, complaint),
        attempts=attempts,
    )


def _allegation(allegation: Allegation) -> AllegationEntry:
    found = allegation.corroboration
    return AllegationEntry(
        position=allegation.position,
        category=allegation.category,
        words=allegation.words,
        when_text=allegation.when_text,
        result=found.result.value if found else "",
        reasons=tuple(found.reasons) if found else (),
        links=tuple((link.finding_id, link.score, tuple(link.reasons)) for link in allegation.links),
    )


def _decisions(session: Session, complaint: Complaint) -> tuple[DecisionLine, ...]:
    rows = session.scalars(select(Decision).where(Decision.complaint_id == complaint.id).order_by(Decision.id)).all()
    names = user_names(session, (row.user_id for row in rows))
    return tuple(
        DecisionLine(row.outcome, row.text, tuple(row.remedies), names.get(row.user_id, ""), row.decided_at)
        for row in rows
    )


def _complaint_lines(session: Session, received: ColumnElement[bool]) -> tuple[ComplaintLine, ...]:
    rows = session.scalars(
        select(Complaint)
        .where(received)
        .order_by(Complaint.submitted_at, Complaint.id)
        .limit(COMPLAINTS_SHOWN)
        .options(selectinload(Complaint.allegations).joinedload(Allegation.corroboration))
    )
    return tuple(
        ComplaintLine(
            number=row.number,
            submitted_at=row.submitted_at,
            status=row.status.value,
            is_urgent=row.is_urgent,
            categories=tuple(allegation.category for allegation in row.allegations),
            results=tuple(
                allegation.corroboration.result.value if allegation.corroboration else ""
                for allegation in row.allegations
            ),
        )
        for row in rows
    )
