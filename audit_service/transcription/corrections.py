"""Use-case: an officer says whose voice is whose. The words stay; a new version of the transcript has the speakers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from audit_service import clock
from audit_service.contacts.models import Recipient, Recording, Speaker
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import existing
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.queue import DETECT, enqueue
from audit_service.transcription.models import Segment, SegmentEdit, Transcript
from audit_service.transcription.speakers import Certainty

SWAP, ALL_AGENT, ALL_OTHER, AS_TOLD = "swap", "all_agent", "all_other", "as_told"
CORRECTIONS = (SWAP, ALL_AGENT, ALL_OTHER, AS_TOLD)
LONGEST_REASON = 2000


def correct_speakers(session: Session, recording_id: int, correction: str, *, user_id: int, reason: str) -> Transcript:
    """Store a new version of a recording's transcript with other speakers, and have it judged anew.

    Args:
        session: the open transaction.
        recording_id: the recording.
        correction: ``swap`` gives the agent's words to the other side and the other way round; ``all_agent`` and
            ``all_other`` give all words to one side; ``as_told`` says that an uncertain guess was right.
        user_id: who corrects.
        reason: how they know; kept with the version and in the ledger.

    Raises:
        NotFoundError: there is no such recording, or no transcript of it.
        InputRefusedError: the correction is unknown, has no reason, or changes nothing.
    """
    recording = existing(session, Recording, recording_id, remedy="Reload the page.")
    former = _newest(session, recording_id)
    plain = reason.strip()[:LONGEST_REASON]
    if correction not in CORRECTIONS:
        raise InputRefusedError(f"{correction!r} is no correction.", remedy=f"Choose one of {', '.join(CORRECTIONS)}.")
    if not plain:
        raise InputRefusedError("A correction needs its reason.", remedy="Write how you know who speaks.")
    speakers = _speakers(correction, recording)
    is_same = all(speakers.get(segment.speaker, segment.speaker) is segment.speaker for segment in former.segments)
    if is_same and not (correction == AS_TOLD and former.are_roles_uncertain):
        raise InputRefusedError("This correction changes nothing.", remedy="Choose another, or leave it as it is.")
    made = _corrected(session, former, _by_speaker(speakers), f"user:{user_id}", plain)
    if correction == SWAP and recording.agent_channel is not None:
        recording.agent_channel = 1 - recording.agent_channel
    detail: dict[str, str | int | bool] = {"version": made.version, "correction": correction, "reason": plain}
    act = Act(Action.CORRECTED, "exhibit", recording.exhibit.number, actor=f"user:{user_id}", detail=detail)
    custody.record(session, act, exhibit=recording.exhibit)
    enqueue(session, "detect_transcript", queue=DETECT, recording_id=recording_id)
    return made


def newest_transcript(session: Session, recording_id: int) -> Transcript | None:
    """Return the transcript of a recording that is in force, or None."""
    return session.scalar(
        select(Transcript)
        .where(Transcript.recording_id == recording_id)
        .order_by(Transcript.version.desc())
        .limit(1)
        .options(selectinload(Transcript.segments).selectinload(Segment.edits))
    )


def _newest(session: Session, recording_id: int) -> Transcript:
    found = newest_transcript(session, recording_id)
    if found is None:
        raise NotFoundError("This recording has no transcript yet.", remedy="Wait until it has been transcribed.")
    return found


def _speakers(correction: str, recording: Recording) -> Mapping[Speaker, Speaker]:
    """Return the new speaker for each old one."""
    reached_borrower = recording.attempt.recipient is Recipient.BORROWER
    other = Speaker.BORROWER if reached_borrower else Speaker.THIRD_PARTY
    if correction == AS_TOLD:
        return {}
    if correction == SWAP:
        return {Speaker.AGENT: other, Speaker.BORROWER: Speaker.AGENT, Speaker.THIRD_PARTY: Speaker.AGENT}
    return dict.fromkeys(Speaker, Speaker.AGENT if correction == ALL_AGENT else other)


def _by_speaker(speakers: Mapping[Speaker, Speaker]) -> Callable[[Segment], Speaker]:
    return lambda segment: speakers.get(segment.speaker, segment.speaker)


def by_channel(
    session: Session, former: Transcript, speaker_on: Callable[[int], Speaker], actor: str, reason: str
) -> Transcript | None:
    """Store a new version with the speaker of each channel; None where that is who surely speaks already."""
    if not former.are_roles_uncertain and all(
        speaker_on(segment.channel) is segment.speaker for segment in former.segments
    ):
        return None
    return _corrected(session, former, lambda segment: speaker_on(segment.channel), actor, reason)


def _corrected(
    session: Session, former: Transcript, speaker_of: Callable[[Segment], Speaker], actor: str, reason: str
) -> Transcript:
    made = Transcript(
        recording_id=former.recording_id,
        version=former.version + 1,
        engine=former.engine,
        model=former.model,
        model_sha256=former.model_sha256,
        options=dict(former.options)
        | {"roles": Certainty.SURE.value, "agent_score": 1.0}
        | {"told_apart_by": "officer", "corrects_version": former.version, "corrected_by": actor, "reason": reason},
        language=former.language,
        created_at=clock.now(),
        took_s=0.0,
        speech=list(former.speech),
        acoustics=dict(former.acoustics),
    )
    made.segments = [
        Segment(
            position=segment.position,
            channel=segment.channel,
            speaker=speaker_of(segment),
            start_s=segment.start_s,
            end_s=segment.end_s,
            text=segment.text,
            text_original=segment.text_original,
            confidence=segment.confidence,
            words=segment.words,
            language=segment.language,
            level_db=segment.level_db,
            edits=[_copied(edit) for edit in segment.edits],
        )
        for segment in former.segments
    ]
    session.add(made)
    session.flush()
    return made


def _copied(edit: SegmentEdit) -> SegmentEdit:
    """Return a correction of words as the new version has it: who speaks does not change what is said."""
    return SegmentEdit(
        text=edit.text,
        reason=edit.reason,
        actor=edit.actor,
        edited_at=edit.edited_at,
        reverted_at=edit.reverted_at,
        reverted_by=edit.reverted_by,
    )
