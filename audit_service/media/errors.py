"""The refusal of a media file, with its reason code."""

from __future__ import annotations

from audit_service.errors import InputRefusedError

REMEDIES = {
    "media.empty": "Ask the sender for the recording again; this file holds no sound.",
    "media.unknown_format": "Convert it to WAV, MP3, M4A, OGG, AMR, FLAC or WMA and send it again.",
    "media.not_audio": "Send the recording itself; this file has no audio track.",
    "media.several_tracks": "Export one file with one audio track; the two parties may be its channels.",
    "media.truncated": "Ask the sender for the whole file; the transfer probably broke off.",
    "media.damaged": "Ask the sender for an undamaged copy.",
    "media.too_long": "Split the recording, or raise AUDIT_MEDIA_MAX_SECONDS.",
    "media.too_many_channels": "Export the recording with one channel per party, eight at most.",
    "media.rate_too_low": "Export the recording at 8000 Hz or more; speech cannot be made out below 4000 Hz.",
    "media.decoder_limit": "The file asks for more work than a recording should; keep it out or raise the limits.",
    "media.decoder_failed": "The decoder broke on this file; ask the sender for another format.",
}
"""Every reason code that exists, and what to do about it."""


class MediaRefusedError(InputRefusedError):
    """A media file cannot be used; ``reason_code`` is one of ``REMEDIES`` and stays stable.

    Attributes:
        reason_code: dotted, lower case, e.g. ``media.truncated``.

    """

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message, remedy=REMEDIES[reason_code])
        self.reason_code = reason_code
        self.code = reason_code
