"""Where the words of a segment stand in the text that people read, and of which the engine is unsure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit_service.transcription.models import Segment
from audit_service.transcription.normalisation import normalise

UNSURE_WORD = 0.5
"""Words whose probability (0 to 1) is lower are marked wherever words are shown."""
# Normalising moves a word by a few characters at most; further on stands another word that is written alike.
REACH = 8

Span = tuple[int, int]


@dataclass(frozen=True)
class PlacedWord:
    """A word at its place in the text that people read, with the second at which it is said."""

    start: int
    end: int
    start_s: float
    probability: float


def placed_words(segment: Segment) -> list[PlacedWord]:
    """Return the words of ``segment.read_text`` in order; none where a person wrote what is said."""
    return [] if segment.edit is not None else list(_placed(segment))


def unsure_spans(segment: Segment) -> tuple[Span, ...]:
    """Return where in ``segment.read_text`` unsure words stand; none where a person wrote what is said."""
    return tuple(_joined((w.start, w.end) for w in placed_words(segment) if w.probability < UNSURE_WORD))


def stretches(text: str, unsure: Sequence[Span], start: int, end: int) -> Iterator[tuple[str, bool]]:
    """Yield the text between two offsets in pieces, each with whether its words are unsure; ``unsure`` is in order."""
    place = start
    for first, last in unsure:
        begin, stop = max(first, place), min(last, end)
        if begin < stop:
            yield text[place:begin], False
            yield text[begin:stop], True
            place = stop
    yield text[place:end], False


def _placed(segment: Segment) -> Iterator[PlacedWord]:
    place = 0
    for start_s, _end_s, word, probability in segment.words:
        written = normalise(str(word), segment.language)
        found = segment.text.find(written, place, place + len(written) + REACH) if written else -1
        if found >= 0:
            place = found + len(written)
            yield PlacedWord(found, place, float(start_s), float(probability))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
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
