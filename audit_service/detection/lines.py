"""Many texts as one row of code points, a line each: what array work over texts begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEWLINE, BLANK = 0x0A, 0x20
_CHINESE = ((0x3400, 0x9FFF), (0x20000, 0x3FFFF))
Codes = NDArray[np.uint32]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Lines:
    """Texts.

    Attributes:
        joined: a line a text, an empty line before the first.
        codes: the code points of ``joined``.
        text_of: for each of them, the number of its text.
    """

    joined: str
    codes: Codes
    text_of: Numbers

    @property
    def count(self) -> int:
        """Return how many texts there are."""
        return int(self.text_of[-1])


def lines_of(texts: Sequence[str]) -> Lines:
    """Return ``texts``, none of which may hold a line break."""
    joined = "\n".join(["", *texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
    return Lines(joined, codes, np.cumsum(codes == NEWLINE) - 1)


def are_chinese(codes: Codes) -> Flags:
    """Tell of each code point whether it is a Chinese character, as ``folding.is_chinese`` does of one."""
    found = np.zeros(len(codes), dtype=bool)
    for first, last in _CHINESE:
        found |= (codes >= first) & (codes <= last)
    return found
