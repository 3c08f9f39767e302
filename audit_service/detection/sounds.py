"""The sound plane: what a recogniser may have heard, or a writer hides behind homophones.

Mandarin is read as tone-less syllables in which easily confused sounds are one (z/zh, c/ch, s/sh, n/l, f/h, in/ing,
en/eng, an/ang); English as Metaphone keys. A word is looked for by its keys and then verified on its true sounds,
so that each confusion costs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
from pypinyin import Style, lazy_pinyin

from audit_service.detection.folding import is_chinese
from audit_service.detection.passages import Passage
from audit_service.detection.syllables import known_syllables, syllable

_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"))
_FINALS = (("ing", "in"), ("eng", "en"), ("ang", "an"))
_LATIN_RUN = re.compile(r"[a-z]+")
_LONGEST_SYLLABLE = 6
_PINYIN_BETWEEN = re.compile(r"(?<=[㐀-鿿])[a-z]{2,}|[a-z]{2,}(?=[㐀-鿿])")
# How English recognisers write spoken words that sound like letters.
_LETTER_WORDS = {"u": "you", "o": "owe", "r": "are", "y": "why", "ur": "your"}


@dataclass(frozen=True)
class SoundTokens:
    """The sounds of a passage: ``keys`` to look words up by, ``spoken`` to verify, and the stretch of each token."""

    keys: tuple[str, ...]
    spoken: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def line(self) -> tuple[str, list[int]]:
        """Return the keys as one searchable line and the position in it at which each token's space stands."""
        positions = []
        place = 0
        for key in self.keys:
            positions.append(place)
            place += len(key) + 1
        return " " + " ".join(self.keys) + " ", positions


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


def mandarin_tokens(passage: Passage) -> SoundTokens:
    """Return one token a Chinese character; Latin letters that spell pinyin (``fa院``) are syllables too."""
    spoken: list[tuple[str, int, int]] = []
    place = 0
    text = passage.text
    while place < len(text):
        if is_chinese(text[place]):
            spoken.append((syllable(text[place]), place, place + 1))
            place += 1
            continue
        run = _LATIN_RUN.match(text, place)
        if run is None:
            place += 1
            continue
        spoken += [(part, run.start() + start, run.start() + end) for part, start, end in spelled(run.group())]
        place = run.end()
    return _tokens(spoken, is_mandarin=True)


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


def english_tokens(passage: Passage) -> SoundTokens:
    """Return one token a Latin word."""
    words = [(match.group(), match.start(), match.end()) for match in re.finditer(r"[a-z0-9]+", passage.text)]
    return _tokens([(_LETTER_WORDS.get(word, word), start, end) for word, start, end in words], is_mandarin=False)


def _tokens(spoken: list[tuple[str, int, int]], *, is_mandarin: bool) -> SoundTokens:
    sounds = tuple(part for part, _, _ in spoken)
    return SoundTokens(
        keys=keys_of(sounds, is_mandarin=is_mandarin),
        spoken=sounds,
        starts=tuple(start for _, start, _ in spoken),
        ends=tuple(end for _, _, end in spoken),
    )


def token_at(positions: list[int], place: int) -> int:
    """Return the number of the token whose leading space stands at ``place`` of the line."""
    return bisect_left(positions, place)
