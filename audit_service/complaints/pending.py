"""When the complaints of a borrower waited for an answer: what the event rules hold contacts against."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from audit_service import detection
from audit_service.complaints.models import Complaint, ComplaintStatus

ANSWERED = frozenset(
    {
        ComplaintStatus.REFUSED,
        ComplaintStatus.DECIDED,
        ComplaintStatus.CLOSED,
        ComplaintStatus.WITHDRAWN,
        ComplaintStatus.TRANSFERRED,
    }
)


def pending_complaints(session: Session, borrower_id: int) -> tuple[detection.Complaint, ...]:
    """Return each stretch of time in which a complaint of the borrower was pending; an appeal begins a new one."""
    complaints = session.scalars(
        select(Complaint)
        .where(Complaint.borrower_id == borrower_id)
        .order_by(Complaint.id)
        .options(selectinload(Complaint.events), selectinload(Complaint.requests))
    )
    return tuple(
        detection.Complaint(str(borrower_id), begin, end, tuple(request.kind.value for request in complaint.requests))
        for complaint in complaints
        for begin, end in _stretches(complaint)
    )


def _stretches(complaint: Complaint) -> Iterator[tuple[datetime, datetime | None]]:
    begin: datetime | None = complaint.submitted_at
    for event in complaint.events:
        if event.status in ANSWERED and begin is not None:
            yield begin, event.occurred_at
            begin = None
        elif event.status is ComplaintStatus.APPEALED and begin is None:
            begin = event.occurred_at
    if begin is not None:
        yield begin, None
