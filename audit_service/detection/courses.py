"""A whole contact as one rule hears it: what its words mean in a passage may depend on what is said in others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from audit_service.detection.anchors import Anchors, FoundWords, Hit
from audit_service.detection.conditions import Node
from audit_service.detection.counting import apart, counted_over
from audit_service.detection.hearing import all_hits
from audit_service.detection.matching import Match, PassageHits, RuleException, has_enough_sound
from audit_service.detection.parts import lies_in, own_turns
from audit_service.detection.passages import Passage, Place
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation
from audit_service.detection.verification import verified_in

Heard = Sequence[tuple[Passage, FoundWords]]
STANDS, QUIET, LAWFUL, LACKING, ELSEWHERE, UNKNOWN = "stands", "quiet", "lawful", "lacking", "elsewhere", "unknown"


@dataclass(frozen=True)
class Outcome:
    """What becomes of one match of a rule's condition.

    Attributes:
        code: ``stands``; ``quiet`` (too little sound alike); ``lawful`` by the exception ``name``; ``lacking`` what
            ``name`` requires; ``elsewhere`` in the call than in the rule's part; ``unknown``: ``name`` is not known.
    """

    code: str
    name: str = ""


class Course:
    """One rule over all passages of a contact."""

    def __init__(self, rule: Rule, conversation: Conversation, anchors: Anchors, heard: Heard) -> None:
        self.rule = rule
        self.conversation = conversation
        self._anchors = anchors
        self._heard = heard
        self._hits: dict[int, PassageHits] = {}
        self._uncounted: dict[int, PassageHits] = {}

    def may_hold(self, number: int, *, is_only_one: bool) -> bool:
        """Tell whether the speaker of a passage is one of the rule's, and the words that it needs are there.

        In the only passage of a contact they are: else nobody would ask.
        """
        passage, found = self._heard[number]
        if not self.is_own(passage):
            return False
        return is_only_one or self.rule.detection.is_open or self.rule.id in found.able

    def is_own(self, passage: Passage) -> bool:
        """Tell whether the speaker is one of the rule's, or unknown and the rule does not pass that over."""
        if passage.speaker == "unknown":
            return self.rule.unknown_speaker != "pass"
        return passage.speaker in self.rule.speakers

    def hits(self, number: int) -> PassageHits:
        """Return the hits of all selections in a passage; those that count over the call only where it is complete."""
        if number not in self._hits:
            own = self._own_hits(number)
            self._hits[number] = self._with_counts(number, own) if self.rule.detection.counts_over_call else own
        return self._hits[number]

    def _with_counts(self, number: int, found: PassageHits) -> PassageHits:
        kept = {name: hits for name, hits in found.hits.items() if name not in self.rule.detection.counts_over_call}
        for name, (index, hit) in self._completed.items():
            if index == number:
                kept[name] = [hit]
        return PassageHits(found.passage, kept)

    def outcome(self, number: int, match: Match) -> Outcome:
        """Return what becomes of a match of the condition in a passage."""
        hits = self.hits(number)
        if not has_enough_sound(hits.passage, match):
            return Outcome(QUIET)
        for exception in self.rule.detection.exceptions:
            if self.met(exception, number, match) is not None:
                return Outcome(LAWFUL, exception.name)
        for required in self.rule.detection.required:
            if self.met(required, number, match) is None:
                return Outcome(LACKING, required.name)
        return self._placed(hits.passage, match)

    def standing(self, number: int, node: Node | None = None) -> list[Match]:
        """Return the matches of the condition (or of ``node``) in a passage that stand."""
        condition = node or self.rule.detection.condition
        found = [] if condition is None else self.hits(number).matches(condition)
        return [match for match in found if self.outcome(number, match).code == STANDS]

    def met(self, neighbour: RuleException, number: int, match: Match) -> Hit | None:
        """Return the hit by which an exception or a requirement is met for a match; None if it is not."""
        found = self._met_in(neighbour, number, match)
        return None if found is None else found[1]

    def _met_in(self, neighbour: RuleException, number: int, match: Match) -> tuple[int, Hit] | None:
        """Return the nearest such hit with the number of its passage; of two as near, the first."""
        if neighbour.where != "turns":
            hit = self.hits(number).met(neighbour, match)
            return None if hit is None else (number, hit)
        near = [
            (index, hit)
            for index, hit in self._counted_hits(neighbour)
            if -neighbour.before <= index - number <= neighbour.after
            if _is_on_side(neighbour, index - number, hit, match)
        ]
        return min(near, key=lambda found: abs(found[0] - number), default=None)

    def required_place(self, neighbour: RuleException, number: int, match: Match) -> Place | None:
        """Return where the words stand by which an exception or a requirement is met."""
        found = self._met_in(neighbour, number, match)
        return None if found is None else self._heard[found[0]][0].original_place(found[1].start, found[1].end)

    def _placed(self, passage: Passage, match: Match) -> Outcome:
        part = self.rule.detection.part
        if part is not None:
            place = passage.original_place(match.start, match.end)
            is_in = lies_in(part, self.conversation, place, self._own, self._verified_in)
            if is_in is None:
                return Outcome(UNKNOWN, "times")
            if not is_in:
                return Outcome(ELSEWHERE)
        if passage.speaker == "unknown" and self.rule.unknown_speaker == "cannot_tell":
            return Outcome(UNKNOWN, "speaker")
        return Outcome(STANDS)

    def _counted_hits(self, neighbour: RuleException) -> list[tuple[int, Hit]]:
        """Return the hits of a neighbour's words in the call; only the wanted one, if it names a number."""
        found = [
            (number, hit)
            for number, (passage, _) in enumerate(self._heard)
            if not neighbour.speakers or passage.speaker in {*neighbour.speakers, "unknown"}
            for hit in apart(self.hits(number).hits.get(neighbour.key, ()))
        ]
        if neighbour.hit == 0:
            return found
        first = neighbour.hit - 1 if neighbour.hit > 0 else len(found) + neighbour.hit
        return found[first : first + 1] if first >= 0 else []

    def _own_hits(self, number: int) -> PassageHits:
        if number not in self._uncounted:
            passage, found = self._heard[number]
            self._uncounted[number] = all_hits(passage, self.rule, found.of(self.rule.id))
        return self._uncounted[number]

    @cached_property
    def _completed(self) -> dict[str, tuple[int, Hit]]:
        """Return, by selection that counts over the call, the passage and hit that complete its count."""
        completed = {}
        for name, count in self.rule.detection.counts_over_call.items():
            heard = [
                (number, passage, hit)
                for number, (passage, _) in enumerate(self._heard)
                if self.is_own(passage)
                for hit in apart(self._own_hits(number).hits.get(name, ()))
            ]
            found = counted_over(count, heard)
            if found is not None:
                completed[name] = (found[0], found[2])
        return completed

    @cached_property
    def _own(self) -> list[int]:
        return own_turns(self.conversation, self.rule.speakers)

    @cached_property
    def _verified_in(self) -> int | None:
        return verified_in(self.rule, self.conversation, self._anchors)


def _is_on_side(neighbour: RuleException, distance: int, hit: Hit, match: Match) -> bool:
    """Tell whether words in the same passage as the match stand on the side that is asked for."""
    if distance != 0:
        return True
    if neighbour.before and neighbour.after:
        return True
    return hit.end <= match.start if neighbour.before else hit.start >= match.end
