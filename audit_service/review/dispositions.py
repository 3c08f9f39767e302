"""Use-case: a reviewer's outcome on a finding. Later ones do not overwrite earlier ones; the last counts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import existing
from audit_service.errors import InputRefusedError
from audit_service.review.listening import refuse_unheard
from audit_service.review.models import Disposition, Finding, Verdict

LONGEST_REASON = 2000


def dispose(session: Session, finding_id: int, verdict: str, *, user_id: int, reason: str = "") -> Finding:
    """Record what a reviewer says of a finding.

    Raises:
        NotFoundError: there is no such finding.
        InputRefusedError: the verdict is unknown, or a dismissal has no reason.
        NotListenedError: a doubtful finding is to be confirmed unheard.
    """
    finding = existing(session, Finding, finding_id, remedy="Reload the page.")
    if verdict not in {member.value for member in Verdict}:
        raise InputRefusedError(
            f"{verdict!r} is no disposition.", remedy="Choose confirmed, dismissed or needs_information."
        )
    plain = reason.strip()[:LONGEST_REASON]
    if verdict == Verdict.DISMISSED and not plain:
        raise InputRefusedError("A dismissal needs its reason.", remedy="Write why the finding does not hold.")
    if verdict == Verdict.CONFIRMED:
        refuse_unheard(session, finding, user_id)
    session.add(
        Disposition(
            finding_id=finding.id, verdict=Verdict(verdict), reason=plain, user_id=user_id, decided_at=clock.now()
        )
    )
    detail: dict[str, str | int | bool] = {"finding": finding.id, "verdict": verdict, "rule": finding.rule_id}
    custody.record(session, Act(Action.DISPOSED, "finding", str(finding.id), actor=f"user:{user_id}", detail=detail))
    session.flush()
    return finding
