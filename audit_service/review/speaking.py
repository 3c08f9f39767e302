"""No finding where nobody speaks: words that stand outside the stretches with speech were not said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit_service.detection import FoundFinding, ScanResult
from audit_service.transcription.models import Segment, Transcript
from audit_service.transcription.speech import Stretch, shared_s
from audit_service.transcription.suppression import NEAR_S


def spoken_only(result: ScanResult, transcript: Transcript) -> ScanResult:
    """Return ``result`` without the findings whose seconds hold no speech; all of it where nobody looked for speech."""
    if not transcript.speech:
        return result
    mask = [[Stretch(*pair) for pair in channel] for channel in transcript.speech]
    segments = transcript.segments
    return replace(result, findings=tuple(found for found in result.findings if _is_spoken(found, segments, mask)))


def _is_spoken(found: FoundFinding, segments: Sequence[Segment], mask: Sequence[Sequence[Stretch]]) -> bool:
    if found.turn is None or found.start_s is None or found.end_s is None or not found.quote:
        return True
    channel = segments[found.turn].channel
    return channel >= len(mask) or shared_s(found.start_s - NEAR_S, found.end_s + NEAR_S, mask[channel]) > 0
