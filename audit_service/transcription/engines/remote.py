"""A recogniser behind the OpenAI audio interface, e.g. a lender's own server with a larger model.

Sound leaves this machine for the address that the operator sets, and for no other. What the server runs cannot be
proved from here: its weights have no digest, and the transcript says so.
"""

from __future__ import annotations

import io
import secrets
import wave
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_service.media.services import SPEECH_RATE_HZ
from audit_service.outbound import Address
from audit_service.transcription.engines.faster_whisper import split_at_pauses
from audit_service.transcription.errors import EngineUnreachableError
from audit_service.transcription.values import HeardPassage, Word

PATIENCE_S = 600.0
OPENING_S = 30
LANGUAGES = {"chinese": "zh", "mandarin": "zh", "zh": "zh", "english": "en", "en": "en"}
_FULL_SCALE = 32767


class RemoteEngine:
    """An engine at a web address.

    Args:
        address: where it answers.
        model: by which name the server knows it.
    """

    def __init__(self, address: Address, model: str) -> None:
        self.name = f"remote {address.host}"[:60]
        self.model = model
        self.model_sha256 = ""
        self.options: dict[str, str | int | float | bool | None] = {"response_format": "verbose_json"}
        self._address = address

    def with_words(self, _words: str) -> RemoteEngine:
        """Return this engine: what a server expects is set there."""
        return self

    def find_language(self, samples: NDArray[np.float32]) -> str:
        """Return the language that the server hears in the opening; Chinese where it names another.

        Raises:
            EngineUnreachableError: the server gives no usable answer.
        """
        answer = self._ask(samples[: OPENING_S * SPEECH_RATE_HZ], {})
        return LANGUAGES.get(str(answer.get("language", "")).lower(), "zh")

    def language_odds(self, _samples: NDArray[np.float32]) -> Mapping[str, float]:
        """Return nothing: the interface names one language and no odds."""
        return {}

    def listen(self, samples: NDArray[np.float32], language: str) -> Sequence[HeardPassage]:
        """Return what the server hears, split where the speaker pauses.

        Raises:
            EngineUnreachableError: the server gives no usable answer, or no times of words.
        """
        answer = self._ask(samples, {"language": language, "timestamp_granularities[]": "word"})
        try:
            return split_at_pauses(
                Word(float(word["start"]), float(word["end"]), str(word["word"]), float(word.get("probability", 1.0)))
                for word in answer["words"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise EngineUnreachableError(self.name, "it gives no times of words") from error

    def _ask(self, samples: NDArray[np.float32], fields: Mapping[str, str]) -> dict[str, Any]:
        boundary = secrets.token_hex(16)
        body = _form({"model": self.model, "response_format": "verbose_json", **fields}, _wav(samples), boundary)
        kind = f"multipart/form-data; boundary={boundary}"
        try:
            answer = self._address.ask("audio/transcriptions", body, kind, PATIENCE_S)
        except (OSError, ValueError) as error:
            raise EngineUnreachableError(self.name, str(error)) from error
        if not isinstance(answer, dict):
            raise EngineUnreachableError(self.name, "its answer is no JSON object")
        return answer


def _wav(samples: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SPEECH_RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * _FULL_SCALE).astype("<i2").tobytes())
    return buffer.getvalue()


def _form(fields: Mapping[str, str], audio: bytes, boundary: str) -> bytes:
    """Return a form as RFC 7578 has it; the file's name is always the same and tells nothing."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="audio.wav"\r\n'
    parts.append(f"{head}Content-Type: audio/wav\r\n\r\n".encode() + audio + b"\r\n")
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])
