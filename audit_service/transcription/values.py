"""Plain values of transcription. Times in seconds from the start of the recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Word:
    """One word, or one character of Chinese, with the engine's probability (0 to 1)."""

    start_s: float
    end_s: float
    text: str
    probability: float


@dataclass(frozen=True)
class HeardPassage:
    """What an engine heard on one channel without a longer break, as it wrote it."""

    start_s: float
    end_s: float
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """Return the words as written, without surrounding space."""
        return "".join(word.text for word in self.words).strip()

    @property
    def confidence(self) -> float:
        """Return the mean probability of the words."""
        return sum(word.probability for word in self.words) / len(self.words)


@dataclass(frozen=True)
class SpokenSegment:
    """One stretch of one speaker. ``text`` is normalised, ``text_original`` is what the engine wrote.

    ``language`` is that of these words alone; ``level_db`` is how loud they were, in decibels below full scale.
    """

    channel: int
    speaker: str
    start_s: float
    end_s: float
    text: str
    text_original: str
    confidence: float
    words: tuple[Word, ...] = ()
    language: str = ""
    level_db: float | None = None


@dataclass(frozen=True)
class TranscriptResult:
    """The words of one recording, with all that is needed to make them again.

    ``options`` also says how the sides were told apart, and counts what was left out because nobody said it
    (``suppressed_…``).

    Attributes:
        speech: for each channel the stretches with speech, pairs of seconds.
        acoustics: what the sound says of levels, music and dead air; see ``acoustics.described``.
        unsupported_language: the language that is spoken and not read; then nothing was listened to.
    """

    engine: str
    model: str
    model_sha256: str
    options: Mapping[str, str | int | float | bool | None]
    language: str
    duration_s: float
    segments: tuple[SpokenSegment, ...] = field(default_factory=tuple)
    speech: tuple[list[list[float]], ...] = ()
    acoustics: Mapping[str, Any] = field(default_factory=dict)
    unsupported_language: str = ""

    @property
    def roles(self) -> str:
        """Return how well it is known who speaks, as ``speakers.Certainty`` names it; empty where nobody was heard."""
        return str(self.options.get("roles", ""))
