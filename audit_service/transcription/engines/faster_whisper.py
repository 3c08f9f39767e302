"""Whisper through CTranslate2 (``faster-whisper``), 8-bit weights on plain processors.

Plain beam search over the whole channel: the batched pipeline and joined voice clips were measured to lose text, and a
prompt or the text before as context made more errors than it mended (``benchmarks/asr_samples.py``).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from audit_service.transcription.values import HeardPassage, Word
from audit_service.transcription.weights import Weights

LANGUAGES = ("zh", "en")
BEAM_SIZE = 5
NO_SPEECH_PROBABILITY = 0.6
LOWEST_LOG_PROBABILITY = -1.0
MOST_COMPRESSIBLE = 2.4
# A pause longer than this ends a segment: turns of a call are further apart, words of a sentence closer.
PAUSE_S = 0.7


class FasterWhisperEngine:
    """An engine of one set of weights.

    Args:
        weights: a checked folder of CTranslate2 weights.
        threads: processor threads of one transcription.
        words: words of the trade to expect, divided by blanks; part of what a transcript depends on.
    """

    def __init__(self, weights: Weights, threads: int = 2, words: str = "") -> None:
        self.name = f"faster-whisper {version('faster-whisper')}"
        self.model = weights.name
        self.model_sha256 = weights.sha256
        self.options: dict[str, str | int | float | bool | None] = {
            "beam_size": BEAM_SIZE,
            "compute_type": "int8",
            "condition_on_previous_text": False,
            "pause_s": PAUSE_S,
            "words": words,
        }
        self.expected = words or None
        self._whisper = WhisperModel(
            str(weights.folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )

    def with_words(self, words: str) -> FasterWhisperEngine:
        """Return an engine of the same loaded weights that expects more words."""
        made = copy.copy(self)
        made.expected = " ".join(filter(None, (self.expected, words))) or None
        made.options = self.options | {"words": made.expected or ""}
        return made

    def find_language(self, samples: NDArray[np.float32]) -> str:
        """Return the likelier of the supported languages."""
        likely = self.language_odds(samples)
        return max(LANGUAGES, key=lambda language: likely.get(language, 0.0))

    def language_odds(self, samples: NDArray[np.float32]) -> Mapping[str, float]:
        """Return how likely each language is that Whisper knows."""
        _, _, probabilities = self._whisper.detect_language(samples)
        return dict(probabilities)

    def listen(self, samples: NDArray[np.float32], language: str) -> Sequence[HeardPassage]:
        """Return what is said, split where the speaker pauses."""
        segments, _ = self._whisper.transcribe(
            samples,
            language=language,
            beam_size=BEAM_SIZE,
            word_timestamps=True,
            condition_on_previous_text=False,
            no_speech_threshold=NO_SPEECH_PROBABILITY,
            log_prob_threshold=LOWEST_LOG_PROBABILITY,
            compression_ratio_threshold=MOST_COMPRESSIBLE,
            hotwords=self.expected,
        )
        words = [
            Word(float(word.start), float(word.end), word.word, float(word.probability))
            for segment in segments
            for word in segment.words or ()
        ]
        return split_at_pauses(words)


def split_at_pauses(words: Iterable[Word], pause_s: float = PAUSE_S) -> list[HeardPassage]:
    """Return passages of words with no pause longer than ``pause_s`` inside."""
    passages: list[list[Word]] = []
    for word in words:
        if passages and word.start_s - passages[-1][-1].end_s <= pause_s:
            passages[-1].append(word)
        else:
            passages.append([word])
    return [HeardPassage(passage[0].start_s, passage[-1].end_s, tuple(passage)) for passage in passages]
