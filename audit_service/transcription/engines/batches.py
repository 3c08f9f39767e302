"""Many windows decoded at once with CTranslate2.

Each window is encoded alone, at its own length and not at Whisper's thirty seconds, padded with what silence looks
like; windows padded to the same length are decoded side by side. What a window is padded to depends on nothing but
itself, and nothing is drawn by lot: the same window gives the same words whatever is decoded beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens
from numpy.typing import NDArray

from audit_service.transcription.values import Word

Spectrum = NDArray[np.float32]
FRAMES_A_SECOND = 100
MOST_FRAMES = 3000
# Windows decoded side by side: more gain nothing on two cores, for their encoded sound no longer fits the caches.
ROWS = 8
STEP_FRAMES = 200
TOKEN_S = 0.02
# Below the loudest by this much (in the spectrum's units) is silence; Whisper was trained so.
FLOOR = 2.0
FIRST_WORD_WITHIN_S = 1.0
MOST_TOKENS = 448
TOKENS_A_SECOND, TOKENS_FOR_MARKS = 12, 40
PUNCTUATION_BEFORE, PUNCTUATION_AFTER = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True)
class Way:
    """How windows are decoded.

    Attributes:
        beam_size: hypotheses kept side by side.
        silence_frames: least silence put behind a window; the more, the dearer and the less given to repeating.
        repeats: longest run of tokens that may come twice; 0: any.
    """

    beam_size: int
    silence_frames: int = STEP_FRAMES
    repeats: int = 0


@dataclass(frozen=True)
class Decoded:
    """What was read in one window; seconds from its start.

    Attributes:
        log_probability: mean of the tokens'.
        no_speech: probability that nobody speaks.
        compression: how many times shorter the text can be written; repeating text more than twice.
        sentences: start and end of each sentence.
    """

    words: tuple[Word, ...]
    log_probability: float
    no_speech: float
    compression: float
    sentences: tuple[tuple[float, float], ...]


class BatchDecoder:
    """Decodes the windows of any channels.

    Args:
        whisper: the model, with as many workers as batches may run at the same time.
        workers: how many that are.
        words: words of the trade to expect.
    """

    def __init__(self, whisper: WhisperModel, workers: int, words: str | None) -> None:
        self._whisper, self._workers, self.words = whisper, workers, words

    def decode(self, spectra: Sequence[Spectrum], language: str, way: Way) -> list[Decoded]:
        """Return what is read in each window."""
        by_size: dict[int, list[int]] = defaultdict(list)
        for place, spectrum in enumerate(spectra):
            by_size[_padded_size(spectrum, way)].append(place)
        batches = [
            by_size[size][first : first + ROWS]
            for size in sorted(by_size, reverse=True)
            for first in range(0, len(by_size[size]), ROWS)
        ]
        found: dict[int, Decoded] = {}
        with ThreadPoolExecutor(self._workers) as workers:
            for places, read in zip(
                batches,
                workers.map(lambda places: self._read([spectra[place] for place in places], language, way), batches),
                strict=True,
            ):
                found.update(zip(places, read, strict=True))
        return [found[place] for place in range(len(spectra))]

    def _read(self, spectra: Sequence[Spectrum], language: str, way: Way) -> list[Decoded]:
        """Return what is read in windows that are padded to the same length."""
        tokenizer = Tokenizer(self._whisper.hf_tokenizer, multilingual=True, task="transcribe", language=language)
        prompt = self._whisper.get_prompt(tokenizer, [], hotwords=self.words)
        encoded = [self._encoded(spectrum, way) for spectrum in spectra]
        longest_s = max(spectrum.shape[1] for spectrum in spectra) / FRAMES_A_SECOND
        results = self._whisper.model.generate(
            ctranslate2.StorageView.from_array(np.concatenate(encoded)),
            [prompt] * len(spectra),
            beam_size=way.beam_size,
            no_repeat_ngram_size=way.repeats,
            max_length=min(MOST_TOKENS, len(prompt) + TOKENS_FOR_MARKS + int(TOKENS_A_SECOND * longest_s)),
            max_initial_timestamp_index=round(FIRST_WORD_WITHIN_S / TOKEN_S),
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            self._decoded(tokenizer, result, spectrum.shape[1], view)
            for result, spectrum, view in zip(results, spectra, encoded, strict=True)
        ]

    def _encoded(self, spectrum: Spectrum, way: Way) -> NDArray[np.float32]:
        padded = np.full((1, spectrum.shape[0], _padded_size(spectrum, way)), spectrum.max() - FLOOR, np.float32)
        padded[0, :, : spectrum.shape[1]] = spectrum
        return np.array(self._whisper.encode(padded))

    def _decoded(self, tokenizer: Tokenizer, result: Any, frames: int, encoded: NDArray[np.float32]) -> Decoded:
        tokens = result.sequences_ids[0]
        sentences = list(_sentences(tokens, tokenizer, frames / FRAMES_A_SECOND))
        spans = tuple((sentence["start"], sentence["end"]) for sentence in sentences)
        if sentences:
            self._whisper.add_word_timestamps(
                [sentences],
                tokenizer,
                ctranslate2.StorageView.from_array(encoded),
                frames,
                PUNCTUATION_BEFORE,
                PUNCTUATION_AFTER,
                0.0,
            )
        return Decoded(
            words=tuple(
                Word(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
                for sentence in sentences
                for word in sentence["words"]
            ),
            log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            compression=get_compression_ratio(tokenizer.decode(tokens)) if sentences else 0.0,
            sentences=spans,
        )


def _padded_size(spectrum: Spectrum, way: Way) -> int:
    frames = int(spectrum.shape[1]) + way.silence_frames
    return min(MOST_FRAMES, -(-frames // STEP_FRAMES) * STEP_FRAMES)


def _sentences(tokens: Iterable[int], tokenizer: Tokenizer, length_s: float) -> Iterable[dict[str, Any]]:
    """Yield what stands between two times, as faster-whisper wants it; without a last time, the window's end is it."""
    start_s, said = 0.0, []
    for token in tokens:
        if token < tokenizer.eot:
            said.append(token)
        elif token >= tokenizer.timestamp_begin:
            second = min((token - tokenizer.timestamp_begin) * TOKEN_S, length_s)
            if said:
                yield {"seek": 0, "start": start_s, "end": second, "tokens": said}
            start_s, said = second, []
    if said:
        yield {"seek": 0, "start": start_s, "end": length_s, "tokens": said}
