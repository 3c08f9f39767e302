"""What the rules could not determine about a contact, and for lack of which fact: neither lawful nor a violation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from audit_service.contacts.models import ContactAttempt
from audit_service.review.models import DetectionRun, PackVersion, RunScope


@dataclass(frozen=True)
class OpenQuestion:
    """A rule that could not be judged, as it read when it was run, and the missing fact."""

    rule_id: str
    rule: Mapping[str, Any]
    missing: str


def open_questions(session: Session, attempt: ContactAttempt) -> Sequence[OpenQuestion]:
    """Return what the current runs over a contact and over its borrower's contact log left open about it."""
    runs = session.scalars(
        select(DetectionRun).where(
            DetectionRun.is_current,
            or_(
                and_(DetectionRun.scope == RunScope.CONVERSATION, DetectionRun.subject_id == attempt.id),
                and_(DetectionRun.scope == RunScope.CONTACT_LOG, DetectionRun.subject_id == attempt.borrower_id),
            ),
        )
    ).all()
    digests = sorted({digest for run in runs for digest in run.digests})
    packs = session.scalars(select(PackVersion).where(PackVersion.digest.in_(digests))).all()
    rules = {rule_id: rule for pack in packs for rule_id, rule in pack.rules.items()}
    stated = {
        (item["rule"], item["missing"])
        for run in runs
        for item in run.undetermined
        if item["subject"] == str(attempt.id)
    }
    return [OpenQuestion(rule_id, rules.get(rule_id, {}), missing) for rule_id, missing in sorted(stated)]
