"""What the sound itself says, whatever words were written: where somebody speaks, where music plays, where nothing is.

Dead air is measured here and not from gaps between words: a recogniser that heard nothing, or hold music, would both
look like silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_service.transcription.levels import Levelled
from audit_service.transcription.speech import RATE_HZ, Stretch

DEAD_AIR_S = 3.0
MUSIC_S = 2.0
MUSIC_LEVEL = 0.005
TONAL = 0.2
# Music and ring tones have pauses; shorter ones than this do not end them.
MUSIC_PAUSE_S = 4.0
LOWEST_HZ, HIGHEST_HZ = 200, 3400
LEAST_POWER = 1e-12


@dataclass(frozen=True)
class Channel:
    """One channel: its level, where somebody speaks, and where music or a ring tone plays."""

    levelled: Levelled
    speech: Sequence[Stretch]
    music: Sequence[Stretch]


def channel_of(levelled: Levelled, speech: Sequence[Stretch]) -> Channel:
    """Return what the sound of a channel says."""
    length_s = len(levelled.samples) / RATE_HZ
    gaps = [gap for gap in between(speech, length_s) if gap.end_s - gap.start_s >= MUSIC_S]
    music = [found for gap in gaps for found in _music(levelled.samples, gap)]
    return Channel(levelled, speech, music)


def described(channels: Sequence[Channel], duration_s: float) -> dict[str, Any]:
    """Return what is kept with a transcript: levels and gain by channel, music, and dead air (nobody, no music)."""
    speech = merged(stretch for channel in channels for stretch in channel.speech)
    music = merged(stretch for channel in channels for stretch in channel.music)
    quiet = between(merged([*speech, *music]), duration_s)
    dead = [gap for gap in quiet if gap.end_s - gap.start_s >= DEAD_AIR_S]
    return {
        "channels": [_document(channel) for channel in channels],
        "music": pairs(music),
        "dead_air": pairs(dead),
        "silence_s": round(length(quiet), 2),
        "longest_silence_s": round(max((gap.end_s - gap.start_s for gap in quiet), default=0.0), 2),
        "music_s": round(length(music), 2),
    }


def _document(channel: Channel) -> Mapping[str, float | None]:
    loud_db = channel.levelled.loud_db
    return {
        "gain_db": channel.levelled.gain_db,
        "loud_db": loud_db if math.isfinite(loud_db) else None,
        "clipped": round(channel.levelled.clipped, 5),
        "speech_s": round(length(channel.speech), 2),
    }


def _music(samples: NDArray[np.float32], gap: Stretch) -> list[Stretch]:
    """Return where a gap sounds: seconds that are loud enough and whose power stands in few frequencies."""
    sounding = [
        Stretch(second, min(second + 1.0, gap.end_s))
        for second in np.arange(gap.start_s, gap.end_s - 0.5, 1.0).tolist()
        if _is_tonal(samples[int(second * RATE_HZ) : int((second + 1.0) * RATE_HZ)])
    ]
    return [found for found in merged(sounding, MUSIC_PAUSE_S) if found.end_s - found.start_s >= MUSIC_S]


def _is_tonal(samples: NDArray[np.float32]) -> bool:
    """Tell whether sound is loud enough, and its spectrum peaked (flatness: geometric over arithmetic mean)."""
    if samples.size < RATE_HZ // 2 or float(np.sqrt(np.mean(np.square(samples)))) < MUSIC_LEVEL:
        return False
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    band = power[int(LOWEST_HZ * len(samples) / RATE_HZ) : int(HIGHEST_HZ * len(samples) / RATE_HZ)] + LEAST_POWER
    return bool(np.exp(np.mean(np.log(band))) / np.mean(band) < TONAL)


def merged(stretches: Iterable[Stretch], pause_s: float = 0.0) -> list[Stretch]:
    """Return stretches in order, those joined that touch or are not further apart than ``pause_s``."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: stretch.start_s):
        if found and one.start_s <= found[-1].end_s + pause_s:
            found[-1] = Stretch(found[-1].start_s, max(found[-1].end_s, one.end_s))
        else:
            found.append(one)
    return found


def between(stretches: Sequence[Stretch], length_s: float) -> list[Stretch]:
    """Return the gaps before, between and after ordered stretches."""
    ends = [0.0, *(stretch.end_s for stretch in stretches)]
    starts = [*(stretch.start_s for stretch in stretches), length_s]
    return [Stretch(end, start) for end, start in zip(ends, starts, strict=True) if start > end]


def length(stretches: Iterable[Stretch]) -> float:
    """Return how many seconds stretches have together."""
    return sum(stretch.end_s - stretch.start_s for stretch in stretches)


def pairs(stretches: Iterable[Stretch]) -> list[list[float]]:
    """Return stretches as they are stored: pairs of seconds."""
    return [[round(stretch.start_s, 2), round(stretch.end_s, 2)] for stretch in stretches]
