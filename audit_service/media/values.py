"""Values of media: the limits of a child, what was found in a file, and the decoded sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0
"""Magnitude of the lowest 16-bit sample; dividing by it gives -1 to 1."""


@dataclass(frozen=True)
class Limits:
    """What one child may use for one file; above it the file is refused.

    Attributes:
        wall_s: seconds on the clock.
        cpu_s: processor seconds; whole seconds, because the kernel counts those.
        memory_bytes: address space of the child.
        output_bytes: largest file that the child may write.
        duration_s: longest recording, in seconds.
        channels: most channels; each is decoded on its own.

    """

    wall_s: float = 600.0
    cpu_s: int = 300
    memory_bytes: int = 1024**3
    output_bytes: int = 2 * 1024**3
    duration_s: float = 3 * 3600.0
    channels: int = 8


@dataclass(frozen=True)
class MediaInfo:
    """What the headers and packets of a file say; nothing but its first packets was decoded.

    Attributes:
        container: name of the container, e.g. ``wav``, ``mp4``.
        codec: name of the decoder, e.g. ``pcm_mulaw``.
        channels: number of channels.
        sample_rate_hz: rate of the recording.
        duration_s: seconds of sound in the packets.
        has_video: there is a picture track too, which is ignored.

    """

    container: str
    codec: str
    channels: int
    sample_rate_hz: int
    duration_s: float
    has_video: bool


@dataclass(frozen=True, eq=False)
class DecodedAudio:
    """The sound of a file as 16-bit samples; kept in an unnamed file on disk, not in memory.

    Attributes:
        info: what the file is.
        rate_hz: rate of the samples.
        samples: one column per channel, one row per instant.
        damaged_packets: packets that could not be decoded.
        filled_s: seconds of silence that stand in place of lost sound, so that later seconds stay true.
        made_by: tool, version and command that made the samples.

    """

    info: MediaInfo
    rate_hz: int
    samples: NDArray[np.int16]
    damaged_packets: int
    filled_s: float
    made_by: str = ""

    @property
    def channel_count(self) -> int:
        """Return the number of channels."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Return the length of the decoded sound, in seconds."""
        return float(self.samples.shape[0]) / self.rate_hz

    def channel(self, index: int, start_s: float = 0.0, end_s: float | None = None) -> NDArray[np.float32]:
        """Return channel ``index`` between two seconds as float32 from -1 to 1; only this part enters memory."""
        first = round(start_s * self.rate_hz)
        last = None if end_s is None else round(end_s * self.rate_hz)
        return self.samples[first:last, index].astype(np.float32) / np.float32(FULL_SCALE)
