"""Windows: the stretches of a channel that are decoded one by one, cut where nobody speaks, as long as pays.

Whisper hears better with more words around, and its encoder's price grows with the square of a window's length: twenty
seconds cost half of what thirty do (``docs/decisions/0008-windows-decoded-together.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from audit_service.transcription.speech import Stretch

LONGEST_S = 20.0
# A longer silence ends a window, so that nobody pays for it.
SILENCE_S = 5.0
# What the voice detector takes for silence around a window is heard too: it cuts soft beginnings and ends of words.
EDGE_S = 0.4
# Less speech than this is not looked for a second time: a breath, the end of a vowel.
LEAST_SPEECH_S = 0.5


def windows(speech: Sequence[Stretch], length_s: float) -> list[Stretch]:
    """Return the windows of a channel of ``length_s`` seconds; all stretches with speech lie in one."""
    joined: list[Stretch] = []
    for stretch in speech:
        if joined and _fits(joined[-1], stretch):
            joined[-1] = Stretch(joined[-1].start_s, stretch.end_s)
        else:
            joined.append(stretch)
    if not joined:
        return []
    cuts = [0.0, *((one.end_s + other.start_s) / 2 for one, other in pairwise(joined)), length_s]
    return [
        Stretch(max(before, one.start_s - EDGE_S), min(after, one.end_s + EDGE_S))
        for one, (before, after) in zip(joined, pairwise(cuts), strict=True)
    ]


def _fits(window: Stretch, stretch: Stretch) -> bool:
    return stretch.end_s - window.start_s <= LONGEST_S and stretch.start_s - window.end_s <= SILENCE_S


def unheard(window: Stretch, heard_until_s: float, speech: Sequence[Stretch]) -> Stretch | None:
    """Return the rest of a window in which somebody still speaks after the last word that was written, if any."""
    left = [
        Stretch(max(one.start_s, heard_until_s), min(one.end_s, window.end_s))
        for one in speech
        if one.start_s < window.end_s and one.end_s > heard_until_s
    ]
    if sum(one.end_s - one.start_s for one in left) < LEAST_SPEECH_S:
        return None
    start_s = max(heard_until_s, left[0].start_s - EDGE_S)
    return Stretch(start_s, window.end_s) if start_s > window.start_s else None
