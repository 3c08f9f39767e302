"""Chooses what an export holds: which exhibits, contacts, findings and complaints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Select, cast, false, func, or_, select, true, union
from sqlalchemy.orm import Session

from audit_service.complaints.models import Allegation, Complaint, ComplaintAttempt, Link, Proof
from audit_service.contacts.models import ContactAttempt, Recording
from audit_service.custody.models import Action, CustodyEvent, Exhibit
from audit_service.errors import NotFoundError
from audit_service.exports.values import ExportRequest
from audit_service.review.models import Finding


@dataclass(frozen=True)
class Selection:
    """Conditions on the tables; each is true for what goes into the package."""

    exhibits: ColumnElement[bool]
    attempts: ColumnElement[bool]
    findings: ColumnElement[bool]
    complaints: ColumnElement[bool]


def select_for(session: Session, request: ExportRequest) -> Selection:
    """Return the conditions for what ``request`` names.

    Raises:
        NotFoundError: a complaint or exhibit that it names does not exist.
    """
    if request.is_everything:
        return Selection(true(), true(), true(), true())
    complaint_ids = _ids(session, select(Complaint.number, Complaint.id), request.complaints, "complaint")
    exhibit_ids = _ids(session, select(Exhibit.number, Exhibit.id), request.exhibits, "exhibit")
    linked = select(Link.finding_id).join(Allegation).where(Allegation.complaint_id.in_(complaint_ids))
    own = _attempts(complaint_ids, exhibit_ids, linked)
    findings = or_(
        Finding.id.in_(linked), Finding.attempt_id.in_(select(ContactAttempt.id).where(own)) & Finding.is_current
    )
    attempts = or_(own, ContactAttempt.id.in_(_counted_by(findings)))
    return Selection(
        exhibits=or_(Exhibit.id.in_(exhibit_ids), Exhibit.id.in_(_exhibits(complaint_ids, attempts, request))),
        attempts=attempts,
        findings=findings,
        complaints=Complaint.id.in_(complaint_ids) if complaint_ids else false(),
    )


def chosen_exhibits(session: Session, selection: Selection) -> Iterator[Exhibit]:
    """Yield the exhibits of a selection in the order of their numbers."""
    yield from session.scalars(
        select(Exhibit).where(selection.exhibits).order_by(Exhibit.id).execution_options(yield_per=500)
    )


def _ids(session: Session, rows: Select[str, int], numbers: Iterable[str], thing: str) -> list[int]:
    column = rows.selected_columns[0]
    known = dict(session.execute(rows.where(column.in_(list(numbers)))).all())
    for number in numbers:
        if number not in known:
            raise NotFoundError(f"There is no {thing} {number}.", remedy="Check the number in the list or report.")
    return sorted(known.values())


def _attempts(complaint_ids: list[int], exhibit_ids: list[int], linked: Select[int]) -> ColumnElement[bool]:
    """Return the condition for contacts that the complaints are about, or whose words or log row an exhibit holds."""
    named = select(ComplaintAttempt.attempt_id).where(ComplaintAttempt.complaint_id.in_(complaint_ids))
    found = select(Finding.attempt_id).where(Finding.id.in_(linked))
    recorded = select(Recording.attempt_id).where(Recording.exhibit_id.in_(exhibit_ids))
    return or_(ContactAttempt.id.in_(union(named, found, recorded)), ContactAttempt.exhibit_id.in_(exhibit_ids))


def _counted_by(findings: ColumnElement[bool]) -> Select[int]:
    """Return the contacts that event rules counted in ``findings``: without them the count cannot be checked."""
    return select(cast(func.jsonb_array_elements_text(Finding.related_attempt_ids), BigInteger)).where(findings)


def _exhibits(complaint_ids: list[int], attempts: ColumnElement[bool], request: ExportRequest) -> Select[int]:
    """Return the exhibits that belong to the chosen complaints: proofs, recordings, log files, reports."""
    if not complaint_ids:
        return select(Exhibit.id).where(false())
    proofs = select(Proof.exhibit_id).where(Proof.complaint_id.in_(complaint_ids))
    recordings = select(Recording.exhibit_id).join(ContactAttempt).where(attempts)
    logs = select(ContactAttempt.exhibit_id).where(attempts, ContactAttempt.exhibit_id.is_not(None))
    reports = select(CustodyEvent.exhibit_id).where(
        CustodyEvent.action == Action.REPORTED, CustodyEvent.detail["complaint"].astext.in_(request.complaints)
    )
    return select(union(proofs, recordings, logs, reports).subquery().c[0])
