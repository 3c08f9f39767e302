"""All literals of all packs in one automaton a plane, and the hits that they have in a passage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

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


WordHits = dict[str, list[Hit]]
Needs = Mapping[str, Sequence[frozenset[str]]]


class Anchors:
    """Compiled selections. Deterministic: hits come out in the order of their place.

    Args:
        selections: of all rules.
        needs: by rule, the sets of selections of which one must be met wholly for the rule to hold.
    """

    def __init__(self, selections: Sequence[Selection], needs: Needs | None = None) -> None:
        self.selections: dict[str, dict[str, int]] = {}
        self.words_of: list[frozenset[str]] = []
        self.spoken_of: list[frozenset[str]] = []
        for selection in selections:
            rule_id, name = selection.key
            self.selections.setdefault(rule_id, {})[name] = len(self.words_of)
            self.words_of.append(frozenset(selection.literals))
            # one syllable alone sounds like half the language
            spoken = (literal for literal in selection.literals if selection.sounds and len(literal) > 1)
            self.spoken_of.append(frozenset(spoken))
        self.owners, self.spoken_owners = _owners(self.words_of), _owners(self.spoken_of)
        self.watched = self._watched(needs or {})
        self._words = list(self.owners)
        self._folded = [fold_literal(literal) for literal in self._words]
        self._text = AhoCorasick([folded.rstrip("*") for folded in self._folded]) if self._words else None
        self._mandarin = _SoundIndex(self.spoken_owners, is_mandarin=True)
        self._english = _SoundIndex(self.spoken_owners, is_mandarin=False)

    def hits(self, passage: Passage, *, may_sound: bool) -> FoundWords:
        """Return the hits of all literals in ``passage``; on the sound plane too if ``may_sound``."""
        sounded: WordHits = {}
        if may_sound:
            self._mandarin.add_hits(passage, sounds.mandarin_tokens(passage), sounded)
            self._english.add_hits(passage, sounds.english_tokens(passage), sounded)
        return FoundWords(self, self._written(passage), sounded)

    def _written(self, passage: Passage) -> WordHits:
        found: WordHits = {}
        if self._text is None or not passage.text:
            return found
        for number, start, end in self._text.find_matches_as_indexes(passage.text, overlapping=True):
            if not _is_whole_word(passage.text, start, end, self._folded[number]):
                continue
            if is_chinese(passage.text[start]) and not passage.is_one_clause(start, end):
                continue
            literal = self._words[number]
            found.setdefault(literal, []).append(Hit(start, end, literal=literal))
        return found

    def _watched(self, needs: Needs) -> dict[int, list[tuple[frozenset[int], str]]]:
        """Return, by the selection of a set that has the fewest words, the sets and the rules that need them."""
        watched: dict[int, list[tuple[frozenset[int], str]]] = {}
        for rule_id, sets in needs.items():
            for names in filter(None, sets):
                numbers = frozenset(self.selections[rule_id][name] for name in names)
                rarest = min(numbers, key=lambda number: (len(self.words_of[number]), number))
                watched.setdefault(rarest, []).append((numbers, rule_id))
        return watched


class FoundWords:
    """The hits of words in one passage, told apart by rule and selection only where somebody asks."""

    def __init__(self, anchors: Anchors, written: WordHits, sounded: WordHits) -> None:
        self._anchors = anchors
        self._written = written
        self._sounded = sounded
        self._met = frozenset[int]().union(
            *(anchors.owners[literal] for literal in written),
            *(anchors.spoken_owners[literal] for literal in sounded),
        )

    @cached_property
    def able(self) -> frozenset[str]:
        """Return the rules of whose sets of needed selections one is met wholly."""
        watched = self._anchors.watched
        return frozenset(
            rule_id for number in self._met for needed, rule_id in watched.get(number, ()) if needed <= self._met
        )

    def of(self, rule_id: str) -> WordHits:
        """Return the hits of a rule by the name of the selection, in the order of their place."""
        numbers = self._anchors.selections.get(rule_id, {})
        return {name: self._hits(number) for name, number in numbers.items() if number in self._met}

    def _hits(self, number: int) -> list[Hit]:
        found = [hit for word in self._anchors.words_of[number] & self._written.keys() for hit in self._written[word]]
        for word in self._anchors.spoken_of[number] & self._sounded.keys():
            found += self._sounded[word]
        return sorted(found, key=lambda hit: (hit.start, hit.end, -hit.score, hit.literal))


def _owners(words_of: Sequence[frozenset[str]]) -> dict[str, frozenset[int]]:
    """Return, for each word, the numbers of the selections that it stands in."""
    owners: dict[str, list[int]] = {}
    for number, words in enumerate(words_of):
        for word in sorted(words):
            owners.setdefault(word, []).append(number)
    return {word: frozenset(numbers) for word, numbers in owners.items()}


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

    def __init__(self, spoken: Iterable[str], *, is_mandarin: bool) -> None:
        self._is_mandarin = is_mandarin
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

    def add_hits(self, passage: Passage, tokens: sounds.SoundTokens, found: WordHits) -> None:
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
                found.setdefault(word.literal, []).append(hit)

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
