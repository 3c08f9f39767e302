"""Doubt carried through: a finding on doubtful words is confirmed only by someone who has listened to them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.contacts.models import Recording
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import existing
from audit_service.errors import InputRefusedError
from audit_service.review.models import Finding, Listening
from audit_service.review.second_hearing import is_doubtful

# Players report in steps of a quarter of a second or so, and begin a little late.
MISSED_S = 0.5
LONGEST_REPORT_S = 4 * 3600.0
UNSURE_ROLES = frozenset({"voice", "nothing"})


class NotListenedError(InputRefusedError):
    """A doubtful finding is to be confirmed by someone who has not listened to it."""

    code = "review.not_listened"


def note_listening(session: Session, recording_id: int, user_id: int, start_s: float, end_s: float) -> None:
    """Keep that a user's player played a stretch of a recording.

    Raises:
        NotFoundError: there is no such recording.
        InputRefusedError: the stretch is none.
    """
    recording = existing(session, Recording, recording_id)
    if not 0 <= start_s < end_s <= min(recording.duration_s + 1.0, LONGEST_REPORT_S):
        raise InputRefusedError("That is no stretch of this recording.", remedy="Send its first and last second.")
    session.add(
        Listening(recording_id=recording.id, user_id=user_id, start_s=start_s, end_s=end_s, played_at=clock.now())
    )
    detail: dict[str, str | int | bool] = {"from_ms": round(start_s * 1000), "to_ms": round(end_s * 1000)}
    act = Act(Action.PLAYED, "exhibit", recording.exhibit.number, actor=f"user:{user_id}", detail=detail)
    custody.record(session, act, exhibit=recording.exhibit)


def must_be_heard(finding: Finding) -> bool:
    """Tell whether a finding rests on doubtful words, or on a guess of who speaks."""
    if finding.segment is None or finding.start_s is None or finding.end_s is None:
        return False
    if finding.transcript is not None and finding.transcript.are_roles_uncertain:
        return True
    told_by = finding.transcript.options.get("told_apart_by", "") if finding.transcript is not None else ""
    return is_doubtful(finding) or told_by in UNSURE_ROLES


def refuse_unheard(session: Session, finding: Finding, user_id: int) -> None:
    """Refuse to go on where a doubtful finding was not listened to by this user.

    Raises:
        NotListenedError: its seconds were not all played.
    """
    if not must_be_heard(finding) or finding.start_s is None or finding.end_s is None:
        return
    query = (
        select(Listening.start_s, Listening.end_s)
        .join(Recording, Recording.id == Listening.recording_id)
        .where(Recording.attempt_id == finding.attempt_id, Listening.user_id == user_id)
        .order_by(Listening.start_s)
    )
    reached = finding.start_s
    for start_s, end_s in session.execute(query):
        if start_s <= reached + MISSED_S:
            reached = max(reached, end_s)
    if reached == finding.start_s or reached < finding.end_s - MISSED_S:
        raise NotListenedError(
            "These words are doubtful, and you have not listened to them.",
            remedy="Play the seconds of this finding to their end, then confirm it.",
        )
