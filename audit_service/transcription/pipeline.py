"""One recording from file to segments: decode, listen to each channel, tell the sides apart, normalise, merge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from audit_service.media.services import decode
from audit_service.media.values import DecodedAudio, Limits
from audit_service.transcription.acoustics import Channel, channel_of, described, pairs
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.languages import of_text, unsupported
from audit_service.transcription.levels import levelled
from audit_service.transcription.listening import Call, listen_to
from audit_service.transcription.normalisation import normalise
from audit_service.transcription.parts import Forgetful, Memory
from audit_service.transcription.speakers import Known, roles
from audit_service.transcription.suppression import LEARNT, NOBODY, SILENT, Sieve, level
from audit_service.transcription.values import HeardPassage, SpokenSegment, TranscriptResult
from audit_service.transcription.voices import VoiceEncoder, listen_for_voices, split_by_voice

log = structlog.get_logger()
Given = TypeVar("Given")
Heard = TypeVar("Heard")
LANGUAGE_SAMPLE_S = 60.0
SURE_FROM = 0.8
"""Chance of being right from which a guess of who is the agent counts as sure."""


@dataclass(frozen=True)
class ListeningOptions:
    """What is known of a recording before anybody listens.

    Attributes:
        language: spoken language; found out if None.
        agent_channel: channel of the agent; found out if None.
        counterpart: role of the other side.
        sure_from: score (0 to 1) from which a guess of the agent's side counts as sure.
        limits: what the decoding child may use.
    """

    language: str | None
    agent_channel: int | None
    counterpart: str
    sure_from: float = SURE_FROM
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, eq=False)
class Sound:
    """A recording that was decoded: what is known of it, and what remembers the parts that were heard before."""

    audio: DecodedAudio
    options: ListeningOptions
    memory: Memory = field(default_factory=Forgetful)


def transcribe_file(
    path: Path, engine: Engine, options: ListeningOptions, memory: Memory | None = None
) -> TranscriptResult:
    """Return the words of a recording; ``memory`` recalls the parts that were heard before and keeps the others.

    Raises:
        MediaRefusedError: the file cannot be decoded.
    """
    sound = Sound(decode(path, options.limits), options, memory or Forgetful())
    return transcribe_sounds([sound], engine)[0]


def transcribe_sounds(sounds: Sequence[Sound], engine: Engine) -> list[TranscriptResult]:
    """Return the words of several recordings, which are heard together.

    What is in a language that is not read here is not listened to.
    """
    spoken = [_spoken(sound.audio, engine, sound.options) for sound in sounds]
    calls = [
        Call(sound.audio, language, sound.memory)
        for sound, (language, is_read) in zip(sounds, spoken, strict=True)
        if is_read
    ]
    heard = iter(zip(calls, listen_to(calls, engine), strict=True))
    return [
        _result(*next(heard), engine, sound.options) if is_read else _not_listened_to(engine, language, sound.audio)
        for sound, (language, is_read) in zip(sounds, spoken, strict=True)
    ]


def together_or_alone(
    given: Sequence[Given], hear: Callable[[Sequence[Given]], Sequence[Heard]], caught: type[Exception]
) -> list[Heard | Exception]:
    """Return what ``hear`` makes of several recordings, or what went wrong with each.

    Where hearing them together fails, each alone has its chance; errors that are not ``caught`` are raised.
    """
    try:
        return list(hear(given))
    except caught as error:
        if len(given) == 1:
            return [error]
        log.warning("heard_one_by_one", recordings=len(given), error=type(error).__name__)
        return [alone for one in given for alone in together_or_alone([one], hear, caught)]


def _spoken(audio: DecodedAudio, engine: Engine, options: ListeningOptions) -> tuple[str, bool]:
    """Return the spoken language, and whether it is read here; one that was stated is taken as it is."""
    if options.language:
        return options.language, True
    opening = _loudest_opening(audio)
    other = unsupported(engine.language_odds(opening))
    return (other, False) if other else (engine.find_language(opening), True)


def _result(
    call: Call, passages: Sequence[Sequence[HeardPassage]], engine: Engine, options: ListeningOptions
) -> TranscriptResult:
    """Return the transcript of a call: what nobody said left out, the sides told apart."""
    audio = call.audio
    suppressed: Counter[str] = Counter({SILENT: 0, NOBODY: 0, LEARNT: 0})
    heard: Sides = []
    sound: list[Channel] = []
    for channel, found in enumerate(passages):
        level_now = levelled(audio.channel(channel))
        sieve = Sieve(level_now.samples, suppressed)
        heard.append(sieve.said(found))
        sound.append(channel_of(level_now, sieve.speech))
    sides, told = _by_channel(heard) if len(heard) > 1 else _by_voice(heard[0], audio)
    stated = options.agent_channel if len(heard) > 1 else None
    who = roles(sides, Known(stated, options.counterpart, call.language))
    told |= {"agent_score": round(who.score, 3), "roles": who.certainty(options.sure_from).value}
    segments = [
        _segment(passage, side if len(heard) > 1 else 0, who.speakers[side], call.language, sound)
        for side, found in enumerate(sides)
        for passage in found
    ]
    return TranscriptResult(
        engine=engine.name,
        model=engine.model,
        model_sha256=engine.model_sha256,
        options=dict(engine.options) | told | suppressed | {"filled_s": audio.filled_s, "decoded_by": audio.made_by},
        language=call.language,
        duration_s=audio.duration_s,
        segments=tuple(sorted(segments, key=lambda segment: (segment.start_s, segment.channel))),
        speech=tuple(pairs(channel.speech) for channel in sound),
        acoustics=described(sound, audio.duration_s),
    )


def _not_listened_to(engine: Engine, language: str, audio: DecodedAudio) -> TranscriptResult:
    """Return a result without words: what is spoken is not read here, and guesses would look like words."""
    options = dict(engine.options) | {"unsupported_language": language, "decoded_by": audio.made_by}
    return TranscriptResult(
        engine=engine.name,
        model=engine.model,
        model_sha256=engine.model_sha256,
        options=options,
        language=language,
        duration_s=audio.duration_s,
        unsupported_language=language,
    )


@cache
def _voice_encoder() -> VoiceEncoder:
    return VoiceEncoder()


Sides = list[list[HeardPassage]]


def _by_channel(heard: Sides) -> tuple[Sides, dict[str, str | float]]:
    return heard, {"told_apart_by": "channel"}


def _by_voice(passages: Sequence[HeardPassage], audio: DecodedAudio) -> tuple[Sides, dict[str, str | float]]:
    """Return what each voice of a channel says, and how the voices were told apart."""
    encoder = _voice_encoder()
    found = listen_for_voices(audio.channel(0), encoder)
    sides = split_by_voice(passages, found)
    if len(sides) == 1:
        return sides, {"told_apart_by": "nothing"}
    likeness = round(found.likeness, 3)
    return sides, {"told_apart_by": "voice", "voice_encoder": encoder.sha256, "likeness_of_voices": likeness}


def _loudest_opening(audio: DecodedAudio) -> NDArray[np.float32]:
    openings = [audio.channel(channel, 0.0, LANGUAGE_SAMPLE_S) for channel in range(audio.channel_count)]
    return max(openings, key=level)


def _segment(
    passage: HeardPassage, channel: int, speaker: str, language: str, sound: Sequence[Channel]
) -> SpokenSegment:
    text = normalise(passage.text, language)
    return SpokenSegment(
        channel=channel,
        speaker=speaker,
        start_s=round(passage.start_s, 2),
        end_s=round(passage.end_s, 2),
        text=text,
        text_original=passage.text,
        confidence=round(passage.confidence, 3),
        words=passage.words,
        language=of_text(text, language),
        level_db=sound[channel].levelled.level_db(passage.start_s, passage.end_s),
    )
