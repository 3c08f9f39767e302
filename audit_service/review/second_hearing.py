"""Doubtful findings of calls are heard a second time: the stretch alone, with what stands around it cut away.

Whisper decodes in windows of some twenty seconds, in which the words around lead it; the same second in another window
is a second opinion of the same ears. It is shown beside the finding and neither makes nor takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pypinyin import lazy_pinyin
from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from audit_service import clock
from audit_service.contacts.models import Recording
from audit_service.custody.models import Exhibit
from audit_service.custody.vault import Vault
from audit_service.database import existing
from audit_service.media.services import decode
from audit_service.media.values import Limits
from audit_service.review.models import Finding, SecondHearing
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.models import Segment
from audit_service.transcription.normalisation import normalise
from audit_service.transcription.services import unsealed
from audit_service.transcription.suppression import Sieve

DOUBTFUL_PLANES = frozenset({"syllable", "fuzzy", "model"})
DOUBTFUL_PROBABILITY = 0.6
AROUND_S = 1.0


@dataclass(frozen=True)
class Doubtful:
    """A finding to hear again: where it stands (seconds, channel), and the words that were heard there."""

    finding_id: int
    channel: int
    start_s: float
    end_s: float
    quote: str
    language: str


@dataclass(frozen=True)
class HeardAgain:
    """What was heard the second time, from 0 (nothing alike) to 1 (sounds the same)."""

    doubtful: Doubtful
    text: str
    likeness: float


def doubtful_findings(session: Session, recording_id: int) -> list[Doubtful]:
    """Return the current findings of a recording that rest on doubtful words and were not heard again yet."""
    query = (
        select(Finding)
        .join(Segment, Segment.id == Finding.segment_id)
        .join(Recording, Recording.attempt_id == Finding.attempt_id)
        .where(Recording.id == recording_id, Finding.is_current, ~Finding.second_hearings.any())
        .options(joinedload(Finding.segment), joinedload(Finding.transcript))
        .order_by(Finding.id)
    )
    return [_doubtful(finding) for finding in session.scalars(query) if is_doubtful(finding)]


def is_doubtful(finding: Finding) -> bool:
    """Tell whether a finding rests on likeness instead of words, or on words that the recogniser was unsure of."""
    if finding.segment is None or finding.start_s is None or finding.end_s is None or not finding.quote:
        return False
    if finding.plane in DOUBTFUL_PLANES:
        return True
    said = [word[3] for word in finding.segment.words if word[0] < finding.end_s and word[1] > finding.start_s]
    return bool(said) and sum(said) / len(said) < DOUBTFUL_PROBABILITY


def hear_again(path: Path, engine: Engine, findings: Sequence[Doubtful], limits: Limits) -> list[HeardAgain]:
    """Return what is heard where the findings stand; takes as long as the audio demands.

    Raises:
        MediaRefusedError: the recording cannot be decoded.
    """
    audio = decode(path, limits)
    heard = []
    for doubtful in findings:
        samples = audio.channel(doubtful.channel, max(0.0, doubtful.start_s - AROUND_S), doubtful.end_s + AROUND_S)
        passages = Sieve(samples).said(engine.listen(samples, doubtful.language))
        text = normalise(" ".join(passage.text for passage in passages), doubtful.language)
        heard.append(HeardAgain(doubtful, text, likeness(doubtful.quote, text, doubtful.language)))
    return heard


def likeness(quote: str, text: str, language: str) -> float:
    """Return how far ``quote`` sounds as if it stood in ``text``: by syllables without tones, or by letters."""
    first, second = (_sounds(said, language) for said in (quote, text))
    return round(fuzz.partial_ratio(first, second) / 100, 3) if first and len(second) >= len(first) / 2 else 0.0


def store(session: Session, engine: Engine, heard: Sequence[HeardAgain]) -> None:
    """Keep what was heard the second time."""
    session.add_all(
        SecondHearing(
            finding_id=one.doubtful.finding_id,
            engine=engine.name,
            model_sha256=engine.model_sha256,
            start_s=max(0.0, one.doubtful.start_s - AROUND_S),
            end_s=one.doubtful.end_s + AROUND_S,
            text=one.text,
            likeness=one.likeness,
            heard_at=clock.now(),
        )
        for one in heard
    )
    session.flush()


def recording_exhibit(session: Session, recording_id: int) -> Exhibit:
    """Return the sealed recording."""
    return existing(session, Recording, recording_id).exhibit


def heard_again(
    vault: Vault, sha256: str, engine: Engine, findings: Sequence[Doubtful], work_dir: Path, limits: Limits
) -> list[HeardAgain]:
    """Return what is heard the second time in a sealed recording; its plain copy is gone afterwards."""
    with unsealed(vault, sha256, work_dir) as folder:
        return hear_again(folder / "recording", engine, findings, limits)


def _doubtful(finding: Finding) -> Doubtful:
    segment, transcript = finding.segment, finding.transcript
    if segment is None or transcript is None or finding.start_s is None or finding.end_s is None:
        raise ValueError(f"finding {finding.id} stands in no recording")
    return Doubtful(finding.id, segment.channel, finding.start_s, finding.end_s, finding.quote, transcript.language)


def _sounds(text: str, language: str) -> str:
    letters = "".join(character for character in text.lower() if character.isalnum())
    return " ".join(lazy_pinyin(letters)) if language == "zh" else letters
