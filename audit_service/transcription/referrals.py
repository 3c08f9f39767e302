"""Named queues of recordings that people must listen to: what is spoken is not read here, or could hardly be heard."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from audit_service import clock
from audit_service.contacts.models import Recording
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import existing
from audit_service.transcription.models import Referral
from audit_service.transcription.values import TranscriptResult

UNSUPPORTED_LANGUAGE, HARD_TO_HEAR = "unsupported_language", "hard_to_hear"
QUEUES = (UNSUPPORTED_LANGUAGE, HARD_TO_HEAR)
# Whisper's mean probability of a word is 0.6 to 0.9 on calls that it understands (samples/calls).
UNSURE, LEAST_WORDS = 0.4, 12


def refer_if_needed(session: Session, recording: Recording, result: TranscriptResult) -> Referral | None:
    """Put a recording into the queue that its transcription calls for; None where people need not listen."""
    queue, detail = _queue(result)
    known = session.scalar(select(Referral).where(Referral.recording_id == recording.id, Referral.queue == queue))
    if not queue or known is not None:
        return known
    made = Referral(recording_id=recording.id, queue=queue, detail=detail, referred_at=clock.now())
    session.add(made)
    act = Act(Action.REFERRED, "exhibit", recording.exhibit.number, detail={"queue": queue, **detail})
    custody.record(session, act, exhibit=recording.exhibit)
    return made


def _queue(result: TranscriptResult) -> tuple[str, dict[str, Any]]:
    if result.unsupported_language:
        return UNSUPPORTED_LANGUAGE, {"language": result.unsupported_language}
    sure = [word.probability for segment in result.segments for word in segment.words]
    if len(sure) >= LEAST_WORDS and sum(sure) / len(sure) < UNSURE:
        return HARD_TO_HEAR, {"mean_percent": round(100 * sum(sure) / len(sure))}
    return "", {}


def waiting(session: Session, queue: str = "") -> list[Referral]:
    """Return the recordings that nobody has settled yet, the oldest first; of one queue or of all."""
    query = select(Referral).where(Referral.settled_at.is_(None)).order_by(Referral.id)
    if queue:
        query = query.where(Referral.queue == queue)
    return list(session.scalars(query.options(joinedload(Referral.recording).joinedload(Recording.attempt))))


def settle(session: Session, referral_id: int, *, actor: str) -> Referral:
    """Note that a person listened.

    Raises:
        NotFoundError: there is no such referral.
    """
    referral = existing(session, Referral, referral_id, remedy="See `audit-service referrals list`.")
    if referral.settled_at is None:
        referral.settled_at, referral.settled_by = clock.now(), actor
        exhibit = referral.recording.exhibit
        act = Act(Action.REFERRED, "exhibit", exhibit.number, actor=actor, detail={"settled": True})
        custody.record(session, act, exhibit=exhibit)
    return referral
