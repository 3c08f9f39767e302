"""How far the transcription of a recording is, and what was heard so far: kept in the database part by part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.contacts.models import ContactAttempt, Recording
from audit_service.database import transaction
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.models import TranscriptPart
from audit_service.transcription.parts import Part
from audit_service.transcription.values import HeardPassage, Word


@dataclass(frozen=True)
class Progress:
    """How far a transcription is.

    Attributes:
        reference: the call's key in the lender's system.
        heard_s: seconds heard, all channels together; ``total_s`` is how many there are.
        left_s: about how long the rest will take, in seconds.
    """

    recording_id: int
    reference: str
    heard_s: float
    total_s: float
    left_s: float

    @property
    def percent(self) -> int:
        """Return the share that is done, in whole percent, rounded down."""
        return int(100 * self.heard_s / self.total_s) if self.total_s else 0


class StoredMemory:
    """Remembers the parts of one recording as one engine heard them, each in a transaction of its own."""

    def __init__(self, recording_id: int, engine: Engine) -> None:
        self._recording_id = recording_id
        options = json.dumps(dict(engine.options), sort_keys=True)
        self._engine = hashlib.sha256(f"{engine.name}|{engine.model_sha256}|{options}".encode()).hexdigest()

    def recall(self, part: Part) -> Sequence[HeardPassage] | None:
        """Return what was heard in a part before; None if it was not, or by another engine, or cut otherwise."""
        with transaction() as session:
            stored = session.scalar(
                select(TranscriptPart).where(
                    TranscriptPart.recording_id == self._recording_id,
                    TranscriptPart.engine == self._engine,
                    TranscriptPart.channel == part.channel,
                    TranscriptPart.start_s == part.start_s,
                    TranscriptPart.end_s == part.end_s,
                )
            )
            return None if stored is None else [_passage(document) for document in stored.passages]

    def keep(self, part: Part, heard: Sequence[HeardPassage], took_s: float, total_s: float) -> None:
        """Remember a part."""
        with transaction() as session:
            session.add(
                TranscriptPart(
                    recording_id=self._recording_id,
                    engine=self._engine,
                    channel=part.channel,
                    start_s=part.start_s,
                    end_s=part.end_s,
                    passages=[asdict(passage) for passage in heard],
                    took_s=round(took_s, 3),
                    total_s=total_s,
                    heard_at=clock.now(),
                )
            )


def forget(session: Session, recording_id: int) -> None:
    """Drop the parts of a recording, once its transcript is stored."""
    session.execute(delete(TranscriptPart).where(TranscriptPart.recording_id == recording_id))


def under_way(session: Session, recording_id: int | None = None) -> list[Progress]:
    """Return how far the transcriptions are that have begun and are not stored yet; or that of one recording."""
    length = TranscriptPart.end_s - TranscriptPart.start_s
    query = (
        select(
            TranscriptPart.recording_id,
            ContactAttempt.reference,
            func.sum(length),
            func.max(TranscriptPart.total_s),
            func.sum(TranscriptPart.took_s),
        )
        .join(Recording, Recording.id == TranscriptPart.recording_id)
        .join(ContactAttempt, ContactAttempt.id == Recording.attempt_id)
        .group_by(TranscriptPart.recording_id, ContactAttempt.reference)
        .order_by(TranscriptPart.recording_id)
    )
    if recording_id is not None:
        query = query.where(TranscriptPart.recording_id == recording_id)
    return [
        Progress(number, reference, heard, total, max(0.0, (total - heard) * took / heard) if heard else 0.0)
        for number, reference, heard, total, took in session.execute(query)
    ]


def _passage(document: Mapping[str, Any]) -> HeardPassage:
    words = tuple(Word(**word) for word in document["words"])
    return HeardPassage(document["start_s"], document["end_s"], words)
