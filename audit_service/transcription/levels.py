"""How loud a channel is, and faint ones made as loud as recognisers expect. The sealed recording is never altered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_service.transcription.speech import RATE_HZ, find_speech

Samples = NDArray[np.float32]

FRAME_S = 0.1
LOUD_SHARE = 99.0
# Speech of an ordinary call is at about -25 dB; below -40 dB Whisper begins to lose words.
FAINT_DB, WANTED_DB, MOST_GAIN_DB = -38.0, -26.0, 50.0
NOTHING_DB = -90.0
LEAST_SPEECH_S = 0.5
FULL = 0.999


@dataclass(frozen=True)
class Levelled:
    """A channel as it is listened to.

    Attributes:
        gain_db: by how much it was made louder, in decibels; 0 where it was left as it is.
        loud_db: how loud its loud frames were before, in decibels below full scale.
        clipped: the share of samples that stand at full scale, from 0 to 1.
    """

    samples: Samples
    gain_db: float
    loud_db: float
    clipped: float

    def level_db(self, start_s: float, end_s: float) -> float | None:
        """Return how loud the recording is between two seconds, as it was before; None where there is no sound."""
        part = self.samples[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]
        level = decibels(float(np.sqrt(np.mean(np.square(part))))) if part.size else -math.inf
        return round(level - self.gain_db, 1) if math.isfinite(level) else None


def levelled(samples: Samples) -> Levelled:
    """Return a channel, louder where it is faint and somebody speaks; noise alone is not made louder."""
    loud_db = _loud_db(samples)
    clipped = float(np.mean(np.abs(samples) >= FULL)) if samples.size else 0.0
    if not NOTHING_DB < loud_db < FAINT_DB:
        return Levelled(samples, 0.0, loud_db, clipped)
    gain_db = round(min(WANTED_DB - loud_db, MOST_GAIN_DB), 1)
    louder = amplified(samples, gain_db)
    if sum(stretch.end_s - stretch.start_s for stretch in find_speech(louder)) < LEAST_SPEECH_S:
        return Levelled(samples, 0.0, loud_db, clipped)
    return Levelled(louder, gain_db, loud_db, clipped)


def amplified(samples: Samples, gain_db: float) -> Samples:
    """Return samples louder by some decibels; at 0 they are left as they are."""
    return np.clip(samples * np.float32(10 ** (gain_db / 20)), -1.0, 1.0) if gain_db else samples


def _loud_db(samples: Samples) -> float:
    levels = frame_levels(samples)
    return decibels(float(np.percentile(levels, LOUD_SHARE))) if levels.size else -math.inf


def frame_levels(samples: Samples) -> NDArray[np.float32]:
    """Return the root of the mean square of each tenth of a second."""
    size = int(FRAME_S * RATE_HZ)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return np.asarray(np.sqrt(np.mean(np.square(frames), axis=1)), dtype=np.float32)


def decibels(level: float) -> float:
    """Return a level as decibels below full scale."""
    return round(20 * math.log10(level), 1) if level > 0 else -math.inf
