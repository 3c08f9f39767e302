"""Named reads of the contact log."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts.models import Borrower, ContactAttempt, Message, Recording
from audit_service.errors import NotFoundError
from audit_service.organizations.models import Institution


def borrower_by_reference(session: Session, institution: Institution, reference: str) -> Borrower:
    """Return the borrower whom the institution knows under this reference.

    Raises:
        NotFoundError: there is none.
    """
    query = select(Borrower).where(Borrower.institution_id == institution.id, Borrower.reference == reference)
    borrower = session.scalar(query)
    if borrower is None:
        raise NotFoundError(
            f"There is no borrower {reference} of {institution.code}.", remedy="Register the borrower first."
        )
    return borrower


def attempt_by_reference(session: Session, institution: Institution, reference: str) -> ContactAttempt | None:
    """Return the contact attempt with this reference in the institution's system, or None."""
    query = select(ContactAttempt).where(
        ContactAttempt.institution_id == institution.id, ContactAttempt.reference == reference
    )
    return session.scalar(query)


def recording_of(session: Session, attempt: ContactAttempt) -> Recording | None:
    """Return the recording of an attempt, or None."""
    return session.scalar(select(Recording).where(Recording.attempt_id == attempt.id))


def message_of(session: Session, attempt: ContactAttempt) -> Message | None:
    """Return the message of an attempt, or None."""
    return session.scalar(select(Message).where(Message.attempt_id == attempt.id))
