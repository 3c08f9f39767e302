"""How a call was shared between its sides: talk time, both at once, silence. All in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

Span = tuple[float, float]


class Said(Protocol):
    """A stretch of one speaker."""

    @property
    def speaker(self) -> str:
        """Return the role."""

    @property
    def start_s(self) -> float:
        """Return the first second."""

    @property
    def end_s(self) -> float:
        """Return the last second."""


@dataclass(frozen=True)
class Talk:
    """How a call was shared.

    Attributes:
        talk_s: seconds by speaker; where both speak at once, both count.
        overlap_s: seconds in which two sides speak at once; words of one mono channel cannot overlap.
        interruptions: how often a side began while another was speaking, and went on after it.
        silence_s: seconds in which nobody speaks; ``longest_silence_s`` is the longest such stretch.
    """

    duration_s: float
    talk_s: Mapping[str, float]
    overlap_s: float
    interruptions: Mapping[str, int]
    silence_s: float
    longest_silence_s: float

    def share(self, speaker: str) -> float:
        """Return the share of the call in which a speaker speaks, from 0 to 1."""
        return self.talk_s.get(speaker, 0.0) / self.duration_s if self.duration_s else 0.0


def measure(segments: Iterable[Said], duration_s: float) -> Talk:
    """Return how a call of ``duration_s`` seconds was shared, from the times of its segments."""
    ordered = sorted(segments, key=lambda one: (one.start_s, one.end_s))
    spans: dict[str, list[Span]] = {}
    for segment in ordered:
        spans.setdefault(str(segment.speaker), []).append((segment.start_s, segment.end_s))
    merged = {speaker: _merged(found) for speaker, found in spans.items()}
    anyone = _merged(sorted(span for found in merged.values() for span in found))
    talk = {speaker: _length(found) for speaker, found in merged.items()}
    gaps = _gaps(anyone, duration_s)
    return Talk(
        duration_s=duration_s,
        talk_s={speaker: round(seconds, 2) for speaker, seconds in talk.items()},
        overlap_s=round(sum(talk.values()) - _length(anyone), 2),
        interruptions=_interruptions(ordered),
        silence_s=round(sum(gaps), 2),
        longest_silence_s=round(max(gaps, default=0.0), 2),
    )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return ordered spans without overlap."""
    found: list[Span] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _length(spans: Iterable[Span]) -> float:
    return sum(end - start for start, end in spans)


def _gaps(anyone: list[Span], duration_s: float) -> list[float]:
    ends = [0.0, *(end for _, end in anyone)]
    starts = [*(start for start, _ in anyone), duration_s]
    return [start - end for end, start in zip(ends, starts, strict=True) if start > end]


def _interruptions(ordered: Iterable[Said]) -> dict[str, int]:
    found: dict[str, int] = {}
    speaking: dict[str, float] = {}
    for segment in ordered:
        speaker = str(segment.speaker)
        others = [end for other, end in speaking.items() if other != speaker]
        if any(segment.start_s < end < segment.end_s for end in others):
            found[speaker] = found.get(speaker, 0) + 1
        speaking[speaker] = max(segment.end_s, speaking.get(speaker, 0.0))
    return found
