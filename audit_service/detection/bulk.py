"""Fold thousands of texts at once, where they are plainly written; say of the others that they are not.

A text is plain if the fold finds nothing in it that hides words: no foreign characters inside words, no digits or
symbols for letters, no characters taken apart, no pinyin among characters. For a plain text the result is that of
:func:`audit_service.detection.folding.fold`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from audit_service.detection.folding import (
    APOSTROPHES,
    CLAUSE_ENDS,
    JOINING,
    LEET,
    ORDINARY_SIGNS,
    SENTENCE_ENDS,
    SPLIT_CHARACTERS,
    Folded,
    fold_character,
    is_chinese,
    unleeted,
)
from audit_service.detection.lines import BLANK, NEWLINE, Codes, Flags, Lines, Numbers, are_chinese, lines_of
from audit_service.detection.sounds import hides_pinyin

(
    _ODD, _CHINESE, _LETTER, _DIGIT, _DOT, _CLAUSE, _SENTENCE, _APOSTROPHE, _SPACE, _SYMBOL, _ORDINARY, _FOR_LETTER,
) = range(12)  # fmt: skip
_TABLE_SIZE = 0x10000
_BREAK = "\u2028"  # stands for a line break within a text: the texts themselves are lines
_LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_SHORTEST_SPELLED = len(" a b c ")


@dataclass(frozen=True)
class BulkFolded:
    """Folded texts.

    Attributes:
        lines: the texts.
        is_plain: for each text, whether its line is what the full fold would give.
        places: for each character of ``lines``, line breaks included, where it stands in the written texts joined to
            one row; a blank, before what.
        sentences, clauses: for each character, the running number of its sentence and clause over all texts; a line
            break begins both.
    """

    lines: Lines
    is_plain: Flags
    places: Numbers
    sentences: Numbers
    clauses: Numbers

    @cached_property
    def bounds(self) -> Numbers:
        """Return where the line breaks stand: text n lies between the n-th and the next."""
        return np.flatnonzero(self.lines.codes == NEWLINE)

    @cached_property
    def are_latin(self) -> Flags:
        """Tell of each character whether it belongs to a Latin word or a number."""
        codes = self.lines.codes
        found: Flags = ~(are_chinese(codes) | (codes == BLANK) | (codes == NEWLINE))
        return found

    @cached_property
    def steps(self) -> Numbers:
        """Return the running count of Chinese characters and Latin words over all texts."""
        begins = self.are_latin.copy()
        begins[1:] &= ~self.are_latin[:-1]
        return np.cumsum(are_chinese(self.lines.codes) | begins)

    def line(self, number: int) -> str:
        """Return the line of a text."""
        bound, end = self.bounds[number : number + 2].tolist()
        return self.lines.joined[bound + 1 : end]

    def one(self, number: int) -> Folded:
        """Return a plain text as :func:`audit_service.detection.folding.fold` gives it."""
        bound, end = self.bounds[number : number + 2].tolist()
        first = bound + 1

        def since_bound(row: Numbers) -> tuple[int, ...]:
            return tuple((row[first:end] - row[bound]).tolist())

        starts = (self.places[first:end] - self.places[bound] - 1).tolist()
        text = self.lines.joined[first:end]
        return Folded(
            text=text,
            starts=tuple(starts),
            ends=tuple(start + (sign != " ") for start, sign in zip(starts, text, strict=True)),
            steps=since_bound(self.steps),
            sentences=since_bound(self.sentences),
            clauses=since_bound(self.clauses),
            noise=0,
        )


def fold_in_bulk(texts: Sequence[str]) -> BulkFolded:
    """Fold ``texts``."""
    written = lines_of([text.replace(_BREAK, " ").replace("\n", _BREAK) for text in texts])
    kinds, folded = _read(written.codes)
    odd = np.zeros(len(texts) + 1, dtype=bool)
    odd[written.text_of[kinds == _ODD]] = True
    lines, places = _joined(written, kinds, folded, odd)
    odd[lines.text_of[_evasions(lines)]] = True
    _find_pinyin(lines, odd)
    is_end = (kinds == _SENTENCE) | (written.codes == NEWLINE)
    sentences = np.cumsum(is_end)
    clauses = np.cumsum(is_end | (kinds == _CLAUSE))
    return BulkFolded(lines, ~odd[:-1], places, sentences[places], clauses[places])


def _read(codes: Codes) -> tuple[NDArray[np.uint8], Codes]:
    """Return the kind of each character, and the character it folds to."""
    kinds, folded = _tables()
    within = np.minimum(codes, _TABLE_SIZE - 1)
    found = kinds[within]
    found[codes >= _TABLE_SIZE] = _ODD
    after = np.concatenate([found[1:], [_SPACE]])
    found[(found == _DOT) & (after == _SPACE)] = _SENTENCE
    found[found == _DOT] = _ORDINARY
    before = np.concatenate([[_SPACE], found[:-1]])
    in_word = (found == _FOR_LETTER) & (before == _LETTER) & (after == _LETTER)
    found[found == _FOR_LETTER] = np.where(codes[found == _FOR_LETTER] == ord("@"), _ORDINARY, _SYMBOL)
    found[in_word] = _ODD
    found[codes == ord(_BREAK)] = _SENTENCE
    return found, folded[within]


def _joined(written: Lines, kinds: NDArray[np.uint8], folded: Codes, odd: Flags) -> tuple[Lines, Numbers]:
    """Return the letters that stay, a line a text, with blanks between Latin words, and where each was written.

    Texts with noise in words are marked as odd, and those with signs before the first letter.
    """
    text_of = written.text_of
    is_line = written.codes == NEWLINE
    kept = np.flatnonzero(((kinds >= _CHINESE) & (kinds <= _DIGIT)) | is_line)
    boundary = (kinds == _CLAUSE) | (kinds == _SENTENCE)
    rows = (boundary, kinds == _SPACE, kinds == _SYMBOL, kinds == _ORDINARY)
    between = [np.concatenate([[0], np.cumsum(row)]) for row in rows]
    left, right = kept[:-1], kept[1:]
    boundaries, spaces, symbols, ordinary = (sums[right] - sums[left + 1] for sums in between)
    is_inside = ~is_line[left] & ~is_line[right]
    both_chinese = (kinds[left] == _CHINESE) & (kinds[right] == _CHINESE)
    both_letters = (kinds[left] == _LETTER) & (kinds[right] == _LETTER)
    hidden = (both_chinese & (symbols + ordinary > 0)) | (both_letters & (symbols > 0))
    odd[text_of[left[is_inside & hidden & (boundaries + spaces == 0)]]] = True
    odd[text_of[right[is_line[left] & (symbols + ordinary > 0)]]] = True
    latin = is_inside & (kinds[left] != _CHINESE) & (kinds[right] != _CHINESE)
    blanks = np.flatnonzero(latin & (boundaries + spaces + symbols + ordinary > 0)) + 1
    letters = np.where(is_line[kept], np.uint32(NEWLINE), folded[kept])
    codes = np.insert(letters, blanks, np.uint32(BLANK))
    places = np.insert(kept, blanks, kept[blanks])
    return Lines(codes.tobytes().decode("utf-32-le"), codes, text_of[places]), places


def _evasions(lines: Lines) -> Numbers:
    """Return where digits stand for letters, or letters are spelled one by one."""
    line = lines.codes
    letter = _are_letters(line)
    digits = (line >= ord("0")) & (line <= ord("9"))
    beside = np.zeros(len(line), dtype=bool)
    beside[1:] |= digits[1:] & letter[:-1]
    beside[:-1] |= digits[:-1] & letter[1:]
    stands_for = np.array(
        [place for place in np.flatnonzero(beside).tolist() if _is_leet(lines, place)], dtype=np.int64
    )
    blank = (line == BLANK) | (line == NEWLINE)
    if len(line) < _SHORTEST_SPELLED:
        return stands_for
    single = blank[:-2] & letter[1:-1] & blank[2:]
    spelled = single[:-4] & single[2:-2] & single[4:]
    return np.concatenate([stands_for, np.flatnonzero(spelled) + 1])


def _is_leet(lines: Lines, place: int) -> bool:
    """Tell whether digits stand for letters in the Latin word at ``place``."""
    text, first, last = lines.joined, place, place + 1
    while text[first - 1] in _LETTERS_AND_DIGITS:
        first -= 1
    while text[last] in _LETTERS_AND_DIGITS:
        last += 1
    return unleeted(text[first:last]) != text[first:last]


def _find_pinyin(lines: Lines, odd: Flags) -> None:
    """Mark the texts in which Latin letters beside Chinese characters spell pinyin."""
    letter, chinese = _are_letters(lines.codes), are_chinese(lines.codes)
    beside = np.flatnonzero((letter[:-1] & chinese[1:]) | (chinese[:-1] & letter[1:]))
    bounds = np.flatnonzero(lines.codes == NEWLINE) if len(beside) else beside
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
    (LEET, _FOR_LETTER), (JOINING, _ODD), (SENTENCE_ENDS, _SENTENCE), (CLAUSE_ENDS, _CLAUSE), (".", _DOT),
    (APOSTROPHES, _APOSTROPHE), (ORDINARY_SIGNS, _ORDINARY),
)  # fmt: skip
