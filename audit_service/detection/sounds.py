"""The sound plane: what a recogniser may have heard, or a writer hides behind homophones.

Mandarin is read as tone-less syllables in which easily confused sounds are one (z/zh, c/ch, s/sh, n/l, f/h, in/ing,
en/eng, an/ang); English as Metaphone keys. A word is looked for by its keys and then verified on its true sounds,
so that each confusion costs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import jellyfish
from pypinyin import Style, lazy_pinyin
from rapidfuzz.distance import Levenshtein

from audit_service.detection._hearing import Ear
from audit_service.detection.folding import is_chinese
from audit_service.detection.syllables import known_syllables, syllable

SpokenWord = tuple[int, tuple[str, ...], tuple[str, ...]]
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"))
_FINALS = (("ing", "in"), ("eng", "en"), ("ang", "an"))
_SPOKEN = re.compile("[a-z]+|[㐀-鿿\U00020000-\U0003ffff]")
_MIN_ENGLISH_KEY = 4
_MIN_ENGLISH_LIKENESS = 0.6
_LONGEST_SYLLABLE = 6
_PINYIN_BETWEEN = re.compile(r"(?<=[㐀-鿿])[a-z]{2,}|[a-z]{2,}(?=[㐀-鿿])")
# How English recognisers write spoken words that sound like letters.
_LETTER_WORDS = {"u": "you", "o": "owe", "r": "are", "y": "why", "ur": "your"}


def hides_pinyin(text: str) -> bool:
    """Tell whether, in a folded text, Latin letters beside Chinese characters spell a syllable (fa院)."""
    return any(run.group() in known_syllables() for run in _PINYIN_BETWEEN.finditer(text))


@lru_cache(maxsize=4096)
def mandarin_key(spoken: str) -> str:
    """Return the syllable with confusable sounds made one."""
    for long, short in _INITIALS:
        if spoken.startswith(long):
            spoken = short + spoken[len(long) :]
            break
    for long, short in _FINALS:
        if spoken.endswith(long):
            return spoken[: -len(long)] + short
    return spoken


@lru_cache(maxsize=50_000)
def english_key(word: str) -> str:
    """Return the Metaphone key of an English word; the word itself if it has none (digits)."""
    return jellyfish.metaphone(_LETTER_WORDS.get(word, word)) or word


def spoken_word(word: str) -> tuple[str, ...]:
    """Return the sounds of a folded literal: syllables for Chinese, words for English."""
    if any(is_chinese(character) for character in word):
        return tuple(lazy_pinyin(word, style=Style.NORMAL))
    return tuple(_LETTER_WORDS.get(part, part) for part in word.split())


def keys_of(spoken: tuple[str, ...], *, is_mandarin: bool) -> tuple[str, ...]:
    """Return the lookup keys of a spoken word."""
    return tuple((mandarin_key if is_mandarin else english_key)(part) for part in spoken)


def key_line(name: str) -> str:
    """Return the lookup keys of a folded name, Chinese or English, as one line to compare."""
    return " ".join(keys_of(spoken_word(name), is_mandarin=not name.isascii()))


def mandarin_keys(text: str) -> list[str]:
    """Return the keys of a folded text: of its Chinese characters, and of Latin letters, which may spell pinyin."""
    keys: list[str] = []
    for part in _SPOKEN.finditer(text):
        is_latin = part.group().isascii()
        keys += [key for _, key, _, _ in _letters(part.group())] if is_latin else [_character(part.group())[1]]
    return keys


def ear(literals: Sequence[str], listened_for: Sequence[str]) -> Ear:
    """Return what hears words.

    Args:
        literals: all words, as the rules have them.
        listened_for: the same as folded; empty: it is not listened for.
    """
    of_language: dict[bool, list[SpokenWord]] = {True: [], False: []}
    for number, (literal, folded) in enumerate(zip(literals, listened_for, strict=True)):
        is_mandarin = any(map(is_chinese, literal))
        said = spoken_word(folded)
        keys = keys_of(said, is_mandarin=is_mandarin)
        if said and (is_mandarin or sum(map(len, keys)) >= _MIN_ENGLISH_KEY):
            of_language[is_mandarin].append((number, said, keys))
    return Ear(literals, of_language[True], of_language[False], _character, _letters, _word, _are_alike)


def _character(character: str) -> tuple[str, str]:
    spoken = syllable(character)
    return spoken, mandarin_key(spoken)


def _letters(letters: str) -> list[tuple[str, str, int, int]]:
    return [(part, mandarin_key(part), start, end) for part, start, end in spelled(letters)]


def _word(word: str) -> tuple[str, str]:
    return _LETTER_WORDS.get(word, word), english_key(word)


def _are_alike(written: Sequence[str], spoken: str) -> bool:
    heard = " ".join(_LETTER_WORDS.get(word, word) for word in written)
    return bool(Levenshtein.normalized_similarity(heard, spoken) >= _MIN_ENGLISH_LIKENESS)


def spelled(letters: str) -> list[tuple[str, int, int]]:
    """Cut Latin letters into pinyin syllables, longest first; letters that are no pinyin stay one token."""
    parts: list[tuple[str, int, int]] = []
    place = 0
    while place < len(letters):
        for length in range(min(_LONGEST_SYLLABLE, len(letters) - place), 0, -1):
            if letters[place : place + length] in known_syllables():
                parts.append((letters[place : place + length], place, place + length))
                place += length
                break
        else:
            return [(letters, 0, len(letters))]
    return parts
