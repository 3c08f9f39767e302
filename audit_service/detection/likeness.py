"""How like two sentences are in their wording, and which stretch of a passage is most like an example.

Likeness, from 0 to 1, is the greater of two measures of the folded texts: the share of characters in the same order
(insertions and deletions, rapidfuzz), and the cosine between the pieces that the trained layer reads, runs of one to
three characters or words, which does not mind another order. It says nothing about meaning: that is what rules of kind
``model`` are for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from audit_service.detection.anchors import Hit
from audit_service.detection.folding import fold
from audit_service.detection.passages import Passage
from audit_service.detection.pieces import pieces_of

PLANE = "similar"
MUCH_LONGER = 1.5


def likeness(left: str, right: str) -> float:
    """Return how like two folded texts are, from 0 to 1."""
    return max(fuzz.ratio(left, right) / 100, _cosine(_pieces(left), _pieces(right)))


def similar_hits(passage: Passage, examples: Sequence[str], least: float) -> list[Hit]:
    """Return the sentences of ``passage`` that are at least so like one of ``examples``, each with the nearest one.

    A recogniser writes no full stops: of a sentence much longer than an example, the stretch that fits best is taken.
    """
    found = []
    for start, end in _sentences(passage):
        hits = [_compared(passage.text, (start, end), example) for example in examples]
        best = max(hits, key=lambda hit: hit.score)
        if best.score >= least:
            found.append(best)
    return found


def _compared(text: str, place: tuple[int, int], example: str) -> Hit:
    start, end = place
    wanted = fold(example).text
    if end - start > MUCH_LONGER * len(wanted):
        best = fuzz.partial_ratio_alignment(wanted, text[start:end])
        if best is not None and best.dest_end > best.dest_start:
            start, end = start + best.dest_start, start + best.dest_end
    return Hit(start, end, PLANE, round(likeness(text[start:end], wanted), 3), literal=example)


def _sentences(passage: Passage) -> list[tuple[int, int]]:
    bounds: dict[int, list[int]] = {}
    for place, sentence in enumerate(passage.sentences):
        if passage.text[place] != " ":
            bounds.setdefault(sentence, []).append(place)
    return [(places[0], places[-1] + 1) for places in bounds.values()]


@lru_cache(maxsize=4096)
def _pieces(text: str) -> Counter[int]:
    return Counter(pieces_of([text]).buckets)


def _cosine(left: Counter[int], right: Counter[int]) -> float:
    product = sum(count * right[piece] for piece, count in left.items())
    lengths = math.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
    return product / lengths if lengths else 0.0
