"""Selections that must be met more than once: hits counted by sentence, by turn or over the whole call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from audit_service.detection.anchors import Count, Hit
from audit_service.detection.passages import Passage

PLANES = ("text", "syllable", "fuzzy", "similar")
Heard = tuple[int, Passage, Hit]


def counted_in(count: Count, passage: Passage, hits: Sequence[Hit]) -> list[Hit]:
    """Return one hit for each sentence (or for the turn) in which enough of ``hits`` stand; it spans them all."""
    groups: dict[int, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(passage.sentences[hit.start] if count.per == "sentence" else 0, []).append(hit)
    found = []
    for group in groups.values():
        if _completed_at(count, group) is not None:
            places = tuple(passage.original_place(hit.start, hit.end) for hit in apart(group))
            found.append(_merged(group, counted=places))
    return found


def counted_over(count: Count, heard: Sequence[Heard]) -> Heard | None:
    """Return the hit that completes the count over a whole call, in the order of the passages; None if none does."""
    number = _completed_at(count, [hit for _, _, hit in heard])
    if number is None:
        return None
    index, passage, last = heard[number]
    places = tuple(said.original_place(hit.start, hit.end) for _, said, hit in heard)
    return index, passage, last._replace(counted=tuple(dict.fromkeys(places)))


def apart(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the hits that stand apart; of those that overlap, the first, and of these the longest."""
    end = 0
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.start >= end:
            yield hit
            end = hit.end


def _completed_at(count: Count, hits: Sequence[Hit]) -> int | None:
    """Return the number of the hit with which there are enough."""
    seen: set[object] = set()
    for number, hit in enumerate(hits):
        seen.add(_entry(count, hit.literal) if count.are_different else number)
        if len(seen) >= count.least:
            return number
    return None


def _entry(count: Count, literal: str) -> object:
    return next((number for number, words in enumerate(count.entries) if literal in words), literal)


def _merged(hits: Sequence[Hit], counted: tuple[object, ...]) -> Hit:
    return Hit(
        start=min(hit.start for hit in hits),
        end=max(hit.end for hit in hits),
        plane=max((hit.plane for hit in hits), key=PLANES.index),
        score=min(hit.score for hit in hits),
        edits=sum(hit.edits for hit in hits),
        literal=" · ".join(dict.fromkeys(hit.literal for hit in hits)),
        counted=counted,  # type: ignore[arg-type]
    )
