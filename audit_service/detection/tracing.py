"""Why a rule fired or did not: a truth table of one rule over one contact.

For each passage, each part of the condition with the places in which it holds, and for each match of the whole what
became of it. Built from the same steps as the judgement itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit_service.detection.anchors import Anchors
from audit_service.detection.civil_time import local_day
from audit_service.detection.conditions import Node, children, written
from audit_service.detection.courses import STANDS, Course, Outcome
from audit_service.detection.hearing import words_in
from audit_service.detection.matching import Match, PassageHits
from audit_service.detection.passages import Place, passages
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding
from audit_service.detection.verification import heard_by_turn, meter
from audit_service.detection.words import said_at

Said = dict[str, Any]
REASONS = {
    STANDS: "stands",
    "quiet": "falls: too few syllables are alike",
    "lawful": "lawful by the exception {name}",
    "lacking": "falls: the requirement {name} is not met",
    "elsewhere": "falls: not in the part of the call that the rule is about",
    "unknown": "cannot be determined: {name} is not known",
}


@dataclass(frozen=True)
class Line:
    """One line of a truth table: a selection or a part of the condition.

    Attributes:
        depth: how deep it stands in the condition, from 0.
        said: where it holds; empty: nowhere in the passage.
        is_negated: it must not hold.
    """

    text: str
    depth: int
    said: tuple[Said, ...]
    is_negated: bool = False

    @property
    def holds(self) -> bool:
        """Tell whether the line is true in the passage."""
        return bool(self.said) != self.is_negated


@dataclass(frozen=True)
class MatchTrace:
    """One match of the whole condition: where, what became of it, and which exceptions and requirements were met."""

    said: Said
    outcome: Outcome
    exceptions: dict[str, Said | None]
    required: dict[str, Said | None]

    @property
    def reason(self) -> str:
        """Return in words what became of the match."""
        return REASONS[self.outcome.code].format(name=self.outcome.name)


@dataclass(frozen=True)
class PassageTrace:
    """What a rule makes of one passage.

    Attributes:
        turns: the turns that were read together.
        is_heard: the speaker is one that the rule is about.
        lines: the truth table of the condition, outermost first, and of its selections.
    """

    turns: tuple[int, ...]
    speaker: str
    is_heard: bool
    lines: tuple[Line, ...]
    matches: tuple[MatchTrace, ...]

    @property
    def is_of_note(self) -> bool:
        """Tell whether anything of the rule was met here at all."""
        return any(line.said for line in self.lines)


@dataclass(frozen=True)
class RuleTrace:
    """What a rule makes of a contact.

    Attributes:
        obstacles: why the rule does not concern the contact as a whole, in words; empty: it does.
        passages: the truth tables.
        meter: from which second on the person was verified, where the rule asks for that.
        scores: what the trained layer gives the rule's category, by turn; empty where the pack has none.
        least_score: below which a rule of kind ``model`` proposes nothing, and other findings fall.
        findings, undetermined: the outcome of the judgement.
    """

    rule_id: str
    condition: str
    obstacles: tuple[str, ...]
    passages: tuple[PassageTrace, ...]
    meter: tuple[Said, ...] = ()
    scores: tuple[float, ...] = ()
    least_score: float = 0.0
    findings: tuple[FoundFinding, ...] = ()
    undetermined: tuple[str, ...] = ()


def obstacles(rule: Rule, conversation: Conversation, jurisdictions: Sequence[str]) -> tuple[str, ...]:
    """Return why ``rule`` does not concern ``conversation`` as a whole, in words."""
    day = None if conversation.at is None else local_day(conversation.at, conversation.timezone)
    found = []
    if rule.status != "active":
        found.append(f"the rule is {rule.status}")
    elif not rule.is_in_force(day):
        found.append(f"the rule is not in force on {day or 'an unknown day'}")
    if rule.jurisdiction not in jurisdictions:
        found.append(f"the contact is judged by {', '.join(jurisdictions) or 'no pack'}, not by {rule.jurisdiction}")
    if rule.channels and conversation.channel not in {None, *rule.channels}:
        found.append(f"the rule is about {', '.join(rule.channels)}, not {conversation.channel}")
    if rule.recipient is not None and conversation.recipient not in {None, rule.recipient}:
        found.append(f"the rule is about contacts with a {rule.recipient}, not a {conversation.recipient}")
    if not {turn.speaker for turn in conversation.turns} & {*rule.speakers, "unknown"}:
        found.append(f"none of {', '.join(rule.speakers)} speaks")
    if rule.kind == "event":
        found.append("the rule judges the contact log, not what is said")
    return tuple(found)


def trace_rule(rule: Rule, conversation: Conversation, anchors: Anchors, known: Sequence[str] = ()) -> RuleTrace:
    """Return the truth tables of ``rule`` over ``conversation``; ``known`` are obstacles."""
    heard = [(passage, words_in(anchors, passage, conversation.source)) for passage in passages(conversation)]
    course = Course(rule, conversation, anchors, heard)
    traced = tuple(_passage(course, number) for number in range(len(heard)))
    states: list[Said] = []
    if rule.detection.verification:
        states = meter(rule, conversation, heard_by_turn(rule, conversation, anchors))
    return RuleTrace(rule.id, rule.detection.condition_text, tuple(known), traced, tuple(states))


def _passage(course: Course, number: int) -> PassageTrace:
    hits = course.hits(number)
    node = course.rule.detection.condition
    lines = () if node is None else tuple(_lines(course, hits, node, 0))
    is_heard = course.is_own(hits.passage)
    found = hits.matches(node) if node is not None and is_heard else []
    matches = tuple(_match(course, number, match) for match in found)
    return PassageTrace(hits.passage.turns, hits.passage.speaker, is_heard, lines, matches)


def _lines(course: Course, hits: PassageHits, node: Node, depth: int, *, is_negated: bool = False) -> list[Line]:
    said = tuple(_said(course, hits, match.start, match.end) for match in hits.matches(node))
    lines = [Line(written(node), depth, said, is_negated)]
    unless = getattr(node, "unless", ())
    for below in children(node):
        lines += _lines(course, hits, below, depth + 1, is_negated=below in unless)
    return lines


def _match(course: Course, number: int, match: Match) -> MatchTrace:
    detection = course.rule.detection
    hits = course.hits(number)

    def places(neighbours: tuple[Any, ...]) -> dict[str, Said | None]:
        found = {item.name: course.required_place(item, number, match) for item in neighbours}
        return {name: None if place is None else said_at(course.conversation, place) for name, place in found.items()}

    return MatchTrace(
        said=_said(course, hits, match.start, match.end),
        outcome=course.outcome(number, match),
        exceptions=places(detection.exceptions),
        required=places(detection.required),
    )


def _said(course: Course, hits: PassageHits, start: int, end: int) -> Said:
    place: Place = hits.passage.original_place(start, end)
    return said_at(course.conversation, place)
