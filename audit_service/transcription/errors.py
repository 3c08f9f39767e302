"""Refusals of transcription."""

from __future__ import annotations

from audit_service.errors import SettingsError


class WeightsRefusedError(SettingsError):
    """The speech weights are missing, incomplete, or not the bytes that are expected."""

    code = "weights"


class EngineUnreachableError(ConnectionError):
    """A remote engine gave no usable answer; the job is tried again, the recording is not at fault."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"{engine}: {reason}")
