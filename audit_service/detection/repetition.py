"""Rules on repetition: the same demand again and again in a call, though no single one of them is unlawful."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz

from audit_service.detection.anchors import Anchors
from audit_service.detection.hearing import all_hits, words_in
from audit_service.detection.passages import Passage, passage_of
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Undetermined
from audit_service.detection.words import Spot, finding_in_turn

PLANE = "repetition"
LEAST_STEPS = 6
Outcome = tuple[list[FoundFinding], list[Undetermined]]


def judge_repetition(rule: Rule, conversation: Conversation, anchors: Anchors) -> Outcome:
    """Flag the first demand that the agent makes ``times`` times within ``turns`` of the agent's own turns.

    Two turns say the same if their folded texts are at least ``likeness`` alike (Levenshtein's ratio, 0 to 1). Turns
    that hold a word of an exception (a greeting, a question whether one is heard) are not demands.
    """
    limits = rule.detection.limits
    own = [index for index, turn in enumerate(conversation.turns) if turn.speaker in rule.speakers]
    demands = [
        (place, passage)
        for place, passage in enumerate(passage_of(conversation, [index]) for index in own)
        if _is_demand(rule, conversation, anchors, passage)
    ]
    for first, passage in demands:
        alike = [
            other
            for place, other in demands
            if first <= place < first + limits["turns"] and _are_alike(passage, other, limits["likeness"])
        ]
        if len(alike) >= limits["times"]:
            return [_finding(rule, conversation, alike)], []
    return [], []


def _are_alike(passage: Passage, other: Passage, likeness: float) -> bool:
    return fuzz.ratio(passage.text, other.text) >= 100 * likeness


def _is_demand(rule: Rule, conversation: Conversation, anchors: Anchors, passage: Passage) -> bool:
    if not passage.text or passage.steps[-1] < LEAST_STEPS:
        return False
    hits = words_in(anchors, passage, conversation.source).of(rule.id)
    heard = all_hits(passage, rule, hits).hits
    return not any(exception.key in heard for exception in rule.detection.exceptions)


def _finding(rule: Rule, conversation: Conversation, alike: Sequence[Passage]) -> FoundFinding:
    last = alike[-1].turns[0]
    said = [{"turn": passage.turns[0], "start_s": conversation.turns[passage.turns[0]].start_s} for passage in alike]
    explanation = {"condition": f"the same said {len(alike)} times", "anchors": [], "exceptions": {}, "said": said}
    spot = Spot(last, 0, len(conversation.turns[last].text), 0.9, PLANE)
    return finding_in_turn(rule, conversation, spot, {**explanation, **rule.facts})
