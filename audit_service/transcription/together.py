"""Listen to sealed recordings, several short ones at once; each has an outcome of its own, words or what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from audit_service.custody.vault import Vault
from audit_service.media.services import decode, render_playback
from audit_service.media.values import DecodedAudio, Limits
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.pipeline import (
    SURE_FROM,
    ListeningOptions,
    Sound,
    together_or_alone,
    transcribe_sounds,
)
from audit_service.transcription.progress import StoredMemory
from audit_service.transcription.services import Heard, Plan, unsealed
from audit_service.transcription.values import TranscriptResult

AT_ONCE = 2
"""Recordings decoded and rendered at the same time, each by a child process."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Room:
    """Where sealed recordings are, where their plain copies live for a while, and what is set for all of them.

    Attributes:
        limits: what decoders may use.
        sure_from: score (0 to 1) from which a guess of the agent's side counts as sure.
    """

    vault: Vault
    work_dir: Path
    limits: Limits
    sure_from: float = SURE_FROM


@dataclass(frozen=True, eq=False)
class _Opened:
    """A recording that was decoded: its plain copy, its sound, and the seconds that took."""

    planned: Plan
    folder: Path
    audio: DecodedAudio
    took_s: float


@dataclass(frozen=True, eq=False)
class _Listened:
    """A recording with its words; ``took_s`` is its share of the time."""

    opened: _Opened
    result: TranscriptResult
    took_s: float


@contextmanager
def listening(plans: Sequence[Plan], engine: Engine, room: Room) -> Iterator[list[Heard | Exception]]:
    """Transcribe sealed recordings that expect the same words of the trade; their plain copies are gone afterwards.

    Yields for each plan what was heard, or the error that came of this recording and touches no other. It takes as long
    as the sound demands and holds no transaction. What was heard before a worker died is not heard again.
    """
    ears = engine.with_words(plans[0].words) if plans[0].words else engine
    with ExitStack() as copies, ThreadPoolExecutor(AT_ONCE) as pool:
        opened = list(pool.map(_tried(lambda planned: _open(planned, room, copies)), plans))
        decoded = [one for one in opened if isinstance(one, _Opened)]
        listened = iter(together_or_alone(decoded, lambda given: _listen(given, ears, room), Exception))
        each = [one if isinstance(one, Exception) else next(listened) for one in opened]
        yield list(pool.map(_tried(lambda one: _with_rendition(one, room)), each))


def _tried(make: Callable[[Given], Made]) -> Callable[[Given | Exception], Made | Exception]:
    """Return ``make`` with what goes wrong as its answer: one bad recording must not take its neighbours down."""

    def attempt(given: Given | Exception) -> Made | Exception:
        if isinstance(given, Exception):
            return given
        try:
            return make(given)
        except Exception as error:  # noqa: BLE001 - the caller raises it where only this recording is concerned
            return error

    return attempt


def _open(planned: Plan, room: Room, copies: ExitStack) -> _Opened:
    begun = time.monotonic()
    folder = copies.enter_context(unsealed(room.vault, planned.sha256, room.work_dir))
    audio = decode(folder / "recording", room.limits)
    return _Opened(planned, folder, audio, time.monotonic() - begun)


def _listen(opened: Sequence[_Opened], ears: Engine, room: Room) -> list[_Listened]:
    begun = time.monotonic()
    results = transcribe_sounds([_sound(one, ears, room) for one in opened], ears)
    took_s, all_s = time.monotonic() - begun, sum(one.audio.duration_s for one in opened)
    return [
        _Listened(one, result, one.took_s + took_s * one.audio.duration_s / all_s)
        for one, result in zip(opened, results, strict=True)
    ]


def _sound(opened: _Opened, ears: Engine, room: Room) -> Sound:
    planned = opened.planned
    options = ListeningOptions(planned.language, planned.agent_channel, planned.counterpart, room.sure_from)
    return Sound(opened.audio, options, StoredMemory(planned.recording_id, ears))


def _with_rendition(listened: _Listened, room: Room) -> Heard:
    begun = time.monotonic()
    planned, folder, result = listened.opened.planned, listened.opened.folder, listened.result
    rendition = folder / "rendition.flac"
    made = render_playback(folder / "recording", rendition, room.limits)
    result = replace(result, options=dict(result.options) | {"word_list": planned.word_list})
    took_s = listened.took_s + time.monotonic() - begun
    return Heard(result, rendition, took_s, {"parent_sha256": planned.sha256, **made})
