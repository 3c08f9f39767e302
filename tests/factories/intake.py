"""Recordings that came in and wait for their transcription."""

from __future__ import annotations

from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.contacts.models import Recording
from audit_service.custody.models import ExhibitKind
from audit_service.custody.vault import Vault
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.queue import TRANSCRIBE, enqueue
from tests.factories import contacts, organizations


def waiting_recording(session: Session, vault: Vault, audio: bytes, **values: object) -> Recording:
    """Store a recording with its intake item and its job; ``values`` are set on the recording."""
    lender = organizations.institution(session)
    attempt = contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))
    recording = contacts.recording(session, vault, attempt, audio=audio)
    for name, value in values.items():
        setattr(recording, name, value)
    session.add(
        IntakeItem(
            name=f"{recording.id}.wav",
            route="cli",
            kind=ExhibitKind.RECORDING,
            sha256=recording.exhibit.sha256,
            size_bytes=recording.exhibit.size_bytes,
            state=ItemState.RUNNING,
            exhibit_id=recording.exhibit_id,
            received_at=clock.now(),
        )
    )
    enqueue(session, "transcribe", queue=TRANSCRIBE, recording_id=recording.id)
    return recording
