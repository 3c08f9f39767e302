"""The real engine on real sample calls, and what guards its words."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import jiwer
import numpy as np
import pytest

from audit_service.media.errors import MediaRefusedError
from audit_service.media.services import decode
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine, split_at_pauses
from audit_service.transcription.errors import WeightsRefusedError
from audit_service.transcription.normalisation import normalise
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.speakers import OPENING_S, Certainty, Known, roles
from audit_service.transcription.values import HeardPassage, Word
from audit_service.transcription.weights import BASE_SHA256, locate_weights
from tests.conftest import SAMPLES
from tests.factories.contacts import tone_wav


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisperEngine:
    return FasterWhisperEngine(locate_weights(None, tmp_path_factory.mktemp("weights")))


def passage(text: str, start_s: float = 0.0) -> HeardPassage:
    return HeardPassage(start_s, start_s + 1.0, (Word(start_s, start_s + 1.0, text, 0.9),))


def only_words(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def test_a_mandarin_call_is_heard_by_channel_in_order_of_time(engine: FasterWhisperEngine) -> None:
    result = transcribe_file(SAMPLES / "calls" / "zh-03.wav", engine, ListeningOptions("zh", 0, "borrower"))
    truth = json.loads((SAMPLES / "truth" / "zh-03.json").read_text(encoding="utf-8"))["turns"]
    said = only_words("".join(turn["text"] for turn in truth if turn["speaker"] == "agent"))
    heard = only_words("".join(segment.text for segment in result.segments if segment.speaker == "agent"))
    assert jiwer.cer(said, heard) < 0.3
    assert {segment.speaker for segment in result.segments} == {"agent", "borrower"}
    starts = [segment.start_s for segment in result.segments]
    assert starts == sorted(starts)
    assert all(0 <= s.start_s < s.end_s <= result.duration_s + 1 for s in result.segments)
    assert all(0 <= segment.confidence <= 1 for segment in result.segments)
    assert (result.model, result.model_sha256) == ("whisper-base", BASE_SHA256)


def test_language_and_agent_are_found_where_nobody_says_them(engine: FasterWhisperEngine) -> None:
    result = transcribe_file(SAMPLES / "calls" / "en-01.wav", engine, ListeningOptions(None, None, "borrower"))
    assert result.language == "en"
    assert (
        next(segment for segment in result.segments if "Northfield" in segment.text or "Mark" in segment.text).speaker
        == "agent"
    )


def test_a_tone_is_not_transcribed_as_a_conversation_and_silence_as_nothing(
    engine: FasterWhisperEngine, tmp_path: Path
) -> None:
    file = tmp_path / "silence.wav"
    content = bytearray(tone_wav(3.0))
    content[44:] = bytes(len(content) - 44)
    file.write_bytes(content)
    assert transcribe_file(file, engine, ListeningOptions("zh", 0, "borrower")).segments == ()


def test_what_is_no_audio_is_refused(engine: FasterWhisperEngine, tmp_path: Path) -> None:
    (tmp_path / "note.wav").write_text("no audio")
    with pytest.raises(MediaRefusedError):
        transcribe_file(tmp_path / "note.wav", engine, ListeningOptions("zh", 0, "borrower"))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefusedError, match=r"model\.bin"):
        locate_weights(tmp_path, tmp_path)


def test_damaged_joined_weights_are_joined_anew(tmp_path: Path) -> None:
    weights = locate_weights(None, tmp_path)
    with (weights.folder / "model.bin").open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"damage")
    assert locate_weights(None, tmp_path).sha256 == BASE_SHA256
    assert not list(tmp_path.glob(".joining-*"))


def test_a_pause_ends_a_passage() -> None:
    words = [Word(0.0, 0.4, "您好", 0.9), Word(0.5, 1.0, "请问", 0.9), Word(2.5, 3.0, "是吗", 0.9)]
    assert [p.text for p in split_at_pauses(words)] == ["您好请问", "是吗"]


@pytest.mark.parametrize(
    ("written", "language", "expected"),
    [
        ("把錢轉到我這個私人賬戶", "zh", "把钱转到我这个私人账户"),
        ("工號 １２３, 好嗎?", "zh", "工号 123，好吗？"),
        (" you  owe us ", "en", "you owe us"),
    ],
)
def test_text_is_normalised(written: str, language: str, expected: str) -> None:
    assert normalise(written, language) == expected


def test_the_call_log_says_who_the_agent_is_else_the_opening_words() -> None:
    sides = [[passage("喂？")], [passage("您好，我是客服，工号一一零九，请问是陈女士吗？", 1.0)]]
    stated = roles(sides, Known(0, "borrower", "zh"))
    assert (stated.speakers, stated.score, stated.certainty(1.0)) == (["agent", "borrower"], 1.0, Certainty.SURE)
    found = roles(sides, Known(None, "third_party", "zh"))
    assert found.speakers == ["third_party", "agent"]
    assert found.certainty(0.8) is Certainty.SURE


def test_a_guess_from_nothing_that_tells_is_uncertain_and_falls_on_the_first_to_speak() -> None:
    sides = [[passage("喂？", 2.0)], [passage("喂？", 1.0)]]
    found = roles(sides, Known(None, "borrower", "zh"))
    assert (found.speakers, found.score, found.certainty(0.8)) == (["borrower", "agent"], 0.5, Certainty.UNCERTAIN)
    assert roles([[], []], Known(None, "borrower", "en")).certainty(0.8) is Certainty.UNCERTAIN


def test_what_is_said_late_in_a_call_does_not_tell() -> None:
    sides = [[passage("喂？", 1.0), passage("我是客服，工号一一零九。", OPENING_S + 1)], [passage("喂？", 2.0)]]
    assert roles(sides, Known(None, "borrower", "zh")).score == 0.5


def test_one_side_alone_is_nobodys() -> None:
    alone = roles([[passage("您好")]], Known(None, "borrower", "zh"))
    assert (list(alone.speakers), alone.certainty(0.0)) == (["unknown"], Certainty.UNKNOWN)


def test_swapped_channels_and_a_mix_of_both_keep_the_agent_with_the_agents_words(
    engine: FasterWhisperEngine, tmp_path: Path
) -> None:
    audio = decode(SAMPLES / "calls" / "zh-07.wav")
    samples = np.asarray(audio.samples)
    swapped, mixed = tmp_path / "swapped.wav", tmp_path / "mixed.wav"
    for file, columns in ((swapped, samples[:, ::-1]), (mixed, np.clip(samples.sum(axis=1, dtype=int), -32768, 32767))):
        with wave.open(str(file), "wb") as writer:
            writer.setnchannels(columns.ndim)
            writer.setsampwidth(2)
            writer.setframerate(audio.rate_hz)
            writer.writeframes(np.ascontiguousarray(columns).astype("<i2").tobytes())
        result = transcribe_file(file, engine, ListeningOptions("zh", None, "borrower"))
        assert result.roles == "sure"
        said = {role: "".join(s.text for s in result.segments if s.speaker == role) for role in ("agent", "borrower")}
        assert "律师" in said["agent"]
        assert "证号告诉我" in said["borrower"]
    assert result.options["told_apart_by"] == "voice"
