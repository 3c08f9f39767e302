"""Short pieces of folded texts as numbers, for many texts at once and without a Python step a character.

Pieces are runs of one to three tokens (a Chinese character or a Latin word each) and windows of four letters over
bounded Latin words. A piece is known by its bucket: a polynomial hash (Karp and Rabin 1987), the same on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audit_service.detection.lines import BLANK, NEWLINE, Codes, Flags, Lines, Numbers, are_chinese

BUCKET_BITS = 22
LONGEST_RUN = 3
WINDOW = 4
_BASE = 0x9E3779B97F4A7C15
_UNBASE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SALTS = tuple(map(np.uint64, (0x1B873593CC9E2D51, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63)))
_EDGE = 0x23
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Pieces:
    """All pieces of a row of texts. Parallel arrays, one entry a piece.

    Attributes:
        buckets: which bucket the piece falls into.
        texts: the number of the text that it stands in.
        starts, ends: its characters in ``joined``.
        joined: all texts, as in ``Lines``.
    """

    buckets: Numbers
    texts: Numbers
    starts: Numbers
    ends: Numbers
    joined: str

    def spelled(self, number: int) -> str:
        """Return the characters of a piece."""
        return self.joined[self.starts[number] : self.ends[number]].strip()


def pieces_of(lines: Lines) -> Pieces:
    """Return the pieces of folded texts."""
    codes, text_of = lines.codes, lines.text_of
    latin, chinese = _kinds(codes)
    begins, ends = _tokens(latin, chinese)
    hashes = _hashes(codes, begins, ends)
    owners = text_of[begins]
    base = np.uint64(_BASE)
    starts, stops, found, mixed = [], [], [], np.zeros(len(begins), dtype=np.uint64)
    for length in range(1, LONGEST_RUN + 1):
        run = _runs(owners, length)
        mixed = mixed[: len(hashes) - length + 1] * base + hashes[length - 1 :]
        starts.append(begins[run])
        stops.append(ends[run + length - 1])
        found.append(mixed[run] * _SALTS[length - 1])
    windows = _windows(latin)
    starts.append(windows)
    stops.append(windows + WINDOW)
    bounded = np.where(latin, codes, np.uint32(_EDGE))
    found.append(_hashes(bounded, windows, windows + WINDOW) * _SALTS[-1])
    every = np.concatenate(starts)
    return Pieces(_buckets(np.concatenate(found)), text_of[every], every, np.concatenate(stops), lines.joined)


def _kinds(codes: Codes) -> tuple[Flags, Flags]:
    """Return which characters belong to Latin words, and which are Chinese."""
    chinese = are_chinese(codes)
    return ~(chinese | (codes == BLANK) | (codes == NEWLINE)), chinese


def _tokens(latin: Flags, chinese: Flags) -> tuple[Numbers, Numbers]:
    """Return where the tokens begin and end: each Chinese character, each run of other letters and digits."""
    first, last = latin.copy(), latin.copy()
    first[1:] &= ~latin[:-1]
    last[:-1] &= ~latin[1:]
    return np.flatnonzero(chinese | first), np.flatnonzero(chinese | last) + 1


def _runs(owners: Numbers, length: int) -> Numbers:
    """Return the first token of each run of ``length`` tokens of one text."""
    count = max(0, len(owners) - length + 1)
    return np.flatnonzero(owners[:count] == owners[length - 1 :])


def _windows(latin: Flags) -> Numbers:
    """Return where the four-letter windows over bounded words of three letters and more begin."""
    count = max(0, len(latin) - WINDOW + 1)
    inner = latin[1 : count + 1] & latin[2 : count + 2]
    return np.flatnonzero(inner & (latin[:count] | latin[3 : count + 3]))


def _hashes(codes: Codes, begins: Numbers, ends: Numbers) -> Hashes:
    """Return the hash of each stretch, from the running sum of a polynomial modulo 2 to the 64."""
    sums = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum(codes * _powers(_BASE, len(codes)), out=sums[1:])
    return (sums[ends] - sums[begins]) * _powers(_UNBASE, len(codes) + 1)[begins]


def _powers(base: int, count: int) -> Hashes:
    return _power_table(base, max(4096, 1 << (count - 1).bit_length()))[:count]


@lru_cache(maxsize=8)
def _power_table(base: int, count: int) -> Hashes:
    row = np.full(count, base, dtype=np.uint64)
    row[0] = 1
    return np.cumprod(row, dtype=np.uint64)


def _buckets(hashes: Hashes) -> Numbers:
    mixed = (hashes ^ (hashes >> np.uint64(32))) * _MIX
    return (mixed >> np.uint64(64 - BUCKET_BITS)).astype(np.int64)
