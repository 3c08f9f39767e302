"""Long recordings are heard part by part, so that a worker that dies loses one part and not two hours.

Parts are cut where the channel is quietest near the end of each, so that no word is cut through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audit_service.transcription.values import HeardPassage

PART_S = 300.0
SEARCH_S = 45.0
FRAME_S = 0.2


@dataclass(frozen=True)
class Part:
    """A stretch of one channel, in seconds of the recording."""

    channel: int
    start_s: float
    end_s: float


class Memory(Protocol):
    """What remembers the parts that are done."""

    def recall(self, part: Part) -> Sequence[HeardPassage] | None:
        """Return what was heard in a part, at the times of the recording; None if it was not heard yet."""

    def keep(self, part: Part, heard: Sequence[HeardPassage], took_s: float, total_s: float) -> None:
        """Remember a part; ``total_s`` is the length of all channels together, in seconds."""


class Forgetful:
    """Remembers nothing: for short work that begins anew."""

    def recall(self, _part: Part) -> Sequence[HeardPassage] | None:
        """Return nothing."""
        return None

    def keep(self, _part: Part, _heard: Sequence[HeardPassage], _took_s: float, _total_s: float) -> None:
        """Keep nothing."""


def cut(samples: NDArray[np.float32], channel: int, rate_hz: int) -> list[Part]:
    """Return the parts of a channel; one, if it is hardly longer than a part."""
    length_s = len(samples) / rate_hz
    bounds = [0.0]
    while length_s - bounds[-1] > PART_S + SEARCH_S:
        bounds.append(_quietest(samples, bounds[-1] + PART_S - SEARCH_S, bounds[-1] + PART_S, rate_hz))
    return [Part(channel, start, end) for start, end in zip(bounds, [*bounds[1:], length_s], strict=True)]


def _quietest(samples: NDArray[np.float32], begin_s: float, end_s: float, rate_hz: int) -> float:
    """Return the middle of the quietest frame between two seconds."""
    size = int(FRAME_S * rate_hz)
    stretch = samples[int(begin_s * rate_hz) : int(end_s * rate_hz)]
    frames = stretch[: len(stretch) // size * size].reshape(-1, size)
    quiet = int(np.argmin(np.square(frames).mean(axis=1)))
    return round(begin_s + (quiet + 0.5) * FRAME_S, 3)


def moved(passage: HeardPassage, by_s: float) -> HeardPassage:
    """Return a passage with its times, and those of its words, later by ``by_s``."""
    words = tuple(replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in passage.words)
    return replace(passage, start_s=passage.start_s + by_s, end_s=passage.end_s + by_s, words=words)
