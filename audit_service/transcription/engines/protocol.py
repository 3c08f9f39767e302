"""What a speech engine must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit_service.transcription.values import HeardPassage


class Engine(Protocol):
    """A recogniser of speech.

    Attributes:
        name: stored with every transcript, e.g. ``faster-whisper 1.2.1``.
        model: name of the model, e.g. ``whisper-base``.
        model_sha256: digest of the weights.
    """

    name: str
    model: str
    model_sha256: str

    @property
    def options(self) -> Mapping[str, str | int | float | bool | None]:
        """Return what decoding depends on."""

    def with_words(self, words: str) -> Engine:
        """Return the same engine expecting words of the trade besides its own, divided by blanks."""

    def find_language(self, samples: NDArray[np.float32]) -> str:
        """Return the spoken language (``zh`` or ``en``) of samples at 16 kHz, from -1 to 1."""

    def language_odds(self, samples: NDArray[np.float32]) -> Mapping[str, float]:
        """Return how likely each language is (codes of ISO 639-1, 0 to 1); nothing where the engine cannot tell."""

    def listen(self, samples: NDArray[np.float32], language: str) -> Sequence[HeardPassage]:
        """Return what is said in the samples (16 kHz, -1 to 1, one channel), in order of time."""


@runtime_checkable
class TogetherEngine(Engine, Protocol):
    """A recogniser that hears several sounds in less time together than one after the other."""

    def listen_together(self, sounds: Sequence[NDArray[np.float32]], language: str) -> Sequence[Sequence[HeardPassage]]:
        """Return for each of the sounds what ``listen`` would; what is beside a sound changes nothing in it."""
