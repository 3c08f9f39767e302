"""Judge many typed messages in bulk: which rules stand in which of them, and where the wording may show something.

What is not named here, a full scan would have found nothing in; what is, a full scan judges by the named rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audit_service.detection import conditions
from audit_service.detection._folding import FoldedTexts
from audit_service.detection._judging import KINDS, PLACES, Judge
from audit_service.detection.anchors import Anchors, Selection
from audit_service.detection.matching import WHOLE, RuleException
from audit_service.detection.rules import Rule
from audit_service.detection.wordings import Bar, TrainedLayer

NOT_A_SELECTION = -1
Spans = list[tuple[int, int]]


class Node(NamedTuple):
    """A condition in a flat list: ``below`` are the numbers of those right within, the first of which must hold."""

    kind: int
    selection: int
    gap: int
    below: tuple[int, ...]
    must_hold: int


class Neighbour(NamedTuple):
    """An exception or a requirement, as numbers."""

    source: int
    place: int
    target: int
    within: int
    is_required: bool


class Program(NamedTuple):
    """A rule, as numbers.

    Attributes:
        nodes: its condition, what is within before what it is within.
        needs: sets of sources of words; unless all of one are met, the condition cannot hold.
        is_opaque: selections count or compare sentences, so that only ``needs`` can be judged in bulk.
        is_open: it can be met without any word being there.
    """

    nodes: tuple[Node, ...]
    needs: tuple[tuple[int, ...], ...]
    neighbours: tuple[Neighbour, ...]
    is_opaque: bool
    is_open: bool


class Compiler:
    """Makes rules of words into numbers.

    Args:
        anchors: the words of all rules.
        selections: all selections, by number.
    """

    def __init__(self, anchors: Anchors, selections: Sequence[Selection]) -> None:
        self._anchors = anchors
        self._selections = selections
        word_numbers = {word: number for number, word in enumerate(anchors.literals)}
        self.written = [sorted(word_numbers[word] for word in source.words) for source in anchors.sources]
        self.spoken = [sorted(word_numbers[word] for word in source.spoken) for source in anchors.sources]
        self.sources = list(anchors.source_of)
        self.patterned = [NOT_A_SELECTION] * len(self.written)
        for number, selection in enumerate(selections):
            if selection.patterns or selection.not_patterns:
                self._add_source(number)

    def judge(self, rules: Sequence[Rule]) -> Judge:
        """Return what judges by ``rules``."""
        programs = [self._program(rule) for rule in rules]
        words, ear = self._anchors.words, self._anchors.ear
        return Judge(words, ear, self.written, self.spoken, self.patterned, self.sources, programs, self._look)

    def _add_source(self, selection: int) -> None:
        """Give a selection with patterns a source of its own."""
        shared = self.sources[selection]
        self.sources[selection] = len(self.written)
        self.written.append(self.written[shared])
        self.spoken.append(self.spoken[shared])
        self.patterned.append(selection)

    def _look(self, number: int, line: str) -> tuple[Spans, Spans]:
        """Return the hits of the patterns of a selection in a folded text, and the stretches without hits."""
        selection = self._selections[number]
        found, excluded = (
            [match.span() for pattern in patterns for match in pattern.finditer(line) if match.end() > match.start()]
            for patterns in (selection.patterns, selection.not_patterns)
        )
        return found, excluded

    def _program(self, rule: Rule) -> Program:
        detection, numbers = rule.detection, self._anchors.numbers.get(rule.id, {})
        assert detection.condition is not None  # noqa: S101
        nodes: list[Node] = []
        self._add_node(detection.condition, numbers, nodes)
        return Program(
            nodes=tuple(nodes),
            needs=tuple(
                tuple(sorted({self._anchors.source_of[numbers[name]] for name in names}))
                for names in detection.needed_names
                if names
            ),
            neighbours=tuple(
                self._neighbour(item, numbers, is_required=item.part == "requires")
                for item in (*detection.exceptions, *detection.required)
                if item.where != "turns" and not self._is_opaque(numbers[item.key])
            ),
            is_opaque=any(self._is_opaque(numbers[name]) for name in conditions.names(detection.condition)),
            is_open=detection.is_open,
        )

    def _is_opaque(self, number: int) -> bool:
        selection = self._selections[number]
        return bool(selection.examples) or selection.count is not None

    def _add_node(self, node: conditions.Node, numbers: Mapping[str, int], nodes: list[Node]) -> int:
        below = tuple(self._add_node(part, numbers, nodes) for part in conditions.children(node))
        selection, gap, must_hold = NOT_A_SELECTION, 0, len(below)
        if isinstance(node, conditions.Name):
            kind, selection = "name", numbers[node.name]
        elif isinstance(node, conditions.Sequence):
            kind, gap = "then" if node.is_ordered else "near", node.gap
        elif isinstance(node, conditions.Together):
            kind, must_hold = "together", len(node.parts)
        else:
            kind = "either"
        nodes.append(Node(KINDS[kind], selection, gap, below, must_hold))
        return len(nodes) - 1

    def _neighbour(self, item: RuleException, numbers: Mapping[str, int], *, is_required: bool) -> Neighbour:
        place = item.target if item.where == "in" else item.where
        target = NOT_A_SELECTION if item.where == "in" or item.target == WHOLE else numbers[item.target]
        return Neighbour(self.sources[numbers[item.key]], PLACES[place], target, item.within, is_required)


@dataclass(frozen=True)
class Screen:
    """What may be found in messages of one kind: same speaker, recipient, channel and packs.

    Attributes:
        judge: the rules of words.
        rules: their ids, by number.
        wanted: of each, whether it may concern a message of the kind, a byte each.
        bars: of each trained layer, what the log-odds must reach.
        speaker: who wrote the messages.
    """

    judge: Judge
    rules: Sequence[str]
    wanted: bytes
    bars: Sequence[tuple[TrainedLayer, Sequence[Bar]]]
    speaker: str

    def able(self, texts: FoldedTexts) -> dict[int, Sequence[str]]:
        """Return the messages in which something may be found, with the rules of words that stand in them."""
        standing = self.judge.standing(texts, self.wanted)
        found: dict[int, Sequence[str]] = {
            number: [self.rules[rule] for rule in rules] for number, rules in standing.items()
        }
        for model, bars in self.bars:
            may = model.may_propose(texts, bars, self.speaker)
            number = may.find(1)
            while number >= 0:
                found.setdefault(number, ())
                number = may.find(1, number + 1)
        return found
