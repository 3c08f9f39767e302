"""Takes recordings: probed in a child process, told apart by their sidecar, and handed to transcription."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service.contacts import services as contacts
from audit_service.contacts.models import ContactAttempt, Recording
from audit_service.contacts.values import FieldProblem
from audit_service.custody.models import Exhibit
from audit_service.intake.errors import FileRefusedError
from audit_service.intake.handover import hand_contact_logs, hand_recording
from audit_service.intake.sidecar import SIDECAR_SUFFIX, Sidecar, read_sidecar
from audit_service.media.services import probe
from audit_service.media.values import Limits, MediaInfo
from audit_service.organizations.models import Agency


@dataclass(frozen=True)
class ExaminedRecording:
    """A usable recording: what its media is and what its sidecar says."""

    info: MediaInfo
    sidecar: Sidecar

    @property
    def media_type(self) -> str:
        """Return the media type as probed."""
        return f"audio/{self.info.container}"


def examine(path: Path, limits: Limits, name: str = "") -> ExaminedRecording:
    """Return what a recording is and whose; nothing is stored yet. ``name`` is how its sender calls it.

    Raises:
        MediaRefusedError: it is no usable media; ``reason_code`` says why.
        FileRefusedError: its sidecar is missing or at fault.
    """
    if path.suffix.lower() == SIDECAR_SUFFIX:
        raise FileRefusedError(
            "sidecar.without_recording",
            "It is a JSON file and there is no recording of its name beside it.",
            remedy="Hand it in together with its recording.",
        )
    info = probe(path, limits)
    sidecar = read_sidecar(path, name)
    if sidecar.agent_channel is not None and sidecar.agent_channel >= info.channels:
        reason = f"there is no channel {sidecar.agent_channel}, the recording has {info.channels}"
        problem = FieldProblem("agent_channel", reason, "Correct the field, or leave it out.")
        raise FileRefusedError("sidecar.fields", f"agent_channel: {reason}.", remedy=problem.remedy, problems=[problem])
    return ExaminedRecording(info, sidecar)


def store(session: Session, examined: ExaminedRecording, exhibit: Exhibit) -> Sequence[FieldProblem]:
    """Record the call and its recording, and enqueue its transcription, all in the session's transaction.

    Returns:
        Facts of the sidecar that contradict what a call log said before; they were left out.

    Raises:
        FileRefusedError: the sidecar names something unknown or another call, or the call has a recording already.
    """
    recorded = contacts.record_attempt(session, examined.sidecar.record)
    if recorded.attempt is None:
        remedy = recorded.problems[0].remedy
        raise FileRefusedError.of_fields("recording.contradicts", "", recorded.problems, remedy)
    _refuse_second(session, recorded.attempt, exhibit)
    recording = Recording(
        attempt_id=recorded.attempt.id,
        exhibit_id=exhibit.id,
        duration_s=examined.info.duration_s,
        channels=examined.info.channels,
        agent_channel=_agent_channel(session, examined, recorded.attempt),
        language=examined.sidecar.language,
    )
    session.add(recording)
    session.flush()
    hand_recording(session, recording.id)
    hand_contact_logs(session, [recorded.attempt.borrower_id])
    return recorded.problems


def _agent_channel(session: Session, examined: ExaminedRecording, attempt: ContactAttempt) -> int | None:
    """Return the agent's channel: as the sidecar says, else as the agency's recorder always has it."""
    if examined.sidecar.agent_channel is not None:
        return examined.sidecar.agent_channel
    usual = session.get_one(Agency, attempt.agency_id).agent_channel
    return usual if usual is not None and usual < examined.info.channels else None


def _refuse_second(session: Session, attempt: ContactAttempt, exhibit: Exhibit) -> None:
    query = select(Exhibit.number).join(Recording, Recording.exhibit_id == Exhibit.id)
    known = session.scalar(query.where(Recording.attempt_id == attempt.id, Recording.exhibit_id != exhibit.id))
    if known is not None:
        raise FileRefusedError(
            "recording.second",
            f"The call {attempt.reference!r} has another recording already, exhibit {known}.",
            remedy="Give this recording the reference of its own call, or keep it here as a second recording.",
        )
