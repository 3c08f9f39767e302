"""Use-case: a reviewer's outcome on a finding. Later ones do not overwrite earlier ones; the last counts.

A fatal finding is dismissed by two people: the first dismissal stands as proposed, the second person's confirms it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.errors import AuditError, InputRefusedError, NotFoundError
from audit_service.review.listening import refuse_unheard
from audit_service.review.models import Disposition, Finding, Verdict
from audit_service.review.standings import count_verdict

LONGEST_REASON = 2000
DEFAULT_FLOOR = 0.5
CHOICES = (Verdict.CONFIRMED, Verdict.DISMISSED, Verdict.NEEDS_INFORMATION)


class SecondPersonNeededError(AuditError):
    """Whoever proposed to dismiss a fatal finding cannot confirm that herself."""

    code = "review.second_person_needed"
    http_status = 409
    exit_code = 3


def dispose(
    session: Session, finding_id: int, verdict: str, *, user_id: int, reason: str = "", floor: float = DEFAULT_FLOOR
) -> Finding:
    """Record what a reviewer says of a finding, and count it for the rule's precision.

    Raises:
        NotFoundError: there is no such finding.
        InputRefusedError: the verdict is unknown, or a dismissal has no reason.
        SecondPersonNeededError: the finding is fatal, and its dismissal was proposed by the same person.
        NotListenedError: a doubtful finding is to be confirmed unheard.
    """
    # Two people who speak at once speak one after the other: the second must see what the first said.
    finding = session.scalar(select(Finding).where(Finding.id == finding_id).with_for_update())
    if finding is None:
        raise NotFoundError(f"There is no finding {finding_id}.", remedy="Reload the page.")
    plain = reason.strip()[:LONGEST_REASON]
    last = _last(session, finding)
    said = _outcome(finding, last, _chosen(verdict, plain), user_id)
    if said is Verdict.CONFIRMED:
        refuse_unheard(session, finding, user_id)
    session.add(Disposition(finding_id=finding.id, verdict=said, reason=plain, user_id=user_id, decided_at=clock.now()))
    detail: dict[str, str | int | bool] = {"finding": finding.id, "verdict": said.value, "rule": finding.rule_id}
    custody.record(session, Act(Action.DISPOSED, "finding", str(finding.id), actor=f"user:{user_id}", detail=detail))
    session.flush()
    count_verdict(session, finding, None if last is None else last.verdict, said, floor)
    return finding


def _chosen(verdict: str, reason: str) -> Verdict:
    if verdict not in CHOICES:
        raise InputRefusedError(
            f"{verdict!r} is no disposition.", remedy="Choose confirmed, dismissed or needs_information."
        )
    if verdict == Verdict.DISMISSED and not reason:
        raise InputRefusedError("A dismissal needs its reason.", remedy="Write why the finding does not hold.")
    return Verdict(verdict)


def _last(session: Session, finding: Finding) -> Disposition | None:
    query = select(Disposition).where(Disposition.finding_id == finding.id).order_by(Disposition.id.desc()).limit(1)
    return session.scalar(query)


def _outcome(finding: Finding, last: Disposition | None, chosen: Verdict, user_id: int) -> Verdict:
    """Return what the choice amounts to: the first dismissal of a fatal finding is a proposal."""
    if chosen is not Verdict.DISMISSED or not finding.is_fatal:
        return chosen
    if last is None or last.verdict not in {Verdict.DISMISSAL_PROPOSED, Verdict.DISMISSED}:
        return Verdict.DISMISSAL_PROPOSED
    if last.verdict is Verdict.DISMISSAL_PROPOSED and last.user_id == user_id:
        raise SecondPersonNeededError(
            "You proposed to dismiss this finding yourself.", remedy="Ask a second person to look at it."
        )
    return Verdict.DISMISSED
