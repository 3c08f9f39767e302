"""What is said on the channels of calls, part by part; the parts of several channels and calls are heard together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from audit_service.media.values import DecodedAudio
from audit_service.transcription.engines.protocol import Engine, TogetherEngine
from audit_service.transcription.levels import amplified, levelled
from audit_service.transcription.parts import Memory, Part, cut, moved
from audit_service.transcription.suppression import SILENCE_LEVEL, level
from audit_service.transcription.values import HeardPassage

TOGETHER = 16
"""Parts heard together at most."""
TOGETHER_S = 600.0
"""Seconds of sound heard together at most: bounds the memory, and what a worker that dies has to hear again."""


@dataclass(frozen=True, eq=False)
class Call:
    """A call to listen to: its sound, the spoken language, and what remembers the parts that are done."""

    audio: DecodedAudio
    language: str
    memory: Memory

    @cached_property
    def gains_db(self) -> Sequence[float]:
        """Return by how much each channel is made louder; the louder sound itself would fill the memory."""
        return [levelled(self.audio.channel(channel)).gain_db for channel in range(self.audio.channel_count)]

    def sound(self, part: Part) -> NDArray[np.float32]:
        """Return a part as it is listened to."""
        samples = self.audio.channel(part.channel, part.start_s, part.end_s)
        return amplified(samples, self.gains_db[part.channel])


@dataclass(frozen=True)
class _Place:
    """A part of one of the calls."""

    call: int
    part: Part


def listen_to(calls: Sequence[Call], engine: Engine) -> list[list[list[HeardPassage]]]:
    """Return for each call and channel what is said; what the memory recalls is not listened to again."""
    found: dict[_Place, Sequence[HeardPassage] | None] = {
        place: calls[place.call].memory.recall(place.part) for place in _places(calls)
    }

    def language_of(place: _Place) -> str:
        return calls[place.call].language

    waiting = sorted((place for place, recalled in found.items() if recalled is None), key=language_of)
    for language, places in groupby(waiting, key=language_of):
        for together in _groups(list(places), engine):
            found.update(zip(together, _heard(together, calls, engine, language), strict=True))
    heard: list[list[list[HeardPassage]]] = [[[] for _ in range(call.audio.channel_count)] for call in calls]
    for place, passages in found.items():
        heard[place.call][place.part.channel] += passages or ()
    return heard


def _places(calls: Sequence[Call]) -> Iterator[_Place]:
    for number, call in enumerate(calls):
        for channel in range(call.audio.channel_count):
            for part in cut(call.audio.channel(channel), channel, call.audio.rate_hz):
                yield _Place(number, part)


def _groups(places: Sequence[_Place], engine: Engine) -> Iterator[list[_Place]]:
    """Yield the places that are heard together, in order."""
    most = TOGETHER if isinstance(engine, TogetherEngine) else 1
    group: list[_Place] = []
    for place in places:
        if group and (len(group) == most or sum(map(_length_s, [*group, place])) > TOGETHER_S):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _length_s(place: _Place) -> float:
    return place.part.end_s - place.part.start_s


def _heard(
    places: Sequence[_Place], calls: Sequence[Call], engine: Engine, language: str
) -> list[Sequence[HeardPassage]]:
    """Return what is said at the places, and remember it; the time it took is shared by the length of the parts."""
    begun = time.monotonic()
    sounds = [calls[place.call].sound(place.part) for place in places]
    loud = [number for number, sound in enumerate(sounds) if level(sound) >= SILENCE_LEVEL]
    said = dict(zip(loud, _listen([sounds[number] for number in loud], engine, language), strict=True))
    passages = [
        [moved(passage, place.part.start_s) for passage in said.get(number, ())] for number, place in enumerate(places)
    ]
    took_s, length_s = time.monotonic() - begun, sum(map(_length_s, places))
    for place, found in zip(places, passages, strict=True):
        audio = calls[place.call].audio
        share = _length_s(place) / length_s if length_s else 0.0
        calls[place.call].memory.keep(place.part, found, took_s * share, audio.duration_s * audio.channel_count)
    return list(passages)


def _listen(sounds: Sequence[NDArray[np.float32]], engine: Engine, language: str) -> Sequence[Sequence[HeardPassage]]:
    if isinstance(engine, TogetherEngine):
        return engine.listen_together(sounds, language)
    return [engine.listen(sound, language) for sound in sounds]
