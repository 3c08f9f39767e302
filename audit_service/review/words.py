"""Use-cases: a person corrects what the machine wrote, or takes that back; the findings are judged again at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.detection import Engine
from audit_service.review.models import Finding
from audit_service.review.running import run_transcript
from audit_service.transcription import edits
from audit_service.transcription.models import Segment


@dataclass(frozen=True)
class Judged:
    """What an edit changed: the findings that came, those that went, and how many stayed."""

    segment: Segment
    came: Sequence[Finding]
    went: Sequence[Finding]
    kept: int


def correct_words(session: Session, engine: Engine, segment_id: int, text: str, by: edits.Editor) -> Judged:
    """Lay a person's words over a segment and judge the call again.

    Raises:
        NotFoundError: there is no such segment.
        InputRefusedError: the segment is not of the newest transcript, or there are no words, no reason, or no change.
    """
    return _judged(session, engine, edits.edit(session, segment_id, text, by))


def revert_words(session: Session, engine: Engine, segment_id: int, by: edits.Editor) -> Judged:
    """Give a segment the machine's words back and judge the call again.

    Raises:
        NotFoundError: there is no such segment.
        InputRefusedError: it has no correction in force.
    """
    return _judged(session, engine, edits.revert(session, segment_id, by))


def _judged(session: Session, engine: Engine, segment: Segment) -> Judged:
    recording = segment.transcript.recording
    before = _current(session, recording.attempt_id)
    run_transcript(session, engine, recording.id)
    session.flush()
    after = _current(session, recording.attempt_id)
    came = [found for number, found in after.items() if number not in before]
    went = [found for number, found in before.items() if number not in after]
    return Judged(segment, came, went, len(before.keys() & after.keys()))


def _current(session: Session, attempt_id: int) -> dict[int, Finding]:
    query = select(Finding).where(Finding.attempt_id == attempt_id, Finding.is_current).order_by(Finding.id)
    return {found.id: found for found in session.scalars(query)}
