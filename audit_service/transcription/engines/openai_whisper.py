"""OpenAI's own Whisper (``openai-whisper``, on torch) with the very weights that ``faster-whisper`` runs here.

For those who want the reference implementation as a second ear; several times slower than the default on processors
(``benchmarks/asr.py``). It needs requirements-openai.txt, which brings torch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import torch
import whisper
from numpy.typing import NDArray

from audit_service.transcription.engines.faster_whisper import (
    BEAM_SIZE,
    LANGUAGES,
    LOWEST_LOG_PROBABILITY,
    MOST_COMPRESSIBLE,
    NO_SPEECH_PROBABILITY,
    PAUSE_S,
    split_at_pauses,
)
from audit_service.transcription.engines.openai_weights import load
from audit_service.transcription.values import HeardPassage, Word
from audit_service.transcription.weights import Weights


class OpenAIWhisperEngine:
    """An engine of one set of weights.

    Args:
        weights: a checked folder of CTranslate2 weights.
        threads: processor threads of one transcription.
        words: words of the trade to expect, divided by blanks; they go in front as the text before.
    """

    def __init__(self, weights: Weights, threads: int = 2, words: str = "") -> None:
        self.name = f"openai-whisper {version('openai-whisper')}"
        self.model = weights.name
        self.model_sha256 = weights.sha256
        self.options: dict[str, str | int | float | bool | None] = {
            "beam_size": BEAM_SIZE,
            "compute_type": "float32",
            "condition_on_previous_text": False,
            "pause_s": PAUSE_S,
            "words": words,
        }
        self.expected = words or None
        torch.set_num_threads(threads)
        self._whisper = load(weights)

    def with_words(self, words: str) -> OpenAIWhisperEngine:
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
        spectrum = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), self._whisper.dims.n_mels)
        _, likely = self._whisper.detect_language(spectrum)
        return {language: float(odds) for language, odds in likely.items()}

    def listen(self, samples: NDArray[np.float32], language: str) -> Sequence[HeardPassage]:
        """Return what is said, split where the speaker pauses."""
        answer = whisper.transcribe(
            self._whisper,
            samples,
            language=language,
            beam_size=BEAM_SIZE,
            word_timestamps=True,
            condition_on_previous_text=False,
            no_speech_threshold=NO_SPEECH_PROBABILITY,
            logprob_threshold=LOWEST_LOG_PROBABILITY,
            compression_ratio_threshold=MOST_COMPRESSIBLE,
            initial_prompt=self.expected,
            fp16=False,
        )
        return split_at_pauses(
            Word(float(word["start"]), float(word["end"]), str(word["word"]), float(word["probability"]))
            for segment in answer["segments"]
            for word in segment["words"]
        )
