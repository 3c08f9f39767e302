"""How a call was shared between its sides: talk time, both at once, silence. All in seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Protocol

Span = tuple[float, float]
UNIT = re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9']+")
LONG_TURN_S, SHORTEST_SHOUT_S = 2.0, 0.5
LEAST_TURNS, LOUDER_DB = 5, 9.0


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

    @property
    def text(self) -> str:
        """Return the words."""

    @property
    def level_db(self) -> float | None:
        """Return how loud they are, in decibels below full scale; None where nobody measured."""


@dataclass(frozen=True)
class Talk:
    """How a call was shared.

    Attributes:
        talk_s: seconds by speaker; where both speak at once, both count.
        overlap_s: seconds in which two sides speak at once; words of one mono channel cannot overlap.
        interruptions: how often a side began while another was speaking, and went on after it.
        silence_s: seconds in which nobody speaks; ``longest_silence_s`` is the longest such stretch. From the sound
            where it was measured, then without ``music_s``, hold music and ring tones; else between words.
        pace: characters (of English: words) a minute by speaker, over turns that are long enough to tell.
        shouted: turns that are much louder than their speaker's own median, as (speaker, start in seconds).
        is_told_apart: the sides have channels of their own; on one channel nobody can be heard to interrupt.
    """

    duration_s: float
    talk_s: Mapping[str, float]
    overlap_s: float
    interruptions: Mapping[str, int]
    silence_s: float
    longest_silence_s: float
    music_s: float | None = None
    pace: Mapping[str, float] = field(default_factory=dict)
    shouted: Sequence[tuple[str, float]] = ()
    is_told_apart: bool = True

    def share(self, speaker: str) -> float:
        """Return the share of the call in which a speaker speaks, from 0 to 1."""
        return self.talk_s.get(speaker, 0.0) / self.duration_s if self.duration_s else 0.0


def measure(
    segments: Iterable[Said],
    duration_s: float,
    acoustics: Mapping[str, Any] | None = None,
    *,
    is_told_apart: bool = True,
) -> Talk:
    """Return how a call of ``duration_s`` seconds was shared, from the times of its segments and from its sound."""
    sound = acoustics or {}
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
        overlap_s=round(sum(talk.values()) - _length(anyone), 2) if is_told_apart else 0.0,
        interruptions=_interruptions(ordered) if is_told_apart else {},
        silence_s=float(sound.get("silence_s", round(sum(gaps), 2))),
        longest_silence_s=float(sound.get("longest_silence_s", round(max(gaps, default=0.0), 2))),
        music_s=sound.get("music_s"),
        pace=_pace(ordered),
        shouted=_shouted(ordered),
        is_told_apart=is_told_apart,
    )


def _pace(ordered: Iterable[Said]) -> dict[str, float]:
    """Return how fast each side speaks, over its turns of at least ``LONG_TURN_S``."""
    units: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for segment in ordered:
        length = segment.end_s - segment.start_s
        if length >= LONG_TURN_S:
            speaker = str(segment.speaker)
            units[speaker] = units.get(speaker, 0) + len(UNIT.findall(segment.text))
            seconds[speaker] = seconds.get(speaker, 0.0) + length
    return {speaker: round(60 * count / seconds[speaker]) for speaker, count in units.items()}


def _shouted(ordered: Sequence[Said]) -> list[tuple[str, float]]:
    """Return the turns much louder than the median of their speaker, who must have enough turns to have one."""
    levels: dict[str, list[float]] = {}
    for segment in ordered:
        if segment.level_db is not None:
            levels.setdefault(str(segment.speaker), []).append(segment.level_db)
    usual = {speaker: median(found) for speaker, found in levels.items() if len(found) >= LEAST_TURNS}
    return [
        (str(segment.speaker), segment.start_s)
        for segment in ordered
        if segment.level_db is not None
        and segment.end_s - segment.start_s >= SHORTEST_SHOUT_S
        and segment.level_db >= usual.get(str(segment.speaker), float("inf")) + LOUDER_DB
    ]


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
