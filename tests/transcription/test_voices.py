"""Mono calls: two voices on one channel are told apart, one voice is not made two."""

from __future__ import annotations

import itertools
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from audit_service.media.services import decode
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.speech import Stretch
from audit_service.transcription.talk import measure
from audit_service.transcription.values import HeardPassage, SpokenSegment, Word
from audit_service.transcription.voices import VoiceEncoder, listen_for_voices, split_by_voice, who_speaks
from tests.conftest import SAMPLES

CALLS = ("en-02", "en-03", "zh-02", "zh-06", "zh-07")


@pytest.fixture(scope="module")
def encoder() -> VoiceEncoder:
    return VoiceEncoder()


def mono(name: str) -> np.ndarray:
    audio = decode(SAMPLES / "calls" / f"{name}.wav")
    return audio.channel(0) + audio.channel(1)


def turns(name: str) -> list[dict]:
    return json.loads((SAMPLES / "truth" / f"{name}.json").read_text(encoding="utf-8"))["turns"]


def true_words(name: str) -> list[HeardPassage]:
    """Return a passage of all turns, each turn one word at its true time."""
    words = tuple(Word(turn["start"], turn["end"], turn["speaker"], 1.0) for turn in turns(name))
    return [HeardPassage(words[0].start_s, words[-1].end_s, words)]


@pytest.mark.parametrize("name", CALLS)
def test_the_turns_of_a_mono_mix_go_to_the_voice_that_speaks_them(encoder: VoiceEncoder, name: str) -> None:
    sides = split_by_voice(true_words(name), listen_for_voices(mono(name), encoder))
    assert len(sides) == 2
    right = wrong = 0
    for passages, named in zip(sides, best_names(sides), strict=True):
        spoken = [word.text for passage in passages for word in passage.words]
        right += spoken.count(named)
        wrong += len(spoken) - spoken.count(named)
    assert wrong <= 0.1 * (right + wrong)


def best_names(sides: list[list[HeardPassage]]) -> tuple[str, str]:
    def agreement(names: tuple[str, str]) -> int:
        return sum(
            word.text == name for side, name in zip(sides, names, strict=True) for one in side for word in one.words
        )

    speakers = {word.text for side in sides for one in side for word in one.words}
    return max(itertools.permutations(speakers, 2), key=agreement)


@pytest.mark.parametrize("name", ["en-01", "zh-01", "zh-04"])
def test_one_side_alone_is_one_voice(encoder: VoiceEncoder, name: str) -> None:
    alone = decode(SAMPLES / "calls" / f"{name}.wav").channel(0)
    agents = [turn for turn in turns(name) if turn["speaker"] == "agent"]
    passages = [HeardPassage(t["start"], t["end"], (Word(t["start"], t["end"], "x", 1.0),)) for t in agents]
    assert split_by_voice(passages, listen_for_voices(alone, encoder)) == [passages]


def test_a_channel_without_speech_has_one_side(encoder: VoiceEncoder) -> None:
    found = listen_for_voices(np.zeros(16_000 * 5, dtype=np.float32), encoder)
    assert split_by_voice([], found) == [[]]


def test_the_same_window_has_the_same_vector_in_any_company(encoder: VoiceEncoder) -> None:
    samples = mono("zh-02")
    windows = [Stretch(start, start + 1.6) for start in (1.0, 3.0, 5.0)]
    together = encoder.vectors(samples, windows)
    assert together.shape == (3, 256)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-4)
    assert np.array_equal(together, encoder.vectors(samples, windows))


def test_a_passage_of_both_voices_is_cut_where_the_voice_changes(encoder: VoiceEncoder) -> None:
    found = listen_for_voices(mono("zh-06"), encoder)
    spoken = who_speaks(found)
    change = int(np.flatnonzero(np.diff(spoken.is_second))[0])
    before, after = spoken.at_s[change], spoken.at_s[change + 1]
    passage = HeardPassage(
        before - 0.5, after + 0.5, (Word(before - 0.5, before, "甲", 1.0), Word(after, after + 0.5, "乙", 1.0))
    )
    sides = split_by_voice([passage], found)
    assert sorted(one.text for side in sides for one in side) == ["乙", "甲"]
    assert all(len(side) == 1 for side in sides)


class Reciting(Engine):
    """Stands for a recogniser with perfect ears: what is under test is what becomes of its words."""

    name, model, model_sha256 = "reciting", "truth", ""
    options: dict = {}  # noqa: RUF012 - as the protocol has it

    def __init__(self, spoken: list[dict]) -> None:
        self._spoken = spoken

    def with_words(self, _words: str):
        return self

    def language_odds(self, _samples: np.ndarray) -> dict[str, float]:
        return {}

    def find_language(self, _samples: np.ndarray) -> str:
        return "zh"

    def listen(self, _samples: np.ndarray, _language: str) -> list[HeardPassage]:
        return [HeardPassage(t["start"], t["end"], (Word(t["start"], t["end"], t["text"], 0.9),)) for t in self._spoken]


def test_a_mono_call_gets_its_roles_by_voice_and_opening_words(tmp_path: Path) -> None:
    file = tmp_path / "mono.wav"
    with wave.open(str(file), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes((np.clip(mono("zh-06"), -1, 1) * 32767).astype("<i2").tobytes())
    result = transcribe_file(file, Reciting(turns("zh-06")), ListeningOptions("zh", None, "third_party"))
    assert result.options["told_apart_by"] == "voice"
    assert {segment.channel for segment in result.segments} == {0}
    said = {turn["text"]: turn["speaker"] for turn in turns("zh-06")}
    agents = {segment.speaker for segment in result.segments if said[segment.text_original] == "agent"}
    others = {segment.speaker for segment in result.segments if said[segment.text_original] != "agent"}
    assert (agents, others) == ({"agent"}, {"third_party"})


def segment(speaker: str, start_s: float, end_s: float) -> SpokenSegment:
    return SpokenSegment(0, speaker, start_s, end_s, "", "", 1.0)


def test_talk_time_counts_both_where_both_speak_and_silence_where_nobody_does() -> None:
    talk = measure([segment("agent", 1, 4), segment("borrower", 3, 6), segment("agent", 10, 11)], 20.0)
    assert talk.talk_s == {"agent": 4.0, "borrower": 3.0}
    assert (talk.overlap_s, talk.silence_s, talk.longest_silence_s) == (1.0, 14.0, 9.0)
    assert talk.interruptions == {"borrower": 1}
    assert talk.share("agent") == 0.2


def test_a_call_without_words_is_silence() -> None:
    talk = measure([], 5.0)
    assert (talk.talk_s, talk.silence_s, talk.overlap_s) == ({}, 5.0, 0.0)
