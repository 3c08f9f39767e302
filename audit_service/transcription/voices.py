"""Who speaks when on a channel that holds both sides: speech is cut into windows, and their voices are told apart.

The encoder is Resemblyzer's (Wan et al. 2018, "Generalized End-to-End Loss for Speaker Verification"; Apache-2.0),
written for onnxruntime by ``benchmarks/voice_encoder.py``. A call has two sides: two voices are looked for, or one,
never more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from audit_service.transcription.speech import RATE_HZ, Stretch, find_speech
from audit_service.transcription.values import HeardPassage, Word

Samples = NDArray[np.float32]
Vectors = NDArray[np.float32]

ENCODER = Path(__file__).with_name("voice_encoder.onnx")
FRAME, STEP = 400, 160
WINDOW_S, HOP_S, TICK_S = 1.6, 0.4, 0.1
AT_ONCE = 64
LEVEL = 10 ** (-30 / 20)
# Middles of two voices are further apart than this, of two halves of one voice nearer; with few windows neither holds
# (benchmarks/speakers.py prints the likeness of each).
SAME_VOICE, LEAST_WINDOWS = 0.88, 8
# What a change of voice costs inside a stretch of speech, in units of the difference of two cosines.
CHANGE_COST, PAUSE_COST = 1.0, 0.2
ROUNDS = 20


class VoiceEncoder:
    """Turns windows of speech into unit vectors that are near where the voice is the same."""

    def __init__(self, threads: int = 2) -> None:
        content = ENCODER.read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._shape = np.hanning(FRAME + 1)[:-1].astype(np.float32)

    def vectors(self, samples: Samples, windows: Sequence[Stretch]) -> Vectors:
        """Return a unit vector a window; samples are at 16 kHz."""
        loudness = _loudness(samples, windows)
        gain = max(1.0, LEVEL / loudness) if loudness else 1.0
        found = [
            self._session.run(None, {"power": np.stack([self._power(samples, window, gain) for window in batch])})[0]
            for batch in _batches(windows)
        ]
        return np.concatenate(found) if found else np.zeros((0, 256), dtype=np.float32)

    def _power(self, samples: Samples, window: Stretch, gain: float) -> Samples:
        """Return the power spectra of a window; one that is too short is repeated."""
        cut = np.asarray(samples[int(window.start_s * RATE_HZ) : int(window.end_s * RATE_HZ)], dtype=np.float32)
        whole = np.pad(np.resize(cut, int(WINDOW_S * RATE_HZ)) * gain, FRAME // 2)
        frames = np.lib.stride_tricks.sliding_window_view(whole, FRAME)[::STEP]
        return (np.abs(np.fft.rfft(frames * self._shape)) ** 2).astype(np.float32)


@dataclass(frozen=True)
class Windows:
    """Windows of the stretches of speech, and a vector each."""

    stretches: Sequence[Stretch]
    windows: Sequence[Stretch]
    vectors: Vectors

    @cached_property
    def centres(self) -> tuple[Vectors, Vectors]:
        """Return the middle vectors of two groups (spherical 2-means, begun along the widest direction)."""
        away = self.vectors - self.vectors.mean(axis=0)
        _, _, directions = np.linalg.svd(away[:: max(1, len(away) // 2000)], full_matrices=False)
        side = away @ directions[0] > 0
        for _ in range(ROUNDS):
            first, second = _middle(self.vectors[side], self.vectors), _middle(self.vectors[~side], self.vectors)
            now = self.vectors @ first > self.vectors @ second
            if (now == side).all():
                break
            side = now
        return first, second

    @property
    def is_one_voice(self) -> bool:
        """Tell whether the two groups are one voice."""
        return len(self.windows) < LEAST_WINDOWS or self.likeness > SAME_VOICE

    @property
    def likeness(self) -> float:
        """Return the cosine of the two middles."""
        first, second = self.centres
        return float(first @ second)


def listen_for_voices(samples: Samples, encoder: VoiceEncoder) -> Windows:
    """Return the windows of a channel with their vectors."""
    stretches = find_speech(samples)
    windows = [window for stretch in stretches for window in _windows(stretch)]
    return Windows(stretches, windows, encoder.vectors(samples, windows))


@dataclass(frozen=True)
class Spoken:
    """Ticks of speech: when each is (seconds), and whether the second voice speaks."""

    at_s: NDArray[np.float64]
    is_second: NDArray[np.bool_]

    def voice_of(self, word: Word) -> int:
        """Return 0 or 1: whose ticks a word has most of, or the nearest."""
        first, last = np.searchsorted(self.at_s, [word.start_s, word.end_s])
        if first == last:
            nearest = min(max(0, first - 1), first, key=lambda tick: self._away(tick, word))
            return int(self.is_second[min(nearest, len(self.at_s) - 1)])
        return int(self.is_second[first:last].mean() > 0.5)  # noqa: PLR2004 - the larger half

    def _away(self, tick: int, word: Word) -> float:
        return abs(float(self.at_s[min(tick, len(self.at_s) - 1)]) - (word.start_s + word.end_s) / 2)


def who_speaks(found: Windows) -> Spoken:
    """Return the likeliest course of two voices over the ticks of speech (Viterbi 1967, two states)."""
    leaning = found.vectors @ (found.centres[1] - found.centres[0])
    middles = np.array([(window.start_s + window.end_s) / 2 for window in found.windows])
    starts = np.array([window.start_s for window in found.windows])
    at: list[float] = []
    lean: list[float] = []
    cost: list[float] = []
    for stretch in found.stretches:
        ticks = np.arange(stretch.start_s + TICK_S / 2, stretch.end_s, TICK_S)
        low, high = np.searchsorted(starts, [stretch.start_s - 1e-6, stretch.end_s])
        at += ticks.tolist()
        lean += np.interp(ticks, middles[low:high], leaning[low:high]).tolist()
        cost += [PAUSE_COST, *[CHANGE_COST] * (len(ticks) - 1)][: len(ticks)]
    return Spoken(np.array(at), _course(lean, cost))


def _course(lean: Sequence[float], cost: Sequence[float]) -> NDArray[np.bool_]:
    """Return for each tick whether the second state is on the best path; leaning is a score of it against the first."""
    best = (0.0, 0.0)
    came: list[tuple[int, int]] = []
    for leaning, change in zip(lean, cost, strict=True):
        into_first = 0 if best[0] >= best[1] - change else 1
        into_second = 1 if best[1] >= best[0] - change else 0
        came.append((into_first, into_second))
        best = (
            best[into_first] - (change if into_first else 0.0) - leaning,
            best[into_second] - (0.0 if into_second else change) + leaning,
        )
    state, states = int(best[1] > best[0]), []
    for step in reversed(came):
        states.append(state == 1)
        state = step[state]
    return np.array(states[::-1], dtype=bool)


def split_by_voice(passages: Iterable[HeardPassage], found: Windows) -> list[list[HeardPassage]]:
    """Return the passages of each voice; a passage of both is cut where the voice changes."""
    if found.is_one_voice:
        return [list(passages)]
    spoken = who_speaks(found)
    voices: list[list[HeardPassage]] = [[], []]
    for passage in passages:
        run: list[Word] = []
        voice = -1
        for word in passage.words:
            now = spoken.voice_of(word)
            if run and now != voice:
                voices[voice].append(_passage(run))
                run = []
            voice = now
            run.append(word)
        voices[voice].append(_passage(run))
    return voices


def _passage(words: Sequence[Word]) -> HeardPassage:
    return HeardPassage(words[0].start_s, words[-1].end_s, tuple(words))


def _windows(stretch: Stretch) -> list[Stretch]:
    """Return the windows of a stretch; the last ends with it."""
    length = stretch.end_s - stretch.start_s
    if length <= WINDOW_S:
        return [stretch]
    starts = [*np.arange(stretch.start_s, stretch.end_s - WINDOW_S, HOP_S).tolist(), stretch.end_s - WINDOW_S]
    return [Stretch(start, start + WINDOW_S) for start in starts]


def _batches(windows: Sequence[Stretch]) -> Iterable[Sequence[Stretch]]:
    return (windows[first : first + AT_ONCE] for first in range(0, len(windows), AT_ONCE))


def _loudness(samples: Samples, windows: Sequence[Stretch]) -> float:
    """Return the root of the mean square of what the windows hold."""
    squares = [
        float(np.mean(np.square(samples[int(w.start_s * RATE_HZ) : int(w.end_s * RATE_HZ)], dtype=np.float64)))
        for w in windows
    ]
    return float(np.sqrt(np.mean(squares))) if squares else 0.0


def _middle(vectors: Vectors, instead: Vectors) -> Vectors:
    """Return the unit vector in the middle of ``vectors``; of ``instead`` where there are none."""
    total = (vectors if len(vectors) else instead).sum(axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)
