"""OpenAI's own Whisper on the same weights, as a second engine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jiwer
import pytest

from audit_service.errors import SettingsError
from audit_service.settings import setting_from_environment
from audit_service.transcription.engines import chosen, openai_weights
from audit_service.transcription.engines.chosen import chosen_engine
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.engines.openai_whisper import OpenAIWhisperEngine
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.weights import BASE_SHA256, Weights, locate_weights
from tests.conftest import SAMPLES


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return locate_weights(None, tmp_path_factory.mktemp("weights"))


def setting(monkeypatch: pytest.MonkeyPatch, folder: Path, engine: str):
    monkeypatch.setenv("AUDIT_SPEECH_ENGINE", engine)
    monkeypatch.setenv("AUDIT_INSTANCE_DIR", str(folder))
    return setting_from_environment


def test_every_tensor_has_its_place_and_a_missing_one_is_noticed(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = openai_weights.read_tensors(weights.folder / "model.bin")
    state = openai_weights.load(weights).state_dict()
    assert state["encoder.blocks.5.mlp.2.bias"].numpy() == pytest.approx(tensors["encoder/layer_5/ffn/linear_1/bias"])
    shorter = {name: tensor for name, tensor in tensors.items() if "decoder/layer_5/attention" not in name}
    monkeypatch.setattr(openai_weights, "read_tensors", lambda _file: shorter)
    with pytest.raises(RuntimeError, match="Missing key"):
        openai_weights.load(weights)


def test_both_engines_hear_the_same_call(weights: Weights) -> None:
    options = ListeningOptions(None, 0, "borrower")
    turns = json.loads((SAMPLES / "truth" / "en-02.json").read_text(encoding="utf-8"))["turns"]
    said = words(" ".join(turn["text"] for turn in turns if turn["speaker"] == "agent"))
    for engine in (OpenAIWhisperEngine(weights), FasterWhisperEngine(weights)):
        result = transcribe_file(SAMPLES / "calls" / "en-02.wav", engine, options)
        heard = words(" ".join(one.text for one in result.segments if one.speaker == "agent"))
        assert result.language == "en"
        assert (result.model, result.model_sha256) == ("whisper-base", BASE_SHA256)
        assert result.engine.split()[0] in {"openai-whisper", "faster-whisper"}
        assert jiwer.wer(said, heard) < 0.3
        assert all(word.end_s >= word.start_s for one in result.segments for word in one.words)


def words(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower())


def test_the_setting_chooses_the_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert chosen_engine(setting(monkeypatch, tmp_path, "openai-whisper")).name.startswith("openai-whisper ")
    assert chosen_engine(setting(monkeypatch, tmp_path, "faster-whisper")).name.startswith("faster-whisper ")


def test_an_engine_that_is_not_known_or_not_installed_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="AUDIT_SPEECH_ENGINE"):
        chosen_engine(setting(monkeypatch, tmp_path, "kaldi"))
    monkeypatch.setattr(chosen, "find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="not installed"):
        chosen_engine(setting(monkeypatch, tmp_path, "openai-whisper"))
