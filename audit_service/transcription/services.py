"""Use-cases of transcription: plan it, listen outside of any transaction, store a new version of the words."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.contacts.models import Recipient, Recording, Speaker
from audit_service.custody import services as custody
from audit_service.custody.models import Action, Exhibit, ExhibitKind
from audit_service.custody.values import Act, Receipt
from audit_service.custody.vault import Vault
from audit_service.database import existing
from audit_service.transcription import progress
from audit_service.transcription.models import Segment, Transcript
from audit_service.transcription.referrals import refer_if_needed
from audit_service.transcription.values import SpokenSegment, TranscriptResult
from audit_service.transcription.word_lists import words_in_use


@dataclass(frozen=True)
class Plan:
    """What must be listened to, read in one short transaction.

    Attributes:
        sound_s: seconds of sound, all channels together.
        words: the lender's list in use.
    """

    recording_id: int
    exhibit_id: int
    sha256: str
    language: str | None
    agent_channel: int | None
    counterpart: str
    sound_s: float
    words: str = ""
    word_list: int = 0


@dataclass(frozen=True)
class Heard:
    """What listening gave: the words, the playable rendition, the seconds it took, and how the rendition was made."""

    result: TranscriptResult
    rendition: Path
    took_s: float
    derivation: Mapping[str, str] = field(default_factory=dict)


def plan(session: Session, recording_id: int) -> Plan:
    """Return what to transcribe.

    Raises:
        NotFoundError: there is no such recording.
    """
    recording = existing(session, Recording, recording_id)
    reached_borrower = recording.attempt.recipient is Recipient.BORROWER
    expected = words_in_use(session, recording.attempt.institution_id)
    return Plan(
        recording_id=recording.id,
        exhibit_id=recording.exhibit_id,
        sha256=recording.exhibit.sha256,
        language=recording.language,
        agent_channel=recording.agent_channel,
        counterpart=Speaker.BORROWER.value if reached_borrower else Speaker.THIRD_PARTY.value,
        sound_s=recording.duration_s * recording.channels,
        words="" if expected is None else " ".join(expected.words),
        word_list=0 if expected is None else expected.version,
    )


@contextmanager
def unsealed(vault: Vault, sha256: str, work_dir: Path) -> Iterator[Path]:
    """Yield a folder of its own with the plain copy ``recording`` of a sealed one; it is gone afterwards."""
    work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=work_dir) as name:
        folder = Path(name)
        with vault.store.open(sha256) as sealed, (folder / "recording").open("wb") as plain:
            shutil.copyfileobj(sealed, plain, 1 << 20)
        yield folder


def store(session: Session, vault: Vault, planned: Plan, heard: Heard) -> Transcript:
    """Store what was heard as the next version of the recording's transcript, and seal its rendition."""
    recording = session.get_one(Recording, planned.recording_id)
    transcript = _transcript(session, recording, heard)
    session.add_all(_segment(transcript, position, spoken) for position, spoken in enumerate(heard.result.segments))
    with heard.rendition.open("rb") as stream:
        receipt = Receipt(
            ExhibitKind.RENDITION,
            "audio/flac",
            f"{recording.exhibit.number}.flac",
            "derived",
            derived_from_id=recording.exhibit_id,
            derivation=heard.derivation,
        )
        recording.rendition_id = custody.seal(session, vault, stream, receipt).exhibit.id
    _record(session, transcript, recording.exhibit)
    refer_if_needed(session, recording, heard.result)
    progress.forget(session, recording.id)
    session.flush()
    return transcript


def _transcript(session: Session, recording: Recording, heard: Heard) -> Transcript:
    newest = session.scalar(select(func.max(Transcript.version)).where(Transcript.recording_id == recording.id))
    transcript = Transcript(
        recording_id=recording.id,
        version=(newest or 0) + 1,
        engine=heard.result.engine,
        model=heard.result.model,
        model_sha256=heard.result.model_sha256,
        options=dict(heard.result.options),
        language=heard.result.language,
        created_at=clock.now(),
        took_s=round(heard.took_s, 3),
        speech=list(heard.result.speech),
        acoustics=dict(heard.result.acoustics),
    )
    session.add(transcript)
    session.flush()
    return transcript


def _segment(transcript: Transcript, position: int, spoken: SpokenSegment) -> Segment:
    return Segment(
        transcript_id=transcript.id,
        position=position,
        channel=spoken.channel,
        speaker=Speaker(spoken.speaker),
        start_s=spoken.start_s,
        end_s=spoken.end_s,
        text=spoken.text,
        text_original=spoken.text_original,
        confidence=spoken.confidence,
        words=[[word.start_s, word.end_s, word.text, word.probability] for word in spoken.words],
        language=spoken.language,
        level_db=spoken.level_db,
    )


def _record(session: Session, transcript: Transcript, exhibit: Exhibit) -> None:
    detail: dict[str, str | int | bool] = {
        "transcript": transcript.id,
        "version": transcript.version,
        "engine": transcript.engine,
        "model": transcript.model,
        "model_sha256": transcript.model_sha256,
    }
    custody.record(session, Act(Action.TRANSCRIBED, "exhibit", exhibit.number, detail=detail), exhibit=exhibit)
