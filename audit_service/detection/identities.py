"""Claimed against registered identity: for whom the caller says he calls, and for whom he is known to call."""

from __future__ import annotations

from rapidfuzz import fuzz

from audit_service.detection import sounds
from audit_service.detection.anchors import Anchors
from audit_service.detection.folding import fold
from audit_service.detection.passages import Passage, passages
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Undetermined
from audit_service.detection.words import Spot, finding_in_turn

PLANE = "identity"
_LIKENESS = 75
Outcome = tuple[list[FoundFinding], list[Undetermined]]


def judge_identity(rule: Rule, conversation: Conversation, _anchors: Anchors) -> Outcome:
    """Flag the first claim to call for somebody who is neither the registered agency nor the lender.

    The patterns of the rule name the claimed body in their first group. Without a registered name nothing can be said:
    the outcome is then undetermined, if there is a claim at all.
    """
    known = [fold(name).text for name in conversation.known_agencies if name]
    for passage in passages(conversation):
        if passage.speaker not in rule.speakers:
            continue
        for start, end in _claims(rule, passage):
            claimed = passage.text[start:end]
            if not known:
                return [], [Undetermined(rule.id, conversation.id, "agency")]
            if not any(is_like(claimed, name) for name in known):
                return [_finding(rule, conversation, passage, (start, end))], []
    return [], []


def is_like(claimed: str, registered: str) -> bool:
    """Tell whether a claimed name may be the registered one: in part, as written or as it sounds."""
    if fuzz.partial_ratio(claimed, registered) >= _LIKENESS:
        return True
    return fuzz.partial_ratio(sounds.key_line(claimed), sounds.key_line(registered)) >= _LIKENESS


def _claims(rule: Rule, passage: Passage) -> list[tuple[int, int]]:
    found = [
        match.span(1)
        for selection in rule.detection.selections
        for pattern in selection.patterns
        for match in pattern.finditer(passage.text)
        if match.group(1)
    ]
    return sorted(place for place in found if passage.is_one_clause(*place))


def _finding(rule: Rule, conversation: Conversation, passage: Passage, place: tuple[int, int]) -> FoundFinding:
    index, start, end = passage.original_place(*place)
    explanation = {
        "condition": "the claimed name is not a registered one",
        "anchors": [],
        "exceptions": {},
        "claimed": passage.text[slice(*place)],
        "registered": list(conversation.known_agencies),
        **rule.facts,
    }
    return finding_in_turn(rule, conversation, Spot(index, start, end, 0.7, PLANE), explanation)
