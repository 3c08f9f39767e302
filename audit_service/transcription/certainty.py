"""Which words of a segment the engine is unsure of, by their place in the text that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit_service.transcription.models import Segment
from audit_service.transcription.normalisation import normalise

UNSURE_WORD = 0.5
"""Words whose probability (0 to 1) is lower are marked wherever words are shown."""
# Normalising moves a word by a few characters at most; further on stands another word that is written alike.
REACH = 8

Span = tuple[int, int]


def unsure_spans(segment: Segment) -> tuple[Span, ...]:
    """Return where in ``segment.read_text`` unsure words stand; none where a person wrote what is said."""
    if segment.edit is not None:
        return ()
    return tuple(_joined(_unsure(segment.text, segment.words, segment.language)))


def _unsure(text: str, words: Sequence[Sequence[float | str]], language: str) -> Iterator[Span]:
    place = 0
    for _start_s, _end_s, word, probability in words:
        written = normalise(str(word), language)
        found = text.find(written, place, place + len(written) + REACH) if written else -1
        if found < 0:
            continue
        place = found + len(written)
        if float(probability) < UNSURE_WORD:
            yield found, place


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Yield spans with those that touch made one, so that one mark covers them."""
    now: Span | None = None
    for start, end in spans:
        if now is not None and start <= now[1]:
            now = (now[0], end)
            continue
        if now is not None:
            yield now
        now = (start, end)
    if now is not None:
        yield now
