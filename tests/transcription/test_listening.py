"""Calls heard together: each gets its own words, in order, and what is remembered is not heard again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_service.media.services import SPEECH_RATE_HZ, decode
from audit_service.transcription import listening, parts
from audit_service.transcription.listening import TOGETHER, Call, listen_to
from audit_service.transcription.parts import Forgetful, Part
from audit_service.transcription.values import HeardPassage, Word
from tests.conftest import SAMPLES

CALLS = [SAMPLES / "calls" / f"{name}.wav" for name in ("zh-03", "en-01", "zh-04")]


class Together:
    """An engine that writes how long each sound was and in which language, and notes what came together."""

    name, model, model_sha256 = "together", "none", "0" * 64
    options: dict[str, str | int | float | bool | None] = {}  # noqa: RUF012 (the protocol's form)

    def __init__(self) -> None:
        self.groups: list[int] = []

    def find_language(self, _samples: NDArray[np.float32]) -> str:
        return "zh"

    def language_odds(self, _samples: NDArray[np.float32]) -> Mapping[str, float]:
        return {}

    def with_words(self, _words: str) -> Together:
        return self

    def listen(self, samples: NDArray[np.float32], language: str) -> Sequence[HeardPassage]:
        return self.listen_together([samples], language)[0]

    def listen_together(self, sounds: Sequence[NDArray[np.float32]], language: str) -> list[list[HeardPassage]]:
        self.groups.append(len(sounds))
        return [[HeardPassage(0.0, 1.0, (Word(0.0, 1.0, f"{language} {len(sound)} ", 0.9),))] for sound in sounds]


class Remembering:
    """Remembers in memory."""

    def __init__(self) -> None:
        self.kept: dict[Part, Sequence[HeardPassage]] = {}

    def recall(self, part: Part) -> Sequence[HeardPassage] | None:
        return self.kept.get(part)

    def keep(self, part: Part, heard: Sequence[HeardPassage], _took_s: float, _total_s: float) -> None:
        self.kept[part] = heard


def calls(paths: Sequence[Path] = CALLS) -> list[Call]:
    return [Call(decode(path), path.name[:2], Forgetful()) for path in paths]


def test_each_channel_of_each_call_gets_its_own_words_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_S", 8.0)
    monkeypatch.setattr(parts, "SEARCH_S", 3.0)
    engine, given = Together(), calls()
    heard = listen_to(given, engine)
    assert max(engine.groups) > 1
    assert max(engine.groups) <= TOGETHER
    for call, channels in zip(given, heard, strict=True):
        assert len(channels) == call.audio.channel_count
        for passages in channels:
            assert [passage.start_s for passage in passages] == sorted(passage.start_s for passage in passages)
            assert {passage.text.split()[0] for passage in passages} == {call.language}
            heard_s = sum(int(passage.text.split()[1]) for passage in passages) / SPEECH_RATE_HZ
            assert heard_s <= call.audio.duration_s


def test_what_is_remembered_is_not_heard_again() -> None:
    engine, memory = Together(), Remembering()
    call = Call(decode(CALLS[0]), "zh", memory)
    first = listen_to([call], engine)
    assert len(memory.kept) == 2
    assert listen_to([call], engine) == first
    assert engine.groups == [2]


def test_no_more_is_heard_together_than_a_dying_worker_may_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, given = Together(), calls([CALLS[0]])
    monkeypatch.setattr(listening, "TOGETHER_S", given[0].audio.duration_s * 1.5)
    listen_to(given, engine)
    assert engine.groups == [1, 1]
