"""Short pieces of folded texts as numbers: what the linear model and the likeness of sentences read.

Pieces are runs of one to three tokens (a Chinese character or a Latin word each) and windows of four letters over
bounded Latin words. A piece is known by its bucket: a polynomial hash (Karp and Rabin 1987), the same on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_service.detection._weighing import BUCKET_BITS
from audit_service.detection._weighing import Pieces as Cutter

__all__ = ["BUCKET_BITS", "Pieces", "pieces_of"]


@dataclass(frozen=True)
class Pieces:
    """All pieces of a row of texts. Parallel lists, one entry a piece.

    Attributes:
        buckets: which bucket the piece falls into.
        texts: the number of the text that it stands in.
        starts, ends: its characters in that text; a window may begin before the text, or end after it.
    """

    buckets: list[int]
    texts: list[int]
    starts: list[int]
    ends: list[int]


def pieces_of(texts: Sequence[str]) -> Pieces:
    """Return the pieces of folded texts."""
    return Pieces(*Cutter().of(texts))
