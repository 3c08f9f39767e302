"""Is a recording whole: two recordings of one call are laid side by side, and what one of them lacks is named.

Each recording becomes a row of small patterns, one a tenth of a second: in which bands of pitch its power stands above
their own mean. Codecs and loudness change little of that. Where stretches of both are alike at one shift, they belong
together; where the shift jumps, seconds are missing in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audit_service.media.values import DecodedAudio

STEP_S = 0.1
WINDOW_S = 0.2
LOWEST_HZ, HIGHEST_HZ, BANDS = 250.0, 3300.0, 24
# A stretch of this length is looked up in the other recording; shorter ones are alike by chance.
PROBE_S, PROBE_STEP_S = 6.0, 1.0
ALIKE = 0.45
# Both may begin or end together with less than such a stretch beside a cut; then they must be more alike.
END_S, ENDS_ALIKE = 1.5, 0.6
LEAST_CUT_S = 0.5
Patterns = NDArray[np.float32]


@dataclass(frozen=True)
class Missing:
    """Seconds that one recording has and the other lacks: ``start_s`` to ``end_s`` in the one that has them."""

    absent_from: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Alignment:
    """How two recordings lie to each other.

    Attributes:
        is_same_call: enough of them is alike.
        shift_s: how much later the same sound begins in the first recording, at its first alike stretch.
        shared_s: seconds of the first that were found in the second.
        likeness: how alike those are on average, from 0 to 1.
        missing: what either lacks, in order.
    """

    is_same_call: bool
    shift_s: float
    shared_s: float
    likeness: float
    missing: Sequence[Missing]


@dataclass(frozen=True)
class _Run:
    """Stretches alike at one shift, in steps of the first recording."""

    first: int
    last: int
    shift: int


def align(first: DecodedAudio, second: DecodedAudio) -> Alignment:
    """Return how two recordings lie to each other; channels are mixed, so that mono and stereo can be compared."""
    one, other = patterns(first), patterns(second)
    found = _lookups(one, other)
    runs = _runs(found)
    if not runs:
        return Alignment(is_same_call=False, shift_s=0.0, shared_s=0.0, likeness=0.0, missing=())
    runs = _with_ends(one, other, runs)
    edges = _edges(one, other, runs)
    likeness = float(np.mean([score for _, _, score in found]))
    shared = sum(run.last - run.first for run in runs) * STEP_S
    shift = runs[0].shift * STEP_S
    return Alignment(
        is_same_call=True,
        shift_s=round(shift, 1),
        shared_s=round(shared, 1),
        likeness=round(likeness, 2),
        missing=edges,
    )


def patterns(audio: DecodedAudio) -> Patterns:
    """Return a vector for each tenth of a second: powers of bands against their means; shorter than 1 where quiet."""
    size, step = int(WINDOW_S * audio.rate_hz), int(STEP_S * audio.rate_hz)
    rows = [_powers(audio, start, size) for start in range(0, len(audio.samples) - size + 1, step)]
    if not rows:
        return np.zeros((0, BANDS), dtype=np.float32)
    powers = np.log(np.stack(rows) + 1e-7)
    floor = np.percentile(powers, 20)
    powers = np.maximum(powers, floor)  # what lies in the noise says nothing, and differs between codecs
    powers -= powers.mean(axis=0)
    lengths = np.linalg.norm(powers, axis=1, keepdims=True)
    return np.asarray(powers / np.maximum(lengths, 1e-6) * np.minimum(lengths, 1.0), dtype=np.float32)


def _powers(audio: DecodedAudio, start: int, size: int) -> NDArray[np.float64]:
    samples = audio.samples[start : start + size].astype(np.float64).mean(axis=1) / 32768
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(size))) ** 2
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1) * size / audio.rate_hz
    bounds = edges.astype(int)
    return np.array([spectrum[low : max(low + 1, high)].mean() for low, high in pairwise(bounds)])


def _lookups(one: Patterns, other: Patterns) -> list[tuple[int, int, float]]:
    """Return (step in the first, shift, likeness) for each stretch of the first that stands in the second."""
    length, step = round(PROBE_S / STEP_S), round(PROBE_STEP_S / STEP_S)
    if len(one) < length or len(other) < length:
        return []
    size = 1 << (len(other) + length - 1).bit_length()
    spectrum = np.fft.rfft(other, size, axis=0)
    energy = np.concatenate([[0.0], np.cumsum(np.square(other).sum(axis=1))])
    found = []
    for start in range(0, len(one) - length + 1, step):
        probe = one[start : start + length]
        norm = float(np.square(probe).sum())
        if norm < 0.2 * length:
            continue  # hardly any sound: silence is alike everywhere
        products = np.fft.irfft((spectrum * np.conj(np.fft.rfft(probe, size, axis=0))).sum(axis=1), size)
        held = energy[length:] - energy[:-length]
        scores = products[: len(held)] / np.sqrt(np.maximum(held * norm, 1e-6))
        best = int(np.argmax(scores))
        if scores[best] >= ALIKE:
            found.append((start, start - best, float(scores[best])))
    return found


def _runs(found: Sequence[tuple[int, int, float]]) -> list[_Run]:
    """Return runs of lookups at one shift, at least two each; a lone one is chance."""
    length = round(PROBE_S / STEP_S)
    runs: list[_Run] = []
    for start, shift, _ in found:
        if runs and abs(runs[-1].shift - shift) <= 1:
            runs[-1] = _Run(runs[-1].first, start + length, runs[-1].shift)
        else:
            runs.append(_Run(start, start + length, shift))
    sure = [run for run in runs if run.last - run.first > length]
    joined: list[_Run] = []
    for run in sure:
        if joined and abs(joined[-1].shift - run.shift) <= 1:
            joined[-1] = _Run(joined[-1].first, run.last, joined[-1].shift)
        elif not joined or run.first - run.shift >= joined[-1].first - joined[-1].shift:
            joined.append(run)
    return joined


def _with_ends(one: Patterns, other: Patterns, runs: list[_Run]) -> list[_Run]:
    """Return the runs with those added in which both begin or end together, too short to be looked up."""
    size = round(END_S / STEP_S)
    if min(len(one), len(other)) < size:
        return runs
    if abs(runs[0].shift) > 1 and _fits_better(one, other, (0, size), 0, runs[0].shift):
        runs = [_Run(0, size, 0), *runs]
    end = len(one) - len(other)
    if abs(end - runs[-1].shift) > 1 and _fits_better(one, other, (len(one) - size, len(one)), end, runs[-1].shift):
        runs = [*runs, _Run(len(one) - size, len(one), end)]
    return runs


def _fits_better(one: Patterns, other: Patterns, steps: tuple[int, int], shift: int, former: int) -> bool:
    """Tell whether steps of the second recording fit ``shift``, and the shift of the run beside them less well."""
    begin, end = steps
    likeness = _likeness(one, other, begin, end, shift)
    moved = former - shift
    rival = 0.0
    if begin + moved >= 0 and end + moved <= len(one):
        rival = _likeness(one, other, begin + moved, end + moved, former)
    return likeness >= ENDS_ALIKE and likeness > rival


def _likeness(one: Patterns, other: Patterns, begin: int, end: int, shift: int) -> float:
    norms = np.linalg.norm(one[begin:end]) * np.linalg.norm(other[begin - shift : end - shift])
    return float(_alike(one, other, begin, end, shift).sum() / max(norms, 1e-6))


def _edges(one: Patterns, other: Patterns, runs: Sequence[_Run]) -> list[Missing]:
    """Return what lies before, between and after the runs in only one recording."""
    found = []
    head = runs[0].shift
    found += _named(0, head) if head > 0 else _named(0, -head, absent_from="first")
    for before, after in pairwise(runs):
        jump = after.shift - before.shift
        place = _turn(one, other, before, after)
        if jump > 0:
            found += _named(place, place + jump)
        else:
            found += _named(place - before.shift, place - before.shift - jump, absent_from="first")
    tail = len(one) - (len(other) + runs[-1].shift)
    found += (
        _named(len(one) - tail, len(one)) if tail > 0 else _named(len(other) + tail, len(other), absent_from="first")
    )
    return found


def _named(first: int, last: int, absent_from: str = "second") -> list[Missing]:
    long_enough = (last - first) * STEP_S >= LEAST_CUT_S
    return [Missing(absent_from, round(first * STEP_S, 1), round(last * STEP_S, 1))] if long_enough else []


def _turn(one: Patterns, other: Patterns, before: _Run, after: _Run) -> int:
    """Return the step of the first recording where what follows fits the new shift better than the old one."""
    jump = max(0, after.shift - before.shift)
    begin, end = before.first, after.last
    places = np.arange(begin, end - jump + 1)
    old = np.concatenate([[0.0], np.cumsum(_alike(one, other, begin, end, before.shift))])
    new = np.concatenate([[0.0], np.cumsum(_alike(one, other, begin, end, after.shift))])
    scores = old[places - begin] + new[-1] - new[places - begin + jump]
    return int(places[int(np.argmax(scores))])


def _alike(one: Patterns, other: Patterns, begin: int, end: int, shift: int) -> NDArray[np.float64]:
    steps = np.arange(begin, end)
    there = steps - shift
    fits = (there >= 0) & (there < len(other)) & (steps < len(one))
    scores = np.zeros(len(steps))
    scores[fits] = (one[steps[fits]] * other[there[fits]]).sum(axis=1)
    return scores
