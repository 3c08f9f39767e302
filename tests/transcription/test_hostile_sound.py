"""Sound as telephones and storage make it, through the real engine: faint, clipped, one-sided, A-law, long silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from audit_service.media.services import decode
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.values import TranscriptResult
from audit_service.transcription.weights import locate_weights
from tests.conftest import SAMPLES
from tests.media.media_files import wav_header

OPTIONS = ListeningOptions("zh", 0, "borrower")
SECONDS = 14


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisperEngine:
    return FasterWhisperEngine(locate_weights(None, tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def opening() -> np.ndarray:
    """The first seconds of a call, both channels, 16 kHz."""
    audio = decode(SAMPLES / "calls" / "zh-03.wav")
    return audio.samples[: SECONDS * audio.rate_hz]


@pytest.fixture(scope="module")
def plain(engine: FasterWhisperEngine, opening: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    return text_of(heard(engine, opening, tmp_path_factory.mktemp("plain")))


def heard(engine: FasterWhisperEngine, samples: np.ndarray, folder: Path) -> TranscriptResult:
    file = folder / "call.wav"
    data = samples.astype("<i2").tobytes()
    channels = samples.shape[1]
    file.write_bytes(wav_header(1, channels, 16000, 2 * channels, 16, len(data)) + data)
    return transcribe_file(file, engine, OPTIONS)


def text_of(result: TranscriptResult, channels: Sequence[int] = (0, 1)) -> str:
    return re.sub(r"[\W_]", "", "".join(one.text for one in result.segments if one.channel in channels))


def errors(said: str, written: str) -> float:
    return Levenshtein.distance(said, written) / len(said)


def test_a_call_fifty_decibels_too_faint_is_heard_like_the_call_itself(
    engine: FasterWhisperEngine, opening: np.ndarray, plain: str, tmp_path: Path
) -> None:
    result = heard(engine, opening // 256, tmp_path)
    assert errors(plain, text_of(result)) < 0.35
    assert result.acoustics["channels"][0]["gain_db"] > 20
    assert all(one.level_db < -45 for one in result.segments if one.channel == 0)


def test_a_clipped_call_is_heard_and_the_clipping_told(
    engine: FasterWhisperEngine, opening: np.ndarray, plain: str, tmp_path: Path
) -> None:
    result = heard(engine, np.clip(opening.astype(np.int32) * 12, -32768, 32767), tmp_path)
    assert errors(plain, text_of(result)) < 0.5
    assert result.acoustics["channels"][0]["clipped"] > 0.001


def test_a_one_sided_call_has_the_words_of_its_side_and_none_of_the_other(
    engine: FasterWhisperEngine, opening: np.ndarray, tmp_path: Path
) -> None:
    one_sided = opening.copy()
    one_sided[:, 1] = 0
    result = heard(engine, one_sided, tmp_path)
    assert {one.speaker for one in result.segments} == {"agent"}
    assert text_of(result, (1,)) == ""
    assert result.speech[1] == []
    assert result.speech[0]


def test_what_is_known_of_the_sound_is_kept_with_the_words(
    engine: FasterWhisperEngine, opening: np.ndarray, tmp_path: Path
) -> None:
    result = heard(engine, opening, tmp_path)
    assert "PyAV" in str(result.options["decoded_by"])
    assert '"rate_hz": 16000' in str(result.options["decoded_by"])
    assert {one.language for one in result.segments} == {"zh"}


def test_words_of_a_lender_are_expected_besides_the_engines_own(engine: FasterWhisperEngine) -> None:
    helped = engine.with_words("征信 减免")
    assert helped.options["words"] == "征信 减免"
    assert engine.options["words"] == ""
    assert helped.with_words("工号").options["words"] == "征信 减免 工号"
