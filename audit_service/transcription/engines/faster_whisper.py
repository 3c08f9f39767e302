"""Whisper through CTranslate2 (``faster-whisper``), 8-bit weights on plain processors.

What the voice detector, asked to be generous, takes for speech is cut into windows; the windows of all channels given
are decoded together. Windows whose text is doubtful are decoded again with more silence behind them, and what somebody
says where no word was written becomes a window of its own, so that nothing is lost (``benchmarks/asr.py``). A prompt
or the text before as context made more errors than it mended.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from audit_service.transcription.engines.batches import (
    FRAMES_A_SECOND,
    MOST_FRAMES,
    BatchDecoder,
    Decoded,
    Spectrum,
    Way,
)
from audit_service.transcription.speech import RATE_HZ, Stretch, find_speech, shared_s
from audit_service.transcription.values import HeardPassage, Word
from audit_service.transcription.weights import Weights
from audit_service.transcription.windows import LONGEST_S, SILENCE_S, unheard, windows

LANGUAGES = ("zh", "en")
BEAM_SIZE = 5
NO_SPEECH_PROBABILITY = 0.6
LOWEST_LOG_PROBABILITY = -1.0
MOST_COMPRESSIBLE = 2.4
# A pause longer than this ends a segment: turns of a call are further apart, words of a sentence closer.
PAUSE_S = 0.7
# How sure the voice detector must be: at less, clicks and breaths become windows, and Whisper writes what it likes.
SURENESS = 0.35
# With less speech than this in a window, its text must be likely.
SHORT_S = 1.0
WAYS = (Way(BEAM_SIZE), Way(BEAM_SIZE, silence_frames=MOST_FRAMES), Way(BEAM_SIZE, MOST_FRAMES, repeats=4))
"""The usual way, and those for windows whose text is doubtful, in this order."""


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
            "window_s": LONGEST_S,
            "window_silence_s": SILENCE_S,
            "speech_sureness": SURENESS,
            "words": words,
        }
        self.expected = words or None
        self._threads = threads
        self._whisper = WhisperModel(
            str(weights.folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=1,
            num_workers=threads,
            local_files_only=True,
        )
        self.decoder = BatchDecoder(self._whisper, threads, self.expected)

    def with_words(self, words: str) -> FasterWhisperEngine:
        """Return an engine of the same loaded weights that expects more words."""
        made = copy.copy(self)
        made.expected = " ".join(filter(None, (self.expected, words))) or None
        made.options = self.options | {"words": made.expected or ""}
        made.decoder = BatchDecoder(self._whisper, self._threads, made.expected)
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
        return self.listen_together([samples], language)[0]

    def listen_together(self, sounds: Sequence[NDArray[np.float32]], language: str) -> Sequence[Sequence[HeardPassage]]:
        """Return what is said in each of the sounds, as ``listen`` does, in less time than one after the other."""
        with ThreadPoolExecutor(self._threads) as workers:
            channels = list(workers.map(self._channel, sounds))
        read: list[list[_Read]] = [[] for _ in sounds]
        tasks = [
            _Task(number, window)
            for number, channel in enumerate(channels)
            for window in windows(channel.speech, channel.length_s)
        ]
        while tasks:
            found = self._decoded([channels[task.channel].cut(task.window) for task in tasks], language)
            rests = []
            for task, decoded in zip(tasks, found, strict=True):
                speech = channels[task.channel].speech
                if not _is_said(decoded, shared_s(task.window.start_s, task.window.end_s, speech)):
                    continue
                read[task.channel].append(_Read(task.window.start_s, decoded))
                heard = [
                    Stretch(task.window.start_s + start_s, task.window.start_s + end_s)
                    for start_s, end_s in decoded.sentences
                ]
                rests += [_Task(task.channel, rest) for rest in unheard(task.window, heard, speech)]
            tasks = rests
        return [split_at_pauses(_in_order(found)) for found in read]

    def _channel(self, samples: NDArray[np.float32]) -> _Channel:
        speech = find_speech(samples, SURENESS, LONGEST_S)
        spectrum = self._whisper.feature_extractor(samples) if speech else np.zeros((0, 0), np.float32)
        return _Channel(len(samples) / RATE_HZ, speech, spectrum)

    def _decoded(self, spectra: Sequence[Spectrum], language: str) -> list[Decoded]:
        """Return what is read in windows; the doubtful ones are read again in the other ways, and the best is kept."""
        best = self.decoder.decode(spectra, language, WAYS[0])
        for way in WAYS[1:]:
            doubtful = [place for place, decoded in enumerate(best) if _is_doubtful(decoded)]
            again = self.decoder.decode([spectra[place] for place in doubtful], language, way)
            for place, decoded in zip(doubtful, again, strict=True):
                best[place] = max(best[place], decoded, key=_likelihood)
        return best


@dataclass(frozen=True)
class _Channel:
    length_s: float
    speech: list[Stretch]
    spectrum: Spectrum

    def cut(self, window: Stretch) -> Spectrum:
        return self.spectrum[:, int(window.start_s * FRAMES_A_SECOND) : int(window.end_s * FRAMES_A_SECOND)]


@dataclass(frozen=True)
class _Task:
    channel: int
    window: Stretch


@dataclass(frozen=True)
class _Read:
    start_s: float
    decoded: Decoded


def _is_doubtful(decoded: Decoded) -> bool:
    """Tell whether a text is unlikely, repeats itself, or is none although the voice detector heard somebody."""
    return (
        decoded.log_probability < LOWEST_LOG_PROBABILITY or decoded.compression > MOST_COMPRESSIBLE or not decoded.words
    )


def _is_said(decoded: Decoded, spoken_s: float) -> bool:
    """Tell whether somebody says the words; where there is hardly any speech, one bad sign is enough for no."""
    signs = (decoded.log_probability < LOWEST_LOG_PROBABILITY, decoded.no_speech > NO_SPEECH_PROBABILITY)
    if spoken_s < SHORT_S:
        return not (any(signs) or _is_doubtful(decoded))
    return bool(decoded.words) and not all(signs)


def _likelihood(decoded: Decoded) -> tuple[bool, bool, float]:
    return bool(decoded.words), decoded.compression <= MOST_COMPRESSIBLE, decoded.log_probability


def _in_order(found: Iterable[_Read]) -> list[Word]:
    return [
        Word(round(read.start_s + word.start_s, 2), round(read.start_s + word.end_s, 2), word.text, word.probability)
        for read in sorted(found, key=lambda read: read.start_s)
        for word in read.decoded.words
    ]


def split_at_pauses(words: Iterable[Word], pause_s: float = PAUSE_S) -> list[HeardPassage]:
    """Return passages of words with no pause longer than ``pause_s`` inside."""
    passages: list[list[Word]] = []
    for word in words:
        if passages and word.start_s - passages[-1][-1].end_s <= pause_s:
            passages[-1].append(word)
        else:
            passages.append([word])
    return [HeardPassage(passage[0].start_s, passage[-1].end_s, tuple(passage)) for passage in passages]
