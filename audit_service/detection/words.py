"""Word rules: turn the matches of a rule in a passage into findings with exact places and an account of why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit_service.detection.anchors import Anchors, Hit
from audit_service.detection.conditions import Node
from audit_service.detection.matching import Match, PassageHits, has_enough_sound
from audit_service.detection.passages import Passage
from audit_service.detection.rules import Rule
from audit_service.detection.sounds import hides_pinyin
from audit_service.detection.values import Conversation, FoundFinding

UNKNOWN_SPEAKER_SCORE = 0.8
RuleHits = dict[str, dict[str, list[Hit]]]


@dataclass(frozen=True)
class Spot:
    """Where in a turn a rule was met, as character offsets of its text, and how surely."""

    turn: int
    start: int
    end: int
    score: float
    plane: str
    edits: int = 0


def hits_by_rule(anchors: Anchors, passage: Passage, source: str) -> RuleHits:
    """Return the hits in ``passage`` by rule id and selection name.

    Text that was typed is read by its sound only if something in it shows that the writer evades.
    """
    may_sound = source != "typed" or shows_evasion(passage)
    found: RuleHits = {}
    for (rule_id, name), hits in anchors.hits(passage, may_sound=may_sound).items():
        found.setdefault(rule_id, {})[name] = hits
    return found


def shows_evasion(passage: Passage) -> bool:
    """Tell whether characters were put into words or taken apart, or pinyin stands for characters (fa院)."""
    return passage.noise > 0 or hides_pinyin(passage.text)


def with_patterns(anchors: Anchors, passage: Passage, rule: Rule, hits: Mapping[str, list[Hit]]) -> PassageHits:
    """Return the hits of one rule, those of its regular expressions included."""
    wanted = frozenset(selection.key for selection in rule.detection.selections if selection.patterns)
    merged: dict[str, Sequence[Hit]] = dict(hits)
    for (_, name), more in anchors.pattern_hits(passage, wanted).items():
        merged[name] = sorted([*merged.get(name, ()), *more], key=lambda hit: (hit.start, hit.end))
    return PassageHits(passage, merged)


def lawful_by(rule: Rule, hits: PassageHits, match: Match) -> str | None:
    """Return the name of the exception that makes ``match`` lawful, if one does."""
    for exception in rule.detection.exceptions:
        if hits.met(exception, match) is not None:
            return exception.name
    return None


def standing(rule: Rule, hits: PassageHits, node: Node | None = None) -> list[Match]:
    """Return the matches of the rule's condition (or of ``node``) that no exception makes lawful."""
    condition = node or rule.detection.condition
    if condition is None:
        return []
    return [
        match
        for match in hits.matches(condition)
        if has_enough_sound(hits.passage, match) and lawful_by(rule, hits, match) is None
    ]


def findings_of(rule: Rule, hits: PassageHits, conversation: Conversation) -> list[FoundFinding]:
    """Return the findings of a word rule in one passage; of overlapping ones, the best."""
    made = [finding_at(rule, hits.passage, match, conversation) for match in standing(rule, hits)]
    return best_of_overlapping(made)


def best_of_overlapping(findings: Iterable[FoundFinding]) -> list[FoundFinding]:
    """Keep, of findings that overlap in a turn, the one of the best score, then the longest, then the first."""
    kept: list[FoundFinding] = []
    for finding in sorted(findings, key=lambda f: (-f.score, f.edits, f.start - f.end, f.turn or 0, f.start)):
        if not any(
            other.turn == finding.turn and other.start < finding.end and finding.start < other.end for other in kept
        ):
            kept.append(finding)
    return sorted(kept, key=lambda f: (f.turn or 0, f.start, f.end))


def finding_at(rule: Rule, passage: Passage, match: Match, conversation: Conversation) -> FoundFinding:
    """Return the finding for ``match``; where it spans turns, it stands in the turn that holds most of it."""
    index, start, end = original_place(passage, match.start, match.end)
    turn = conversation.turns[index]
    score = match.score
    if match.plane != "text" and turn.confidence is not None:
        score *= 0.8 + 0.2 * turn.confidence
    if passage.speaker not in rule.speakers:
        score *= UNKNOWN_SPEAKER_SCORE
    spot = Spot(index, start, end, score, match.plane, match.edits)
    return finding_in_turn(rule, conversation, spot, explanation_of(rule, passage, match, conversation))


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


def original_place(passage: Passage, start: int, end: int) -> tuple[int, int, int]:
    """Return turn, start and end in the original text of a stretch of ``passage``."""
    by_turn: dict[int, list[int]] = {}
    for place in range(start, end):
        by_turn.setdefault(passage.of_turn[place], []).append(place)
    index, places = max(by_turn.items(), key=lambda item: (len(item[1]), -item[0]))
    real = [place for place in places if passage.ends[place] > passage.starts[place]]
    return index, min(passage.starts[place] for place in real), max(passage.ends[place] for place in real)


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
        index, start, end = original_place(passage, hit.start, hit.end)
        heard = conversation.turns[index].text[start:end]
        anchors.append(
            {"selection": name, "literal": hit.literal, "text": heard, "plane": hit.plane, "edits": hit.edits}
        )
    considered = {exception.name: "not met" for exception in rule.detection.exceptions}
    return {"condition": rule.detection.condition_text, "anchors": anchors, "exceptions": considered, **rule.facts}
