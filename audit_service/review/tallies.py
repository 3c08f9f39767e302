"""Counts over current findings, for overviews and measurements."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts.models import ContactAttempt
from audit_service.review.models import Finding


def categories_by_reference(session: Session) -> dict[str, set[str]]:
    """Return the categories of current findings by the reference of the contact attempt they are about."""
    query = (
        select(ContactAttempt.reference, Finding.category)
        .join(Finding, Finding.attempt_id == ContactAttempt.id)
        .where(Finding.is_current)
        .distinct()
    )
    found: dict[str, set[str]] = defaultdict(set)
    for reference, category in session.execute(query):
        found[reference].add(category)
    return dict(found)
