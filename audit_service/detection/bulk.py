"""Fold thousands of texts at once, where they are plainly written; say of the others that they are not.

A text is plain if the fold finds nothing in it that hides words: no foreign characters inside words, no digits or
symbols for letters, no characters taken apart, no pinyin among characters. For a plain text the result is that of
:func:`audit_service.detection.folding.fold`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from audit_service.detection.folding import (
    APOSTROPHES,
    CLAUSE_ENDS,
    JOINING,
    LEET,
    SENTENCE_ENDS,
    SPLIT_CHARACTERS,
    fold_character,
    is_chinese,
)
from audit_service.detection.sounds import hides_pinyin

_ODD, _CHINESE, _LETTER, _DIGIT, _DOT, _BOUNDARY, _APOSTROPHE, _SPACE, _SYMBOL = range(9)
_TABLE_SIZE = 0x10000
_BLANK, _NEWLINE = 0x20, 0x0A
_SHORTEST_SPELLED = len(" a b c ")
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class BulkFolded:
    """Folded texts.

    Attributes:
        joined: a line a text, an empty line before the first.
        text_of: for each character of ``joined``, the number of its text.
        is_plain: for each text, whether its line is what the full fold would give.
    """

    joined: str
    text_of: Numbers
    is_plain: Flags

    def lines(self) -> list[str]:
        """Return the folded texts."""
        return self.joined.split("\n")[1:-1]


def fold_in_bulk(texts: Sequence[str]) -> BulkFolded:
    """Fold ``texts``."""
    joined = "\n".join(["", *(text.replace("\n", "。") if "\n" in text else text for text in texts), ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
    text_of = np.cumsum(codes == _NEWLINE) - 1
    kinds, folded = _read(codes)
    odd = np.zeros(len(texts) + 1, dtype=bool)
    odd[text_of[kinds == _ODD]] = True
    line, lines = _joined(codes, kinds, folded, text_of, odd)
    odd[lines[_evasions(line)]] = True
    text = line.tobytes().decode("utf-32-le")
    _find_pinyin(text, line, lines, odd)
    return BulkFolded(text, lines, ~odd[:-1])


def _read(codes: Codes) -> tuple[NDArray[np.uint8], Codes]:
    """Return the kind of each character, and the character it folds to."""
    kinds, folded = _tables()
    within = np.minimum(codes, _TABLE_SIZE - 1)
    found = kinds[within]
    found[codes >= _TABLE_SIZE] = _ODD
    after = np.concatenate([found[1:], [_SPACE]])
    found[(found == _DOT) & (after == _SPACE)] = _BOUNDARY
    found[found == _DOT] = _SYMBOL
    return found, folded[within]


def _joined(
    codes: Codes, kinds: NDArray[np.uint8], folded: Codes, text_of: Numbers, odd: Flags
) -> tuple[Codes, Numbers]:
    """Return the letters that stay, a line a text, with blanks between Latin words; mark texts with noise in words."""
    is_line = codes == _NEWLINE
    kept = np.flatnonzero(((kinds >= _CHINESE) & (kinds <= _DIGIT)) | is_line)
    between = [np.concatenate([[0], np.cumsum(kinds == kind)]) for kind in (_BOUNDARY, _SPACE, _SYMBOL)]
    left, right = kept[:-1], kept[1:]
    boundaries, spaces, symbols = (sums[right] - sums[left + 1] for sums in between)
    is_inside = ~is_line[left] & ~is_line[right]
    both_digits = (kinds[left] == _DIGIT) & (kinds[right] == _DIGIT)
    odd[text_of[left[is_inside & (symbols > 0) & (boundaries == 0) & ~both_digits]]] = True
    latin = is_inside & (kinds[left] != _CHINESE) & (kinds[right] != _CHINESE)
    blanks = np.flatnonzero(latin & (boundaries + spaces + symbols > 0)) + 1
    letters = np.where(is_line[kept], np.uint32(_NEWLINE), folded[kept])
    return np.insert(letters, blanks, np.uint32(_BLANK)), np.insert(text_of[kept], blanks, text_of[kept[blanks]])


def _evasions(line: Codes) -> Numbers:
    """Return where a digit stands for a letter, or letters are spelled one by one."""
    letter = _within(line, "az")
    digits = np.isin(line, [ord(sign) for sign in LEET])
    stands_for = digits[1:-1] & letter[:-2] & letter[2:]
    blank = (line == _BLANK) | (line == _NEWLINE)
    if len(line) < _SHORTEST_SPELLED:
        return np.flatnonzero(stands_for) + 1
    single = blank[:-2] & letter[1:-1] & blank[2:]
    spelled = single[:-4] & single[2:-2] & single[4:]
    return np.concatenate([np.flatnonzero(stands_for) + 1, np.flatnonzero(spelled) + 1])


def _find_pinyin(text: str, line: Codes, lines: Numbers, odd: Flags) -> None:
    """Mark the texts in which Latin letters beside Chinese characters spell pinyin."""
    letter, chinese = _within(line, "az"), _within(line, "㐀鿿")
    beside = np.flatnonzero((letter[:-1] & chinese[1:]) | (chinese[:-1] & letter[1:]))
    bounds = np.flatnonzero(line == _NEWLINE)
    for number in np.unique(lines[beside]).tolist():
        if not odd[number] and hides_pinyin(text[bounds[number] + 1 : bounds[number + 1]]):
            odd[number] = True


def _within(line: Codes, bounds: str) -> Flags:
    return (line >= ord(bounds[0])) & (line <= ord(bounds[1]))


@cache
def _tables() -> tuple[NDArray[np.uint8], Codes]:
    kinds = np.full(_TABLE_SIZE, _ODD, dtype=np.uint8)
    folded = np.zeros(_TABLE_SIZE, dtype=np.uint32)
    parted = {pair[0] for pair in SPLIT_CHARACTERS}
    for code in range(_TABLE_SIZE):
        character = chr(code)
        plain = fold_character(character)
        if len(plain) == 1 and character not in parted:
            kinds[code], folded[code] = _kind(plain), ord(plain)
    return kinds, folded


def _kind(character: str) -> int:
    if character.isalnum():
        return _CHINESE if is_chinese(character) else _DIGIT if character.isdigit() else _LETTER
    for signs, kind in _SIGNS:
        if character in signs:
            return kind
    return _SPACE if character.isspace() else _SYMBOL


_SIGNS: tuple[tuple[Container[str], int], ...] = (
    (LEET, _ODD), (JOINING, _ODD), (SENTENCE_ENDS, _BOUNDARY), (CLAUSE_ENDS, _BOUNDARY), (".", _DOT),
    (APOSTROPHES, _APOSTROPHE),
)  # fmt: skip
