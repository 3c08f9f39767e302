"""Use-case: a recorder has the agents on another channel than was believed; a whole batch is put right in one act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from audit_service.contacts.models import ContactAttempt, Recipient, Recording, Speaker
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.errors import InputRefusedError
from audit_service.organizations.models import Agency
from audit_service.queue import DETECT, enqueue
from audit_service.transcription.corrections import by_channel, newest_transcript

LONGEST_REASON = 2000


@dataclass(frozen=True)
class Batch:
    """The recordings of an agency that began in [``begin``, ``end``); open where None."""

    agency: Agency
    begin: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Repaired:
    """How many recordings were looked at, and how many of them had the sides the wrong way round."""

    looked_at: int
    corrected: int


def set_agent_channel(session: Session, batch: Batch, channel: int, *, actor: str, reason: str) -> Repaired:
    """Say which channel is the agents', for recordings to come and for those of the batch.

    Recordings of several channels whose speakers are otherwise get a new version of their transcript and are judged
    anew; those that nobody transcribed yet are transcribed that way. Doing it twice changes nothing.

    Raises:
        InputRefusedError: the channel is none, or the act has no reason.
    """
    plain = reason.strip()[:LONGEST_REASON]
    if channel < 0:
        raise InputRefusedError("There is no such channel.", remedy="Write 0 for the first channel, 1 for the second.")
    if not plain:
        raise InputRefusedError("A correction needs its reason.", remedy="Write how you know who speaks.")
    batch.agency.agent_channel = channel
    recordings = _recordings(session, batch, channel)
    corrected = [found for found in recordings if _corrected(session, found, channel, actor, plain)]
    detail: dict[str, str | int | bool] = {
        "agent_channel": channel,
        "looked_at": len(recordings),
        "corrected": len(corrected),
        "reason": plain,
    }
    custody.record(session, Act(Action.CORRECTED, "agency", str(batch.agency.id), actor=actor, detail=detail))
    return Repaired(len(recordings), len(corrected))


def _recordings(session: Session, batch: Batch, channel: int) -> list[Recording]:
    query = (
        select(Recording)
        .join(ContactAttempt, ContactAttempt.id == Recording.attempt_id)
        .where(ContactAttempt.agency_id == batch.agency.id, Recording.channels > max(1, channel))
        .order_by(Recording.id)
        .options(joinedload(Recording.attempt), joinedload(Recording.exhibit))
    )
    if batch.begin is not None:
        query = query.where(ContactAttempt.started_at >= batch.begin)
    if batch.end is not None:
        query = query.where(ContactAttempt.started_at < batch.end)
    return list(session.scalars(query))


def _corrected(session: Session, recording: Recording, channel: int, actor: str, reason: str) -> bool:
    recording.agent_channel = channel
    former = newest_transcript(session, recording.id)
    if former is None:
        return False
    other = Speaker.BORROWER if recording.attempt.recipient is Recipient.BORROWER else Speaker.THIRD_PARTY
    made = by_channel(session, former, lambda heard_on: Speaker.AGENT if heard_on == channel else other, actor, reason)
    if made is None:
        return False
    detail: dict[str, str | int | bool] = {"version": made.version, "agent_channel": channel, "reason": reason}
    act = Act(Action.CORRECTED, "exhibit", recording.exhibit.number, actor=actor, detail=detail)
    custody.record(session, act, exhibit=recording.exhibit)
    enqueue(session, "detect_transcript", queue=DETECT, recording_id=recording.id)
    return True
