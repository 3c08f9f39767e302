"""Words that nobody said are left out and counted; words that somebody said stay."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from audit_service.media.services import decode
from audit_service.transcription.speech import RATE_HZ, Stretch, find_speech, shared_s
from audit_service.transcription.suppression import LEARNT, NOBODY, SILENT, Sieve, level
from audit_service.transcription.values import HeardPassage, Word
from tests.conftest import SAMPLES


def passage(text: str, start_s: float, end_s: float) -> HeardPassage:
    return HeardPassage(start_s, end_s, (Word(start_s, end_s, text, 0.9),))


def ring_tone(seconds: float) -> np.ndarray:
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (0.15 * np.sin(2 * np.pi * 450 * times) * (times % 5 < 1)).astype(np.float32)


def test_what_is_written_on_silence_and_on_a_ring_tone_is_left_out() -> None:
    samples = np.concatenate([np.zeros(5 * RATE_HZ, dtype=np.float32), ring_tone(10)])
    sieve = Sieve(samples)
    assert sieve.said([passage("谢谢观看", 1, 3), passage("喂", 10.1, 10.9), passage("……", 6, 7)]) == []
    assert sieve.counts == Counter({SILENT: 1, NOBODY: 1})


def test_what_is_said_in_a_call_stays_word_for_word() -> None:
    for name in ("zh-03", "en-01"):
        audio = decode(SAMPLES / "calls" / f"{name}.wav")
        turns = json.loads((SAMPLES / "truth" / f"{name}.json").read_text(encoding="utf-8"))["turns"]
        for channel, is_agent in ((0, True), (1, False)):
            said = [passage(t["text"], t["start"], t["end"]) for t in turns if (t["speaker"] == "agent") is is_agent]
            sieve = Sieve(audio.channel(channel))
            assert sieve.said(said) == said
            assert not sieve.counts


def test_a_sentence_learnt_from_videos_goes_only_where_there_is_hardly_any_speech() -> None:
    audio = decode(SAMPLES / "calls" / "zh-03.wav").channel(0)
    speech = find_speech(audio)[0]
    samples = np.concatenate([audio[: int(speech.end_s * RATE_HZ)], ring_tone(30)])
    end_s = len(samples) / RATE_HZ
    thanks = "感谢收看，下期再见"
    assert Sieve(samples).said([passage(thanks, speech.start_s, speech.end_s)])
    sieve = Sieve(samples)
    assert sieve.said([passage(thanks, speech.end_s - 0.1, end_s)]) == []
    assert sieve.counts == Counter({LEARNT: 1})


def test_seconds_shared_with_speech_are_added_up() -> None:
    assert shared_s(1, 4, [Stretch(0, 2), Stretch(3, 3.5), Stretch(5, 6)]) == 1.5


def test_no_sound_is_silent() -> None:
    assert level(np.zeros(0, dtype=np.float32)) == 0.0
