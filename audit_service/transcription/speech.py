"""Where somebody speaks on a channel: Silero's voice detector, which comes with faster-whisper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

from audit_service.transcription.parts import cut

RATE_HZ = 16_000
PAUSE_MS, PAD_MS = 150, 60


@dataclass(frozen=True)
class Stretch:
    """A stretch of a channel, in seconds."""

    start_s: float
    end_s: float


def find_speech(samples: NDArray[np.float32], sureness: float = 0.5, longest_s: float = float("inf")) -> list[Stretch]:
    """Return the stretches with speech, in order; pauses of 0.15 s end one. Long channels are searched part by part.

    Args:
        samples: one channel at 16 kHz, from -1 to 1.
        sureness: how sure the detector must be, from 0 to 1; a low value finds faint speech, and more that is none.
        longest_s: who speaks longer without a pause is cut where he pauses most.
    """
    options = VadOptions(
        threshold=sureness,
        min_silence_duration_ms=PAUSE_MS,
        speech_pad_ms=PAD_MS,
        max_speech_duration_s=longest_s,
    )
    return [
        Stretch(part.start_s + item["start"] / RATE_HZ, part.start_s + item["end"] / RATE_HZ)
        for part in cut(samples, 0, RATE_HZ)
        for item in get_speech_timestamps(samples[int(part.start_s * RATE_HZ) : int(part.end_s * RATE_HZ)], options)
    ]


def shared_s(start_s: float, end_s: float, stretches: Sequence[Stretch]) -> float:
    """Return how many of the seconds from ``start_s`` to ``end_s`` lie in one of the stretches."""
    return sum(max(0.0, min(end_s, one.end_s) - max(start_s, one.start_s)) for one in stretches)
