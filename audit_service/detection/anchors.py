"""All literals of all packs in one automaton a plane, and the hits that they have in a passage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from audit_service.detection import sounds
from audit_service.detection._searching import Words
from audit_service.detection.folding import folded_texts
from audit_service.detection.passages import Passage, Place

SelectionKey = tuple[str, str]
_CONFUSION_COST = 0.1
_OTHER_WRITING_COST = 0.04
_FUZZY_COST = 0.2


class Hit(NamedTuple):
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
Spans = dict[str, list[tuple[int, int]]]
Needs = Mapping[str, Sequence[frozenset[str]]]


@dataclass(frozen=True)
class Source:
    """What selections look for: words as written, and those that count by their sound too."""

    words: frozenset[str]
    spoken: frozenset[str]


class Anchors:
    """Compiled selections. Deterministic: hits come out in the order of their place.

    Args:
        selections: of all rules.
        needs: by rule, the sets of selections of which one must be met wholly for the rule to hold.

    Attributes:
        numbers: of the selections, by rule and name.
        sources: selections of the same words share one.
        source_of: the source of each selection.
        literals: all words, by number.
        words: finds them.
        ear: hears what sounds like them.
        watched: of the sets of sources of which one must be met wholly, by the source with the fewest words, the set
            and the rule that needs it.
        owners, spoken_owners: the watched sources in which a word stands.
    """

    def __init__(self, selections: Sequence[Selection], needs: Needs | None = None) -> None:
        self.numbers: dict[str, dict[str, int]] = {}
        self.source_of: list[int] = []
        sources: dict[Source, int] = {}
        for number, selection in enumerate(selections):
            rule_id, name = selection.key
            self.numbers.setdefault(rule_id, {})[name] = number
            self.source_of.append(sources.setdefault(_source(selection), len(sources)))
        self.sources = list(sources)
        self.literals = list(dict.fromkeys(word for source in self.sources for word in sorted(source.words)))
        folded = folded_literals(self.literals)
        self.words = Words(
            [f"{line}*" if word.endswith("*") else line for word, line in zip(self.literals, folded, strict=True)]
        )
        spoken = {word for source in self.sources for word in source.spoken}
        self.ear = sounds.ear(
            self.literals, [line if word in spoken else "" for word, line in zip(self.literals, folded, strict=True)]
        )
        self.watched = self._watched(needs or {})
        self.owners = _owners({number: self.sources[number].words for number in self.watched})
        self.spoken_owners = _owners({number: self.sources[number].spoken for number in self.watched})

    def hits(self, passage: Passage, *, may_sound: bool) -> FoundWords:
        """Return the hits of all literals in ``passage``; on the sound plane too if ``may_sound``."""
        sounded: WordHits = {}
        if may_sound:
            for number, start, end, wrong, confused in self.ear.echoes_in(passage.text, passage.clauses):
                literal = self.literals[number]
                score = 1.0 - _OTHER_WRITING_COST - _CONFUSION_COST * confused - _FUZZY_COST * wrong
                plane = "fuzzy" if wrong else "syllable"
                hit = Hit(start, end, plane, round(score, 3), confused + wrong, literal)
                sounded.setdefault(literal, []).append(hit)
        return FoundWords(self, self._written(passage), sounded)

    def _written(self, passage: Passage) -> Spans:
        found: Spans = {}
        for number, start, end in self.words.places(passage.text, passage.clauses):
            found.setdefault(self.literals[number], []).append((start, end))
        return found

    def _watched(self, needs: Needs) -> dict[int, list[tuple[frozenset[int], str]]]:
        """Return, by the source of a set that has the fewest words, the sets and the rules that need them."""
        watched: dict[int, list[tuple[frozenset[int], str]]] = {}
        for rule_id, sets in needs.items():
            for names in filter(None, sets):
                numbers = frozenset(self.source_of[self.numbers[rule_id][name]] for name in names)
                rarest = min(numbers, key=lambda number: (len(self.sources[number].words), number))
                watched.setdefault(rarest, []).append((numbers, rule_id))
        return watched


class FoundWords:
    """The hits of words in one passage, told apart by rule and selection only where somebody asks."""

    def __init__(self, anchors: Anchors, written: Spans, sounded: WordHits) -> None:
        self._anchors = anchors
        self._written = written
        self._sounded = sounded
        self._of_source: dict[int, list[Hit]] = {}

    @cached_property
    def able(self) -> frozenset[str]:
        """Return the rules of whose sets of needed selections one is met wholly."""
        owners, spoken_owners = self._anchors.owners, self._anchors.spoken_owners
        met = {number for word in self._written for number in owners.get(word, ())}
        met |= {number for word in self._sounded for number in spoken_owners.get(word, ())}
        return frozenset(
            rule_id
            for number in met
            for needed, rule_id in self._anchors.watched[number]
            if all(map(self._hits, needed))
        )

    def of(self, rule_id: str) -> WordHits:
        """Return the hits of a rule by the name of the selection, in the order of their place."""
        numbers = self._anchors.numbers.get(rule_id, {})
        found = {name: self._hits(self._anchors.source_of[number]) for name, number in numbers.items()}
        return {name: hits for name, hits in found.items() if hits}

    def _hits(self, number: int) -> list[Hit]:
        if number not in self._of_source:
            source = self._anchors.sources[number]
            found = [
                Hit(start, end, literal=word)
                for word in source.words.intersection(self._written)
                for start, end in self._written[word]
            ]
            for word in source.spoken.intersection(self._sounded):
                found += self._sounded[word]
            found.sort(key=lambda hit: (hit.start, hit.end, -hit.score, hit.literal))
            self._of_source[number] = found
        return self._of_source[number]


def _source(selection: Selection) -> Source:
    words = frozenset(selection.literals)
    # one syllable alone sounds like half the language
    return Source(words, frozenset(word for word in words if selection.sounds and len(word) > 1))


def _owners(words_of: Mapping[int, frozenset[str]]) -> dict[str, tuple[int, ...]]:
    """Return, for each word, the numbers of what it stands in."""
    owners: dict[str, list[int]] = {}
    for number, words in words_of.items():
        for word in words:
            owners.setdefault(word, []).append(number)
    return {word: tuple(numbers) for word, numbers in owners.items()}


def folded_literals(literals: Sequence[str]) -> list[str]:
    """Return literals as they stand in folded text, without a trailing asterisk."""
    texts = folded_texts([literal.rstrip("*") for literal in literals])
    return [texts.line(number) for number in range(texts.count)]
