"""Tell in bulk which messages need a full scan: all whose words or wording might meet a rule, and all that hide words.

What the screen lets go, a full scan would have found nothing in. It asks for less than the rules do (that the words
which a condition needs stand about as near to each other as it wants), so it errs on one side only.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from ahocorasick_rs import AhoCorasick

from audit_service.detection import conditions
from audit_service.detection.anchors import Selection, fold_literal
from audit_service.detection.bulk import BulkFolded
from audit_service.detection.folding import count_steps, is_chinese
from audit_service.detection.lines import Flags, Numbers
from audit_service.detection.rules import Rule
from audit_service.detection.wordings import WordingModel

BROAD_WORDS = frozenset({"you", "your", "we", "our"})


@dataclass(frozen=True)
class Group:
    """Selections, by number, to be met within ``reach`` steps of each other; without a bound, in one sentence."""

    numbers: tuple[int, ...]
    reach: int | None


@dataclass(frozen=True)
class Places:
    """Where the words of the selections stand, selection by selection.

    Attributes:
        bounds: the entries of selection n lie from ``bounds[n]`` to ``bounds[n + 1]``.
        steps, sentences: of each entry, in the order of the steps.
    """

    bounds: list[int]
    steps: Numbers
    sentences: Numbers

    def count(self, number: int) -> int:
        """Return how often a selection is met."""
        return self.bounds[number + 1] - self.bounds[number]

    def of(self, number: int) -> slice:
        """Return the entries of a selection."""
        return slice(self.bounds[number], self.bounds[number + 1])

    def sentences_with(self, group: Group) -> Numbers:
        """Return the sentences in which all selections of ``group`` may be met."""
        rarest = min(group.numbers, key=self.count)
        steps, sentences = self.steps[self.of(rarest)], self.sentences[self.of(rarest)]
        for number in group.numbers:
            if number != rarest and len(steps):
                others = self.of(number)
                if group.reach is None:
                    near = np.isin(sentences, self.sentences[others])
                else:
                    near = _are_near(steps, self.steps[others], group.reach)
                steps, sentences = steps[near], sentences[near]
        return sentences


class Screen:
    """Compiled from rules of words and linear models.

    Args:
        rules: those that may concern a message of the kind.
        models: each linear model with the log-odds, of any conduct or any signal, below which it proposes nothing.
        speaker: who wrote the messages.
    """

    def __init__(self, rules: Iterable[Rule], models: Sequence[tuple[WordingModel, float]], speaker: str) -> None:
        self._models = tuple(models)
        self._speaker = speaker
        self._needs: list[tuple[list[Group], list[Selection]]] = []
        self._selections: dict[tuple[str, str], int] = {}
        self.is_open = False
        literals: dict[str, set[int]] = {}
        for rule in rules:
            self._add(rule, literals)
        words = list(literals)
        self._automaton = AhoCorasick([word.rstrip("*") for word in words]) if words else None
        self._is_bounded = np.array([[_is_latin(word[0]), _is_latin(word[-1])] for word in words], dtype=bool).reshape(
            len(words), 2
        )
        owners = list(literals.values())
        self._counts = np.array([len(numbers) for numbers in owners], dtype=np.int64)
        self._firsts = np.concatenate([[0], np.cumsum(self._counts)])[:-1].astype(np.int64)
        self._owners = np.array([number for numbers in owners for number in sorted(numbers)], dtype=np.int64)

    def needs_scan(self, folded: BulkFolded) -> Flags:
        """Return, for each message, whether it needs a full scan."""
        needed: Flags = ~folded.is_plain | self.is_open
        needed |= self._may_meet(folded)
        speakers = [self._speaker] * len(needed)
        for model, least in self._models:
            needed |= model.any_odds(folded.lines, speakers) >= least
        return needed

    def _add(self, rule: Rule, literals: dict[str, set[int]]) -> None:
        selections = {selection.key[1]: selection for selection in rule.detection.selections}
        for way in conditions.ways(rule.detection.condition):
            groups = []
            patterned: list[Selection] = []
            for near in sorted(way, key=lambda near: sorted(near.names)):
                known = [selections[name] for name in sorted(near.names)]
                checked = [selection for selection in known if selection.is_indexed]
                narrow = [selection for selection in checked if not _is_broad(selection.literals)]
                patterned += [item for item in known if item.patterns and not item.examples and item not in patterned]
                numbers = tuple(self._number(selection, literals) for selection in narrow or checked)
                if numbers:
                    groups.append(Group(numbers, _reach(near, known)))
            for selection in patterned:
                self._number(selection, literals)
            if groups or patterned:
                self._needs.append((groups, patterned))
            self.is_open |= not groups and not patterned

    def _number(self, selection: Selection, literals: dict[str, set[int]]) -> int:
        number = self._selections.setdefault(selection.key, len(self._selections))
        for literal in selection.literals:
            literals.setdefault(fold_literal(literal), set()).add(number)
        return number

    def _may_meet(self, folded: BulkFolded) -> Flags:
        """Return for which texts all that some rule needs is there, the words of a sequence near each other."""
        count = len(folded.is_plain)
        places = self._places(folded)
        is_met = [places.count(number) > 0 for number in range(len(self._selections))]
        text_of = np.full(int(folded.sentences[-1]) + 1, count, dtype=np.int64)
        text_of[folded.sentences] = folded.lines.text_of
        able: Flags = np.zeros(count + 1, dtype=bool)
        for groups, patterned in self._needs:
            if all(is_met[number] for group in groups for number in group.numbers):
                where = [text_of[places.sentences_with(group)] for group in groups]
                texts = functools.reduce(np.intersect1d, where) if where else np.arange(count)
                for selection in patterned:
                    worded = text_of[places.sentences[places.of(self._selections[selection.key])]]
                    texts = _with_pattern(folded, np.unique(texts), worded, selection)
                able[texts] = True
        return able[:-1]

    def _places(self, folded: BulkFolded) -> Places:
        joined = folded.lines.joined
        found = [] if self._automaton is None else self._automaton.find_matches_as_indexes(joined, overlapping=True)
        literals, begins, ends = np.array(found, dtype=np.int64).reshape(-1, 3).T
        latin = folded.are_latin
        bounded = self._is_bounded[literals]
        is_whole = ~(bounded[:, 0] & latin[begins - 1]) & ~(bounded[:, 1] & latin[ends])
        literals, begins = literals[is_whole], begins[is_whole]
        many = self._counts[literals]
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        numbers = self._owners[np.repeat(self._firsts[literals], many) + within]
        begins = np.repeat(begins, many)
        order = np.lexsort((begins, numbers))
        bounds = np.searchsorted(numbers[order], np.arange(len(self._selections) + 1)).tolist()
        return Places(bounds, folded.steps[begins[order]], folded.sentences[begins[order]])


def _reach(near: conditions.Near, selections: Sequence[Selection]) -> int | None:
    """Return how many steps the beginnings of the words lie apart at most; None if no bound is known."""
    if near.reach is None or not all(selection.is_indexed for selection in selections):
        return None
    return near.reach + sum(max(map(_length, selection.literals), default=0) for selection in selections)


@cache
def _length(literal: str) -> int:
    return count_steps(list(fold_literal(literal)))[-1]


def _are_near(steps: Numbers, others: Numbers, reach: int) -> Flags:
    """Tell of each of ``steps`` whether one of ``others``, which ascend, is within ``reach``."""
    next_one = np.searchsorted(others, steps - reach)
    found: Flags = next_one < len(others)
    found[found] = others[next_one[found]] <= steps[found] + reach
    return found


def _with_pattern(folded: BulkFolded, texts: Numbers, worded: Numbers, selection: Selection) -> Numbers:
    """Return those of ``texts`` in which a word (``worded`` says where) or a pattern of a selection stands."""
    has_word = np.isin(texts, worded)
    lines = [folded.line(number) if number < len(folded.is_plain) else "" for number in texts[~has_word].tolist()]
    found = has_word.copy()
    found[~has_word] = [any(pattern.search(line) for pattern in selection.patterns) for line in lines]
    kept: Numbers = texts[found]
    return kept


def _is_broad(literals: Sequence[str]) -> bool:
    """Tell whether the words stand in so many texts that asking for them tells few apart."""
    return not BROAD_WORDS.isdisjoint(literals)


def _is_latin(character: str) -> bool:
    return character.isalnum() and not is_chinese(character)
