"""Named reads of complaints."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from audit_service.complaints.models import (
    Allegation,
    Complaint,
    ComplaintAttempt,
    ComplaintStatus,
    Link,
    Proof,
)
from audit_service.complaints.receipts import hash_code
from audit_service.complaints.values import CaseView, ComplaintPage, Limit, Step
from audit_service.contacts.models import ContactAttempt
from audit_service.errors import NotFoundError
from audit_service.review.models import Finding


def by_receipt(session: Session, pepper: str, code: str, phone_last4: str) -> CaseView:
    """Return what a complainant may see; the code and the last four digits of the phone must both be right.

    Raises:
        NotFoundError: either is wrong; which of them is not told.
    """
    query = (
        select(Complaint)
        .where(Complaint.receipt_hash == hash_code(code, pepper))
        .options(selectinload(Complaint.events), selectinload(Complaint.clocks), selectinload(Complaint.requests))
    )
    complaint = session.scalar(query)
    expected = complaint.complainant_phone[-4:] if complaint else "none"
    if not hmac.compare_digest(expected.encode(), phone_last4.strip().encode()) or complaint is None:
        raise NotFoundError("No complaint fits this receipt code and phone number.", remedy="Check both and try again.")
    return CaseView(
        number=complaint.number,
        status=complaint.status,
        submitted_at=complaint.submitted_at,
        timezone=complaint.institution.timezone,
        steps=tuple(Step(event.status, event.note, event.occurred_at) for event in complaint.events),
        limits=tuple(Limit(c.kind, c.basis, c.due_at) for c in complaint.clocks if c.stopped_at is None),
        requests=tuple(request.kind for request in complaint.requests),
    )


def complaint_page(session: Session, number: str) -> ComplaintPage:
    """Return all that an officer sees of a complaint, in a bounded number of queries.

    Raises:
        NotFoundError: there is no such complaint.
    """
    finding = selectinload(Complaint.allegations).selectinload(Allegation.links).joinedload(Link.finding)
    attempt = finding.joinedload(Finding.attempt).joinedload(ContactAttempt.agency)
    query = (
        select(Complaint)
        .where(Complaint.number == number)
        .options(
            attempt,
            finding.joinedload(Finding.pack_version),
            selectinload(Complaint.allegations).joinedload(Allegation.corroboration),
            selectinload(Complaint.requests),
            selectinload(Complaint.clocks),
            selectinload(Complaint.events),
            joinedload(Complaint.institution),
            joinedload(Complaint.borrower),
        )
    )
    complaint = session.scalar(query)
    if complaint is None:
        raise NotFoundError(f"There is no complaint {number}.", remedy="Check the number.")
    attempts = session.scalars(
        select(ComplaintAttempt)
        .where(ComplaintAttempt.complaint_id == complaint.id)
        .order_by(ComplaintAttempt.score.desc(), ComplaintAttempt.id)
        .options(joinedload(ComplaintAttempt.attempt).joinedload(ContactAttempt.agency))
    ).all()
    proofs = session.scalars(
        select(Proof).where(Proof.complaint_id == complaint.id).order_by(Proof.id).options(joinedload(Proof.exhibit))
    ).all()
    return ComplaintPage(complaint, attempts, proofs)


def complaint_list(
    session: Session, *, status: ComplaintStatus | None = None, before_id: int | None = None, limit: int = 50
) -> Sequence[Complaint]:
    """Return complaints, the latest first; ``before_id`` is the last id of the page before."""
    query = select(Complaint).order_by(Complaint.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Complaint.status == status)
    if before_id is not None:
        query = query.where(Complaint.id < before_id)
    options = (selectinload(Complaint.clocks), selectinload(Complaint.allegations), joinedload(Complaint.institution))
    return session.scalars(query.options(*options)).all()
