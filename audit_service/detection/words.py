"""Word rules: turn the matches of a rule in a passage into findings with exact places and an account of why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from audit_service.detection.anchors import Anchors
from audit_service.detection.conditions import Node
from audit_service.detection.courses import STANDS, UNKNOWN, Course
from audit_service.detection.hearing import words_in
from audit_service.detection.matching import Match, PassageHits, has_enough_sound
from audit_service.detection.passages import Passage, Place, passages
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Undetermined

UNKNOWN_SPEAKER_SCORE = 0.8


@dataclass(frozen=True)
class Spot:
    """Where in a turn a rule was met, as character offsets of its text, and how surely."""

    turn: int
    start: int
    end: int
    score: float
    plane: str
    edits: int = 0


Placed = Spot | FoundFinding
Found = TypeVar("Found")


def standing(rule: Rule, hits: PassageHits, node: Node | None = None) -> list[Match]:
    """Return the matches of the rule's condition (or of ``node``) in one passage that no exception makes lawful."""
    condition = node or rule.detection.condition
    return [
        match
        for match in ([] if condition is None else hits.matches(condition))
        if has_enough_sound(hits.passage, match)
        if all(hits.met(exception, match) is None for exception in rule.detection.exceptions)
    ]


def judge_words(
    rules: Mapping[str, Rule],
    open_rules: Sequence[str],
    conversation: Conversation,
    anchors: Anchors,
    standing_rules: Collection[str] | None = None,
) -> tuple[list[FoundFinding], list[Undetermined]]:
    """Judge a contact by rules of words.

    Args:
        rules: by id.
        open_rules: ids of those that can be met without any of their words (by a pattern or an example sentence).
        conversation: the contact.
        anchors: the compiled words of all rules.
        standing_rules: ids of those of which it is not known that they do not stand; None: of none it is known.
    """
    if standing_rules is not None and rules.keys().isdisjoint(standing_rules):
        return [], []
    heard = [(passage, words_in(anchors, passage, conversation.source)) for passage in passages(conversation)]
    if standing_rules is None:
        standing_rules = {*frozenset[str]().union(*(found.able for _, found in heard)), *open_rules}
    findings: list[FoundFinding] = []
    undetermined: list[Undetermined] = []
    for rule_id in sorted(rules.keys() & standing_rules):
        found, unsure = _judged(Course(rules[rule_id], conversation, anchors, heard), len(heard))
        if found and rules[rule_id].recipient is not None and conversation.recipient is None:
            unsure, found = [*unsure, "recipient"], []
        findings += found
        undetermined += [Undetermined(rule_id, conversation.id, missing) for missing in dict.fromkeys(unsure)]
    return _one_a_deed(rules, findings), undetermined


def _one_a_deed(rules: Mapping[str, Rule], findings: Iterable[FoundFinding]) -> list[FoundFinding]:
    """Keep the best of the findings of one category that overlap: several rules of a pack may know the same deed."""
    by_deed: dict[tuple[str, str], list[FoundFinding]] = {}
    for finding in findings:
        by_deed.setdefault((rules[finding.rule_id].jurisdiction, finding.category), []).append(finding)
    return [kept for found in by_deed.values() for kept in _best_of_overlapping(found, lambda finding: finding)]


def _judged(course: Course, count: int) -> tuple[list[FoundFinding], list[str]]:
    """Return the findings of one rule, and which facts are missing where it could not be judged."""
    found: list[FoundFinding] = []
    missing: list[str] = []
    condition = course.rule.detection.condition
    for number in range(count):
        if condition is None or not course.may_hold(number, is_only_one=count == 1):
            continue
        passage = course.hits(number).passage
        made: list[tuple[Spot, Match]] = []
        for match in course.hits(number).matches(condition):
            outcome = course.outcome(number, match)
            if outcome.code == STANDS:
                made.append((_spot_of(course.rule, passage, match, course.conversation), match))
            elif outcome.code == UNKNOWN:
                missing.append(outcome.name)
        found += [_with_required(course, number, *each) for each in _best_of_overlapping(made, lambda each: each[0])]
    return found, missing


def _with_required(course: Course, number: int, spot: Spot, match: Match) -> FoundFinding:
    explanation = explanation_of(course.rule, course.hits(number).passage, match, course.conversation)
    required = [(item.name, course.required_place(item, number, match)) for item in course.rule.detection.required]
    if required:
        said = {name: said_at(course.conversation, place) for name, place in required if place is not None}
        explanation = {**explanation, "required": said}
    return finding_in_turn(course.rule, course.conversation, spot, explanation)


def _best_of_overlapping(found: Iterable[Found], spot_of: Callable[[Found], Placed]) -> list[Found]:
    """Keep, of what overlaps in a turn, what has the best score, then the longest, then the first."""
    kept: list[tuple[Placed, Found]] = []
    placed = [(spot_of(each), each) for each in found]
    for spot, each in sorted(placed, key=lambda pair: _rank(pair[0])):
        if not any(other.turn == spot.turn and other.start < spot.end and spot.start < other.end for other, _ in kept):
            kept.append((spot, each))
    return [each for _, each in sorted(kept, key=lambda pair: (pair[0].turn or 0, pair[0].start, pair[0].end))]


def _rank(spot: Placed) -> tuple[float, int, int, int, int]:
    return -spot.score, spot.edits, spot.start - spot.end, spot.turn or 0, spot.start


def finding_at(rule: Rule, passage: Passage, match: Match, conversation: Conversation) -> FoundFinding:
    """Return the finding for ``match``; where it spans turns, it stands in the turn that holds most of it."""
    spot = _spot_of(rule, passage, match, conversation)
    return finding_in_turn(rule, conversation, spot, explanation_of(rule, passage, match, conversation))


def _spot_of(rule: Rule, passage: Passage, match: Match, conversation: Conversation) -> Spot:
    index, start, end = passage.original_place(match.start, match.end)
    turn = conversation.turns[index]
    score = match.score
    if match.plane != "text" and turn.confidence is not None:
        score *= 0.8 + 0.2 * turn.confidence
    if passage.speaker not in rule.speakers:
        score *= UNKNOWN_SPEAKER_SCORE
    return Spot(index, start, end, round(score, 3), match.plane, match.edits)


def finding_in_turn(rule: Rule, conversation: Conversation, spot: Spot, explanation: Mapping[str, Any]) -> FoundFinding:
    """Return the finding of ``rule`` at ``spot``, with its quote and seconds."""
    turn = conversation.turns[spot.turn]
    start_s, end_s = seconds_of(conversation, spot.turn, spot.start, spot.end)
    return FoundFinding(
        rule_id=rule.id,
        rule_version=rule.version,
        category=rule.category,
        kind="signal" if rule.is_signal else "violation",
        severity=rule.severity,
        subject=conversation.id,
        turn=spot.turn,
        speaker=turn.speaker,
        start=spot.start,
        end=spot.end,
        start_s=start_s,
        end_s=end_s,
        quote=turn.text[spot.start : spot.end],
        score=round(spot.score, 3),
        plane=spot.plane,
        edits=spot.edits,
        explanation=explanation,
    )


def seconds_of(conversation: Conversation, index: int, start: int, end: int) -> tuple[float | None, float | None]:
    """Return the seconds of a stretch of a turn, interpolated by characters; None where the turn has none."""
    turn = conversation.turns[index]
    if turn.start_s is None or turn.end_s is None:
        return turn.start_s, turn.end_s
    length = max(1, len(turn.text))
    span = turn.end_s - turn.start_s
    return round(turn.start_s + span * start / length, 2), round(turn.start_s + span * end / length, 2)


def explanation_of(rule: Rule, passage: Passage, match: Match, conversation: Conversation) -> dict[str, Any]:
    """Return why the rule flags: the words met, on which plane, and which exceptions were considered."""
    anchors = []
    for name, hit in match.parts:
        index, start, end = passage.original_place(hit.start, hit.end)
        heard = conversation.turns[index].text[start:end]
        anchors.append(
            {"selection": name, "literal": hit.literal, "text": heard, "plane": hit.plane, "edits": hit.edits}
        )
    considered = {exception.name: "not met" for exception in rule.detection.exceptions}
    counted = [said_at(conversation, place) for _, hit in match.parts for place in hit.counted]
    told = {"condition": rule.detection.condition_text, "anchors": anchors, "exceptions": considered}
    return {**told, **({"occurrences": counted} if counted else {}), **rule.facts}


def said_at(conversation: Conversation, place: Place) -> dict[str, Any]:
    """Return what is said at a place, and from which second."""
    start_s, _ = seconds_of(conversation, *place)
    text = conversation.turns[place.turn].text[place.start : place.end]
    return {"turn": place.turn, "start": place.start, "end": place.end, "start_s": start_s, "text": text}
