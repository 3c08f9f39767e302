"""Refusals of transcription."""

from __future__ import annotations

from audit_service.errors import SettingsError


class WeightsRefusedError(SettingsError):
    """The speech weights are missing, incomplete, or not the bytes that are expected."""

    code = "weights"
