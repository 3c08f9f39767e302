"""Evaluate a rule's condition over the hits in one passage, and its exceptions over each match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audit_service.detection import conditions
from audit_service.detection.anchors import Hit
from audit_service.detection.counting import PLANES
from audit_service.detection.passages import Passage

_MIN_SOUND_STEPS = 4
WHOLE = "match"


class Match(NamedTuple):
    """One way in which a condition holds: the stretch it spans and the hit of each selection."""

    start: int
    end: int
    parts: tuple[tuple[str, Hit], ...]

    @property
    def plane(self) -> str:
        """Return the loosest plane that a part needed."""
        return max((hit.plane for _, hit in self.parts), key=PLANES.index)

    @property
    def score(self) -> float:
        """Return the score of the weakest part."""
        return min(hit.score for _, hit in self.parts)

    @property
    def edits(self) -> int:
        """Return the number of sounds and characters that differ from the literals."""
        return sum(hit.edits for _, hit in self.parts)


@dataclass(frozen=True)
class RuleException:
    """Words beside a match: those of an exception make it lawful, those of a requirement must be there.

    Attributes:
        where: ``before`` or ``after`` (in the same clause), ``covers`` (the words contain the hit), ``in``, or
            ``turns`` (in the turns around it).
        target: the selection it is measured from, or ``match``; for ``in``: ``sentence`` or ``turn``.
        within: steps between the words and the target, for ``before`` and ``after``.
        part: of the rule in which it stands: ``except`` or ``requires``.
        before, after: for ``turns``, how many turns before and after the match.
        speakers: for ``turns``, whose words count; empty: anybody's.
        hit: for ``turns``, only the n-th hit of the call counts, -1 the last; 0: any.
    """

    name: str
    where: str
    target: str
    within: int
    part: str = "except"
    before: int = 0
    after: int = 0
    speakers: tuple[str, ...] = ()
    hit: int = 0

    @property
    def key(self) -> str:
        """Return the name of its selection among those of the rule."""
        return f"{self.part}.{self.name}"


class PassageHits:
    """The hits of one rule's selections in one passage, by selection name."""

    def __init__(self, passage: Passage, hits: Mapping[str, Sequence[Hit]]) -> None:
        self.passage = passage
        self.hits = hits

    def matches(self, node: conditions.Node) -> list[Match]:
        """Return all ways in which ``node`` holds, by place."""
        if isinstance(node, conditions.Name):
            return [Match(hit.start, hit.end, ((node.name, hit),)) for hit in self.hits.get(node.name, ())]
        if isinstance(node, conditions.Either):
            return _sorted(match for part in node.parts for match in self.matches(part))
        if isinstance(node, conditions.Sequence):
            return self._sequence(node)
        return self._together(node)

    def _sequence(self, node: conditions.Sequence) -> list[Match]:
        lefts = self.matches(node.left)
        rights = self.matches(node.right) if lefts else []
        found = []
        for left in lefts:
            for right in rights:
                first, second = (left, right) if node.is_ordered or left.start <= right.start else (right, left)
                if second.start >= first.end and self._are_near(first, second, node.gap):
                    found.append(_joined(left, right))
        return _sorted(found)

    def _are_near(self, first: Match, second: Match, gap: int) -> bool:
        if not self.passage.is_one_sentence(first.start, second.end):
            return False
        return self.passage.gap(first.end, second.start) <= gap

    def _together(self, node: conditions.Together) -> list[Match]:
        found = self.matches(node.parts[0])
        for part in node.parts[1:]:
            others = self.matches(part) if found else []
            found = [
                _joined(match, min(others, key=lambda other, match=match: _distance(match, other)))  # type: ignore[misc]
                for match in found
                if others
            ]
        return [match for match in found if not any(self._holds_beside(part, match) for part in node.unless)]

    def _holds_beside(self, node: conditions.Node, match: Match) -> bool:
        return any(self._is_beside(other, match) for other in self.matches(node))

    def _is_beside(self, other: Match | Hit, match: Match) -> bool:
        """Tell whether ``other`` begins in a sentence that ``match`` spans."""
        sentences = self.passage.sentences
        return sentences[match.start] <= sentences[other.start] <= sentences[match.end - 1]

    def _in_sentence(self, name: str, match: Match) -> Hit | None:
        return next((hit for hit in self.hits.get(name, ()) if self._is_beside(hit, match)), None)

    def met(self, exception: RuleException, match: Match) -> Hit | None:
        """Return the hit by which ``exception`` makes ``match`` lawful; None if it does not."""
        if exception.where == "in":
            if exception.target == "sentence":
                return self._in_sentence(exception.key, match)
            return next(iter(self.hits.get(exception.key, ())), None)
        for start, end in _targets(exception.target, match):
            for hit in self.hits.get(exception.key, ()):
                if self._stands(exception, hit, start, end):
                    return hit
        return None

    def _stands(self, exception: RuleException, hit: Hit, start: int, end: int) -> bool:
        if exception.where == "covers":
            return hit.start <= start and end <= hit.end
        if exception.where == "before":
            first, second = (hit.start, hit.end), (start, end)
        else:
            first, second = (start, end), (hit.start, hit.end)
        if second[0] < first[1] or not self.passage.is_one_clause(first[0], second[0] + 1):
            return False
        return self.passage.gap(first[1], second[0]) <= exception.within


def has_enough_sound(passage: Passage, match: Match) -> bool:
    """A match by sound alone needs at least four syllables or words in all: two syllables sound like anything."""
    if any(hit.plane in {"text", "similar"} for _, hit in match.parts):
        return True
    return sum(passage.steps[hit.end - 1] - passage.steps[hit.start] + 1 for _, hit in match.parts) >= _MIN_SOUND_STEPS


def _targets(target: str, match: Match) -> list[tuple[int, int]]:
    if target == WHOLE:
        return [(match.start, match.end)]
    return [(hit.start, hit.end) for name, hit in match.parts if name == target]


def _joined(left: Match, right: Match) -> Match:
    return Match(min(left.start, right.start), max(left.end, right.end), left.parts + right.parts)


def _distance(left: Match, right: Match) -> tuple[int, int]:
    return (max(0, right.start - left.end, left.start - right.end), right.start)


def _sorted(matches: object) -> list[Match]:
    unique = dict.fromkeys(matches)  # type: ignore[call-overload]
    return sorted(unique, key=lambda match: (match.start, match.end, -match.score))
