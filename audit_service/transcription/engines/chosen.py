"""The speech engine that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from audit_service.errors import SettingsError
from audit_service.outbound import Address
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.engines.remote import RemoteEngine
from audit_service.transcription.weights import locate_weights

OPENAI = "openai-whisper"
WEIGHTS_FOLDER = "weights"


def chosen_engine(setting: Callable[[str], Any]) -> Engine:
    """Return the engine; loading its weights takes seconds.

    Args:
        setting: returns the value of a setting by its attribute.

    Raises:
        SettingsError: the engine is not installed, or its address is none.
        WeightsRefusedError: the weights are missing or not what they should be.
    """
    if setting("speech_url"):
        address = Address(setting("speech_url"), setting("speech_key"), "AUDIT_SPEECH_URL")
        return RemoteEngine(address, setting("speech_model"))
    weights = locate_weights(setting("whisper_model_dir"), cache_dir=setting("instance_dir") / WEIGHTS_FOLDER)
    if setting("speech_engine") != OPENAI:
        return FasterWhisperEngine(weights, threads=setting("whisper_threads"), words=setting("speech_words"))
    if find_spec("whisper") is None or find_spec("torch") is None:
        raise SettingsError(
            f"AUDIT_SPEECH_ENGINE is {OPENAI}, which is not installed.",
            remedy="Install it: pip install -r requirements-openai.txt.",
        )
    from audit_service.transcription.engines.openai_whisper import OpenAIWhisperEngine  # noqa: PLC0415 - brings torch

    return OpenAIWhisperEngine(weights, threads=setting("whisper_threads"), words=setting("speech_words"))
