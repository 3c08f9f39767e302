"""Hands what came in to the workers, in the transaction that stores it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from audit_service.queue import DETECT, TRANSCRIBE, enqueue

MESSAGES_A_JOB = 200
"""Few enough that a job takes seconds and many enough that jobs are not the cost."""


def hand_recording(session: Session, recording_id: int) -> None:
    """Have a recording transcribed; detection follows from there."""
    enqueue(session, "transcribe", queue=TRANSCRIBE, recording_id=recording_id)


def hand_messages(session: Session, message_ids: Iterable[int]) -> None:
    """Have the rules look at messages, each job at a range of at most ``MESSAGES_A_JOB`` ids."""
    ids = sorted(message_ids)
    for start in range(0, len(ids), MESSAGES_A_JOB):
        part: Sequence[int] = ids[start : start + MESSAGES_A_JOB]
        enqueue(session, "detect_messages", queue=DETECT, first_id=part[0], last_id=part[-1])


def hand_contact_logs(session: Session, borrower_ids: Iterable[int]) -> None:
    """Have the event rules look at the contact logs of borrowers again, once for all that is waiting."""
    for borrower_id in sorted(borrower_ids):
        key = f"contact-log:{borrower_id}"
        enqueue(session, "detect_contact_log", queue=DETECT, once=key, borrower_id=borrower_id)
