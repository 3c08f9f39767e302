"""All literals of all packs in one automaton a plane, and the hits that they have in a passage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick
from rapidfuzz.distance import Levenshtein

from audit_service.detection import sounds
from audit_service.detection.folding import fold, is_chinese
from audit_service.detection.passages import Passage, Place

SelectionKey = tuple[str, str]
_FUZZY_TOKENS = 4
_MIN_ENGLISH_KEY = 4
_MIN_ENGLISH_LIKENESS = 0.6
_CONFUSION_COST = 0.1
_OTHER_WRITING_COST = 0.04
_FUZZY_COST = 0.2


@dataclass(frozen=True)
class Hit:
    """One place in a passage where a literal of a selection stands; offsets count folded characters.

    Attributes:
        literal: the word, pattern or example sentence that was met.
        counted: for a selection that counts, where each of the hits stands that were counted.
    """

    start: int
    end: int
    plane: str = "text"
    score: float = 1.0
    edits: int = 0
    literal: str = ""
    counted: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Count:
    """How often a selection must be met.

    Attributes:
        least: so many hits, at different places.
        per: within one ``sentence``, one ``turn`` (what one speaker says in a row), or the ``call``.
        are_different: count entries of the list, not hits; a list of synonyms is one entry.
        entries: the words of each entry.
    """

    least: int
    per: str
    are_different: bool
    entries: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Selection:
    """A named set of words, patterns and example sentences.

    Attributes:
        sounds: allows the sound plane for the words.
        not_patterns: a hit is none where one of these overlaps it.
        examples: a sentence that is ``likeness`` (0 to 1) like one of them is a hit.
        count: how often it must be met; None: once.
    """

    key: SelectionKey
    literals: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...] = ()
    sounds: bool = False
    not_patterns: tuple[re.Pattern[str], ...] = ()
    examples: tuple[str, ...] = ()
    likeness: float = 1.0
    count: Count | None = None

    @property
    def is_indexed(self) -> bool:
        """Tell whether each hit is a word, so that the absence of all its words means that there is none."""
        return not self.patterns and not self.examples


Hits = dict[SelectionKey, list[Hit]]


class Anchors:
    """Compiled selections. Deterministic: hits come out in the order of their place."""

    def __init__(self, selections: Sequence[Selection]) -> None:
        words: dict[str, list[SelectionKey]] = {}
        spoken: dict[str, list[SelectionKey]] = {}
        for selection in selections:
            for literal in selection.literals:
                words.setdefault(literal, []).append(selection.key)
                if selection.sounds and len(literal) > 1:  # one syllable alone sounds like half the language
                    spoken.setdefault(literal, []).append(selection.key)
        self._words = [(literal, tuple(keys)) for literal, keys in words.items()]
        self._folded = [fold_literal(literal) for literal, _ in self._words]
        self._text = AhoCorasick([folded.rstrip("*") for folded in self._folded]) if self._words else None
        self._mandarin = _SoundIndex(spoken, is_mandarin=True)
        self._english = _SoundIndex(spoken, is_mandarin=False)

    def hits(self, passage: Passage, *, may_sound: bool) -> Hits:
        """Return the hits of all literals in ``passage``; on the sound plane too if ``may_sound``."""
        found: Hits = {}
        self._text_hits(passage, found)
        if may_sound:
            for index, tokens in (
                (self._mandarin, sounds.mandarin_tokens),
                (self._english, sounds.english_tokens),
            ):
                index.add_hits(passage, tokens(passage), found)
        for key in found:
            found[key].sort(key=lambda hit: (hit.start, hit.end, -hit.score, hit.literal))
        return found

    def _text_hits(self, passage: Passage, found: Hits) -> None:
        if self._text is None or not passage.text:
            return
        for number, start, end in self._text.find_matches_as_indexes(passage.text, overlapping=True):
            if not _is_whole_word(passage.text, start, end, self._folded[number]):
                continue
            if is_chinese(passage.text[start]) and not passage.is_one_clause(start, end):
                continue
            literal, keys = self._words[number]
            for key in keys:
                found.setdefault(key, []).append(Hit(start, end, literal=literal))


def fold_literal(literal: str) -> str:
    """Return a literal as it stands in folded text; a trailing asterisk stays."""
    return fold(literal.rstrip("*")).text + ("*" if literal.endswith("*") else "")


def _is_whole_word(text: str, start: int, end: int, literal: str) -> bool:
    """Latin literals match whole words; one with a trailing ``*`` matches the beginning of a word."""
    if not is_chinese(text[start]) and start > 0 and _is_latin(text[start - 1]):
        return False
    if literal.endswith("*") or is_chinese(text[end - 1]) or end == len(text):
        return True
    return not _is_latin(text[end])


def _is_latin(character: str) -> bool:
    return character.isalnum() and not is_chinese(character)


@dataclass(frozen=True)
class _SoundWord:
    literal: str
    spoken: tuple[str, ...]
    keys: tuple[str, ...]
    offset: int
    length: int


class _SoundIndex:
    """Looks spoken words up by the keys of the whole, or (from four tokens) of either half, and verifies."""

    def __init__(self, spoken: Mapping[str, Sequence[SelectionKey]], *, is_mandarin: bool) -> None:
        self._is_mandarin = is_mandarin
        self._owners = spoken
        entries: dict[str, list[_SoundWord]] = {}
        for literal in spoken:
            if any(is_chinese(character) for character in literal) == is_mandarin:
                for line, word in self._entries(literal):
                    entries.setdefault(line, []).append(word)
        self._lines = list(entries)
        self._entries_of = [entries[line] for line in self._lines]
        self._automaton = AhoCorasick(self._lines) if entries else None

    def _entries(self, literal: str) -> Iterable[tuple[str, _SoundWord]]:
        said = sounds.spoken_word(fold(literal.rstrip("*")).text)
        keys = sounds.keys_of(said, is_mandarin=self._is_mandarin)
        if not said or (not self._is_mandarin and sum(map(len, keys)) < _MIN_ENGLISH_KEY):
            return
        yield _line(keys), _SoundWord(literal, said, keys, 0, len(keys))
        if len(keys) >= _FUZZY_TOKENS:
            middle = len(keys) // 2
            yield _line(keys[:middle]), _SoundWord(literal, said, keys, 0, middle)
            yield _line(keys[middle:]), _SoundWord(literal, said, keys, middle, len(keys) - middle)

    def add_hits(self, passage: Passage, tokens: sounds.SoundTokens, found: Hits) -> None:
        if self._automaton is None or not tokens.keys:
            return
        line, positions = tokens.line()
        seen: set[tuple[int, int, str]] = set()
        for number, start, _ in self._automaton.find_matches_as_indexes(line, overlapping=True):
            token = sounds.token_at(positions, start)
            for word in self._entries_of[number]:
                hit = self._verified(passage, tokens, token - word.offset, word)
                if hit is None or (hit.start, hit.end, hit.literal) in seen:
                    continue
                seen.add((hit.start, hit.end, hit.literal))
                for key in self._owners[word.literal]:
                    found.setdefault(key, []).append(hit)

    def _verified(self, passage: Passage, tokens: sounds.SoundTokens, first: int, word: _SoundWord) -> Hit | None:
        last = first + len(word.keys)
        if first < 0 or last > len(tokens.keys):
            return None
        start, end = tokens.starts[first], tokens.ends[last - 1]
        if not passage.is_one_clause(start, end) or passage.text[start:end] == word.literal:
            return None
        heard = tokens.spoken[first:last]
        wrong = Levenshtein.distance(tokens.keys[first:last], word.keys)
        if self._is_mandarin:
            confused = sum(a != b for a, b in zip(heard, word.spoken, strict=True)) - wrong
        else:
            confused = (
                int(Levenshtein.normalized_similarity(" ".join(heard), " ".join(word.spoken)) < _MIN_ENGLISH_LIKENESS)
                * 9
            )
        if wrong > 1 or confused + wrong > max(1, len(word.keys) // 2):
            return None
        plane = "fuzzy" if wrong else "syllable"
        score = 1.0 - _OTHER_WRITING_COST - _CONFUSION_COST * confused - _FUZZY_COST * wrong
        return Hit(start, end, plane, round(score, 3), confused + wrong, word.literal)


def _line(keys: Sequence[str]) -> str:
    return " " + " ".join(keys) + " "
