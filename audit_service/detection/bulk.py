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
from audit_service.detection.lines import BLANK, NEWLINE, Codes, Flags, Lines, Numbers, are_chinese, lines_of
from audit_service.detection.sounds import hides_pinyin

_ODD, _CHINESE, _LETTER, _DIGIT, _DOT, _BOUNDARY, _APOSTROPHE, _SPACE, _SYMBOL = range(9)
_TABLE_SIZE = 0x10000
_SHORTEST_SPELLED = len(" a b c ")


@dataclass(frozen=True)
class BulkFolded:
    """Folded texts.

    Attributes:
        lines: the texts.
        is_plain: for each text, whether its line is what the full fold would give.
    """

    lines: Lines
    is_plain: Flags


def fold_in_bulk(texts: Sequence[str]) -> BulkFolded:
    """Fold ``texts``."""
    written = lines_of([text.replace("\n", "。") if "\n" in text else text for text in texts])
    kinds, folded = _read(written.codes)
    odd = np.zeros(len(texts) + 1, dtype=bool)
    odd[written.text_of[kinds == _ODD]] = True
    lines = _joined(written, kinds, folded, odd)
    odd[lines.text_of[_evasions(lines.codes)]] = True
    _find_pinyin(lines, odd)
    return BulkFolded(lines, ~odd[:-1])


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


def _joined(written: Lines, kinds: NDArray[np.uint8], folded: Codes, odd: Flags) -> Lines:
    """Return the letters that stay, a line a text, with blanks between Latin words; mark texts with noise in words."""
    text_of = written.text_of
    is_line = written.codes == NEWLINE
    kept = np.flatnonzero(((kinds >= _CHINESE) & (kinds <= _DIGIT)) | is_line)
    between = [np.concatenate([[0], np.cumsum(kinds == kind)]) for kind in (_BOUNDARY, _SPACE, _SYMBOL)]
    left, right = kept[:-1], kept[1:]
    boundaries, spaces, symbols = (sums[right] - sums[left + 1] for sums in between)
    is_inside = ~is_line[left] & ~is_line[right]
    both_digits = (kinds[left] == _DIGIT) & (kinds[right] == _DIGIT)
    odd[text_of[left[is_inside & (symbols > 0) & (boundaries == 0) & ~both_digits]]] = True
    latin = is_inside & (kinds[left] != _CHINESE) & (kinds[right] != _CHINESE)
    blanks = np.flatnonzero(latin & (boundaries + spaces + symbols > 0)) + 1
    letters = np.where(is_line[kept], np.uint32(NEWLINE), folded[kept])
    codes = np.insert(letters, blanks, np.uint32(BLANK))
    owners = np.insert(text_of[kept], blanks, text_of[kept[blanks]])
    return Lines(codes.tobytes().decode("utf-32-le"), codes, owners)


def _evasions(line: Codes) -> Numbers:
    """Return where a digit stands for a letter, or letters are spelled one by one."""
    letter = _are_letters(line)
    digits = np.isin(line, [ord(sign) for sign in LEET])
    stands_for = digits[1:-1] & letter[:-2] & letter[2:]
    blank = (line == BLANK) | (line == NEWLINE)
    if len(line) < _SHORTEST_SPELLED:
        return np.flatnonzero(stands_for) + 1
    single = blank[:-2] & letter[1:-1] & blank[2:]
    spelled = single[:-4] & single[2:-2] & single[4:]
    return np.concatenate([np.flatnonzero(stands_for) + 1, np.flatnonzero(spelled) + 1])


def _find_pinyin(lines: Lines, odd: Flags) -> None:
    """Mark the texts in which Latin letters beside Chinese characters spell pinyin."""
    letter, chinese = _are_letters(lines.codes), are_chinese(lines.codes)
    beside = np.flatnonzero((letter[:-1] & chinese[1:]) | (chinese[:-1] & letter[1:]))
    bounds = np.flatnonzero(lines.codes == NEWLINE)
    for number in np.unique(lines.text_of[beside]).tolist():
        if not odd[number] and hides_pinyin(lines.joined[bounds[number] + 1 : bounds[number + 1]]):
            odd[number] = True


def _are_letters(codes: Codes) -> Flags:
    return (codes >= ord("a")) & (codes <= ord("z"))


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
