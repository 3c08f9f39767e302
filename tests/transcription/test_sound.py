"""Faint channels are made louder, noise is not; speech, music and dead air are told from the sound."""

from __future__ import annotations

import numpy as np
import pytest

from audit_service.media.services import decode
from audit_service.transcription.acoustics import between, channel_of, described, merged
from audit_service.transcription.languages import of_text, unsupported
from audit_service.transcription.levels import FAINT_DB, MOST_GAIN_DB, WANTED_DB, levelled
from audit_service.transcription.speech import RATE_HZ, Stretch, find_speech
from audit_service.transcription.talk import measure
from audit_service.transcription.values import SpokenSegment
from tests.conftest import SAMPLES


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return decode(SAMPLES / "calls" / "zh-03.wav").channel(0)


def noise(seconds: float, level: float) -> np.ndarray:
    dice = np.random.default_rng(1)
    return (dice.standard_normal(int(seconds * RATE_HZ)) * level).astype(np.float32)


def melody(seconds: float) -> np.ndarray:
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 440 * 2 ** ((times // 0.5 % 5) / 12)
    return (0.1 * np.sin(2 * np.pi * pitch * times) + 0.05 * np.sin(4 * np.pi * pitch * times)).astype(np.float32)


def test_a_faint_voice_is_made_louder_and_an_ordinary_one_left_as_it_is(voice: np.ndarray) -> None:
    faint = voice * np.float32(0.003)
    louder = levelled(faint)
    assert louder.loud_db < FAINT_DB
    assert 20 < louder.gain_db <= MOST_GAIN_DB
    assert levelled(louder.samples).loud_db == pytest.approx(WANTED_DB, abs=1.5)
    assert find_speech(louder.samples)
    plain = levelled(voice)
    assert plain.gain_db == 0
    assert plain.samples is voice


def test_the_level_told_of_words_is_that_of_the_recording(voice: np.ndarray) -> None:
    stretch = find_speech(voice)[0]
    plain = levelled(voice).level_db(stretch.start_s, stretch.end_s)
    faint = levelled(voice * np.float32(0.003)).level_db(stretch.start_s, stretch.end_s)
    assert faint == pytest.approx(plain + 20 * np.log10(0.003), abs=1.0)
    assert levelled(voice).level_db(9999, 10000) is None


def test_line_noise_and_silence_are_not_made_louder() -> None:
    assert levelled(noise(5, 0.0005)).gain_db == 0
    assert levelled(np.zeros(RATE_HZ, dtype=np.float32)).gain_db == 0
    assert levelled(np.zeros(0, dtype=np.float32)).gain_db == 0


def test_clipping_is_measured(voice: np.ndarray) -> None:
    assert levelled(voice).clipped < 0.001
    assert levelled(np.clip(voice * 60, -1, 1)).clipped > 0.05


def test_hold_music_is_told_from_dead_air_and_line_noise(voice: np.ndarray) -> None:
    speech = find_speech(voice)
    end_s = len(voice) / RATE_HZ
    samples = np.concatenate([voice, melody(10), noise(6, 0.0003), noise(6, 0.02)])
    sound = described([channel_of(levelled(samples), speech)], len(samples) / RATE_HZ)
    [[begin, end]] = sound["music"]
    assert begin == pytest.approx(end_s, abs=2)
    assert end == pytest.approx(end_s + 10, abs=1.5)
    assert sound["dead_air"][-1][1] == pytest.approx(end_s + 22, abs=0.1)
    assert sound["longest_silence_s"] == pytest.approx(12, abs=1.5)
    assert sound["channels"][0]["speech_s"] > 5


def test_a_voice_on_the_other_channel_is_no_dead_air() -> None:
    quiet = levelled(np.zeros(10 * RATE_HZ, dtype=np.float32))
    sound = described([channel_of(quiet, [Stretch(0, 4)]), channel_of(quiet, [Stretch(3, 9)])], 10.0)
    assert (sound["dead_air"], sound["silence_s"]) == ([], 1.0)


def test_gaps_lie_before_between_and_after() -> None:
    assert between([Stretch(1, 2), Stretch(4, 5)], 6) == [Stretch(0, 1), Stretch(2, 4), Stretch(5, 6)]
    assert merged([Stretch(4, 5), Stretch(1, 2), Stretch(2.5, 3)], 1.0) == [Stretch(1, 5)]


def test_a_language_that_is_not_ours_is_believed_only_where_it_is_sure() -> None:
    assert unsupported({"ja": 0.8, "zh": 0.1, "en": 0.02}) == "ja"
    assert unsupported({"ja": 0.5, "zh": 0.4}) == ""
    assert unsupported({"zh": 0.9, "ja": 0.1}) == ""
    assert unsupported({}) == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("您的账单已逾期", "zh"),
        ("please call us back today", "en"),
        ("请把 OK 发给我", "zh"),
        ("……", "en"),
        ("123", "en"),
    ],
)
def test_a_segment_has_a_language_of_its_own(text: str, language: str) -> None:
    assert of_text(text, "en") == language


def said(speaker: str, start_s: float, end_s: float, text: str = "您好", level_db: float = -25.0) -> SpokenSegment:
    return SpokenSegment(0, speaker, start_s, end_s, text, text, 0.9, (), "zh", level_db)


def test_pace_counts_characters_of_long_turns_and_shouting_is_against_the_own_median() -> None:
    turns = [said("agent", start, start + 3, "一二三四五六七八九十" * 2) for start in range(0, 30, 6)]
    turns += [
        said("agent", 40, 42, "还钱", -12.0),
        said("borrower", 50, 52, "好", -12.0),
        said("agent", 60, 60.1, "啊", -5.0),
    ]
    talk = measure(turns, 70)
    assert talk.pace["agent"] == pytest.approx(60 * 102 / 17, abs=1)
    assert talk.shouted == [("agent", 40)]


def test_silence_is_that_of_the_sound_and_one_channel_has_no_interruptions() -> None:
    turns = [said("agent", 0, 10), said("borrower", 5, 12)]
    sound = {"silence_s": 3.5, "longest_silence_s": 2.0, "music_s": 20.0}
    talk = measure(turns, 40, sound, is_told_apart=False)
    assert (talk.silence_s, talk.longest_silence_s, talk.music_s) == (3.5, 2.0, 20.0)
    assert (talk.overlap_s, talk.interruptions) == (0.0, {})
    assert measure(turns, 40).interruptions == {"borrower": 1}
