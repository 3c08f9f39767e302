"""Corrections of words as an overlay: the machine's text never changes, and each correction can be taken back."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from audit_service import clock
from audit_service.contacts.models import ContactAttempt, Recording, Speaker
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import existing
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.queue import DETECT, enqueue
from audit_service.transcription.models import Segment, SegmentEdit, Transcript

LONGEST_TEXT, LONGEST_REASON = 4000, 2000


@dataclass(frozen=True)
class Editor:
    """Who corrects, as the ledger names them, and how they know."""

    actor: str
    reason: str


def edit(session: Session, segment_id: int, text: str, by: Editor) -> Segment:
    """Lay ``text`` over the words of a segment; an earlier correction stays on record.

    Raises:
        NotFoundError: there is no such segment.
        InputRefusedError: the segment is not of the newest transcript, or there are no words, no reason, or no change.
    """
    segment = _segment(session, segment_id)
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    if not plain or len(plain) > LONGEST_TEXT:
        raise InputRefusedError(f"A correction has 1 to {LONGEST_TEXT} characters.", remedy="Write what is said.")
    if plain == segment.read_text:
        raise InputRefusedError("This correction changes nothing.", remedy="Leave the segment as it is.")
    _refuse_unexplained(by)
    _lift(segment, by)
    segment.edits.append(
        SegmentEdit(text=plain, reason=by.reason.strip()[:LONGEST_REASON], actor=by.actor, edited_at=clock.now())
    )
    _note(session, segment, by, "words")
    return segment


def revert(session: Session, segment_id: int, by: Editor) -> Segment:
    """Take the correction in force back, so that the machine's words are read again.

    Raises:
        NotFoundError: there is no such segment.
        InputRefusedError: it has no correction in force, or the act has no reason.
    """
    segment = _segment(session, segment_id)
    if segment.edit is None:
        raise InputRefusedError("This segment has no correction.", remedy="There is nothing to take back.")
    _refuse_unexplained(by)
    _lift(segment, by)
    _note(session, segment, by, "words_reverted")
    return segment


def have_judged(session: Session, segment: Segment) -> None:
    """Have the workers judge the call of a segment anew; together with the edit, or not at all."""
    enqueue(session, "detect_transcript", queue=DETECT, recording_id=segment.transcript.recording_id)


def _segment(session: Session, segment_id: int) -> Segment:
    segment = existing(session, Segment, segment_id, remedy="See the numbers in `audit-service words show`.")
    owner = segment.transcript
    newest = session.scalar(select(func.max(Transcript.version)).where(Transcript.recording_id == owner.recording_id))
    if owner.version != newest:
        raise InputRefusedError(
            f"This segment is of version {owner.version}; version {newest} is in force.", remedy="Correct that one."
        )
    return segment


def _refuse_unexplained(by: Editor) -> None:
    if not by.reason.strip():
        raise InputRefusedError("A correction needs its reason.", remedy="Write how you know what is said.")


def _lift(segment: Segment, by: Editor) -> None:
    former = segment.edit
    if former is not None:
        former.reverted_at, former.reverted_by = clock.now(), by.actor


def _note(session: Session, segment: Segment, by: Editor, correction: str) -> None:
    session.flush()
    exhibit = segment.transcript.recording.exhibit
    detail: dict[str, str | int | bool] = {
        "correction": correction,
        "segment": segment.id,
        "version": segment.transcript.version,
        "reason": by.reason.strip()[:LONGEST_REASON],
    }
    custody.record(session, Act(Action.CORRECTED, "exhibit", exhibit.number, by.actor, detail), exhibit=exhibit)


@dataclass(frozen=True)
class Line:
    """A segment as a person reads it: its words now, the machine's, and every correction it ever had."""

    segment: int
    speaker: str
    is_speaker_sure: bool
    start_s: float
    language: str
    text: str
    machine_text: str
    corrections: tuple[str, ...]


def transcript_lines(session: Session, reference: str) -> list[Line]:
    """Return the words of the newest transcript of the call with this reference.

    Raises:
        NotFoundError: there is no such call, or no transcript of it.
    """
    found = session.scalar(
        select(Transcript)
        .join(Recording, Recording.id == Transcript.recording_id)
        .join(ContactAttempt, ContactAttempt.id == Recording.attempt_id)
        .where(ContactAttempt.reference == reference)
        .order_by(Transcript.version.desc())
        .limit(1)
        .options(selectinload(Transcript.segments).selectinload(Segment.edits))
    )
    if found is None:
        raise NotFoundError(
            f"There are no words of a call {reference}.", remedy="Correct the reference, or transcribe it."
        )
    return [
        Line(
            segment=one.id,
            speaker=one.speaker.value,
            is_speaker_sure=one.speaker is not Speaker.UNKNOWN and not found.are_roles_uncertain,
            start_s=one.start_s,
            language=one.language,
            text=one.read_text,
            machine_text=one.text,
            corrections=tuple(_told(edit) for edit in one.edits),
        )
        for one in found.segments
    ]


def _told(edit: SegmentEdit) -> str:
    end = f", taken back by {edit.reverted_by}" if edit.reverted_at is not None else ""
    return f"{edit.text} ({edit.actor}, {edit.edited_at:%Y-%m-%d %H:%M} UTC{end}): {edit.reason}"
