"""Windows: the stretches of a channel that are decoded one by one, cut where nobody speaks, as long as pays.

Whisper hears better with more words around, and its encoder's price grows with the square of a window's length: twenty
seconds cost half of what thirty do (``docs/decisions/0008-windows-decoded-together.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from audit_service.transcription.speech import Stretch

LONGEST_S = 20.0
# A longer silence ends a window, so that nobody pays for it.
SILENCE_S = 5.0
# What the voice detector takes for silence around a window is heard too: it cuts soft beginnings and ends of words.
EDGE_S = 0.4
# Less speech than this without a word is a breath, or the end of a vowel.
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


def unheard(window: Stretch, heard: Sequence[Stretch], speech: Sequence[Stretch]) -> list[Stretch]:
    """Return where in a window somebody speaks and nothing was written, between, before and after the sentences.

    The window as a whole is no such place: decoded again, it would give the same.
    """
    bounds = [window.start_s, *(second for one in heard for second in (one.start_s, one.end_s)), window.end_s]
    gaps = [Stretch(start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True)] if heard else []
    whole_s = window.end_s - window.start_s
    return [
        rest for gap in gaps for rest in _spoken_in(gap, speech) if rest.end_s - rest.start_s < whole_s - LEAST_SPEECH_S
    ]


def _spoken_in(gap: Stretch, speech: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield the stretch of a gap from the first to the last word in it, if that is more than a breath."""
    left = [
        Stretch(max(one.start_s, gap.start_s), min(one.end_s, gap.end_s))
        for one in speech
        if one.start_s < gap.end_s and one.end_s > gap.start_s
    ]
    if sum(one.end_s - one.start_s for one in left) >= LEAST_SPEECH_S:
        yield Stretch(max(gap.start_s, left[0].start_s - EDGE_S), min(gap.end_s, left[-1].end_s + EDGE_S))
