"""Tell in bulk which messages need a full scan: all whose words or wording might meet a rule, and all that hide words.

What the screen lets go, a full scan would have found nothing in. It asks for less than the rules do (that the words
which a condition needs stand anywhere in the message), so it errs on one side only.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from ahocorasick_rs import AhoCorasick

from audit_service.detection import conditions
from audit_service.detection.anchors import fold_literal
from audit_service.detection.bulk import BulkFolded, fold_in_bulk
from audit_service.detection.lines import Flags
from audit_service.detection.rules import Rule
from audit_service.detection.wordings import WordingModel

MOST_ALTERNATIVES = 64
_BROAD = 2
Needs = frozenset[str]


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
        self._needs: list[list[int]] = []
        self._selections: dict[tuple[str, str], int] = {}
        self.is_open = False
        literals: dict[str, set[int]] = {}
        for rule in rules:
            self._add(rule, literals)
        self._automaton = AhoCorasick(list(literals)) if literals else None
        owners = list(literals.values())
        self._counts = np.array([len(numbers) for numbers in owners], dtype=np.int64)
        self._firsts = np.concatenate([[0], np.cumsum(self._counts)])[:-1].astype(np.int64)
        self._owners = np.array([number for numbers in owners for number in sorted(numbers)], dtype=np.int64)

    def needs_scan(self, texts: Sequence[str]) -> Flags:
        """Return, for each message, whether it needs a full scan."""
        folded = fold_in_bulk(texts)
        needed: Flags = ~folded.is_plain | self.is_open
        needed |= self._may_meet(folded, len(texts))
        for model, least in self._models:
            needed |= model.any_odds(folded.lines, [self._speaker] * len(texts)) >= least
        return needed

    def _add(self, rule: Rule, literals: dict[str, set[int]]) -> None:
        selections = {selection.key[1]: selection for selection in rule.detection.selections}
        for alternative in _alternatives(rule.detection.condition):
            checked = [name for name in alternative if not selections[name].patterns]
            narrow = [name for name in checked if not _is_broad(selections[name].literals)]
            numbers = []
            for name in narrow or checked:
                number = self._selections.setdefault((rule.id, name), len(self._selections))
                numbers.append(number)
                for literal in selections[name].literals:
                    literals.setdefault(fold_literal(literal).rstrip("*"), set()).add(number)
            self._needs.append(numbers)
            self.is_open |= not numbers

    def _may_meet(self, folded: BulkFolded, count: int) -> Flags:
        """Return for which texts all words that some rule needs are there."""
        joined = folded.lines.joined
        found = [] if self._automaton is None else self._automaton.find_matches_as_indexes(joined, overlapping=True)
        met = np.zeros((len(self._selections), count + 1), dtype=bool)
        if found:
            hits = np.array(found, dtype=np.int64)
            literals, texts = hits[:, 0], folded.lines.text_of[hits[:, 1]]
            many = self._counts[literals]
            within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
            met[self._owners[np.repeat(self._firsts[literals], many) + within], np.repeat(texts, many)] = True
        able = np.zeros(count + 1, dtype=bool)
        for numbers in self._needs:
            able |= np.logical_and.reduce(met[numbers])
        return able[:-1]


def _is_broad(literals: Sequence[str]) -> bool:
    return any(len(literal) < _BROAD for literal in literals) or {"you", "your"} & set(literals) != set()


def _alternatives(node: conditions.Node | None) -> list[Needs]:
    """Return the sets of selections of which one must be met wholly for ``node`` to hold."""
    if node is None:
        return []
    if isinstance(node, conditions.Name):
        return [frozenset({node.name})]
    if isinstance(node, conditions.Either):
        return list(dict.fromkeys(itertools.chain.from_iterable(_alternatives(part) for part in node.parts)))
    parts = [node.left, node.right] if isinstance(node, conditions.Sequence) else list(node.parts)
    below = [_alternatives(part) for part in parts]
    if np.prod([len(each) for each in below]) > MOST_ALTERNATIVES:
        return below[0]
    return list(dict.fromkeys(frozenset().union(*each) for each in itertools.product(*below)))
