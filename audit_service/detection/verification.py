"""The course of verification in a call: from which turn on the person was known, and by what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit_service.detection.anchors import Anchors
from audit_service.detection.conditions import Node
from audit_service.detection.hearing import all_hits, words_in
from audit_service.detection.matching import PassageHits
from audit_service.detection.passages import passage_of
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation

NOBODY = "nobody"
Heard = Sequence[PassageHits | None]


def heard_by_turn(rule: Rule, conversation: Conversation, anchors: Anchors) -> list[PassageHits | None]:
    """Return what the rule hears in each turn alone; None where nothing was said."""
    return [_hits(rule, conversation, anchors, index) for index in range(len(conversation.turns))]


def _hits(rule: Rule, conversation: Conversation, anchors: Anchors, index: int) -> PassageHits | None:
    passage = passage_of(conversation, [index])
    if not passage.text:
        return None
    return all_hits(passage, rule, words_in(anchors, passage, conversation.source).of(rule.id))


def level_after(rule: Rule, conversation: Conversation, heard: Heard) -> str | None:
    """Return by what the person was verified in the turns ``heard`` so far; None if by nothing.

    The steps of a rule stand from the strongest to the weakest, so the first that was reached is the level.
    """
    for step in rule.detection.verification:
        asked_at = _where(conversation, heard, rule, step.asked, by_agent=True)
        answered_at = _where(conversation, heard, rule, step.answered, by_agent=False)
        if not answered_at:
            continue
        is_asked = step.asked is None or (asked_at and (asked_at[0] < answered_at[-1] or _may_be_late(conversation)))
        if is_asked:
            return step.level
    return None


def is_enough(rule: Rule, level: str | None) -> bool:
    """Tell whether ``level`` is at least the rule's ``least_level``; any level is, where the rule names none."""
    if level is None or rule.detection.least_level is None:
        return level is not None
    levels = [step.level for step in rule.detection.verification]
    return levels.index(level) <= levels.index(rule.detection.least_level)


def meter(rule: Rule, conversation: Conversation, heard: Heard) -> list[dict[str, Any]]:
    """Return from which turn and second on the person was verified, and by what; ``nobody`` at the beginning."""
    states: list[dict[str, Any]] = [{"turn": 0, "start_s": 0.0, "state": NOBODY}]
    for index, turn in enumerate(conversation.turns):
        state = level_after(rule, conversation, heard[: index + 1]) or NOBODY
        if state != states[-1]["state"]:
            states.append({"turn": index, "start_s": turn.end_s, "state": state})
    return states


def verified_in(rule: Rule, conversation: Conversation, anchors: Anchors) -> int | None:
    """Return the turn in which the person was verified well enough for the rule; None if there is none."""
    heard = heard_by_turn(rule, conversation, anchors)
    for index in range(len(heard)):
        if is_enough(rule, level_after(rule, conversation, heard[: index + 1])):
            return index
    return None


def _where(conversation: Conversation, heard: Heard, rule: Rule, node: Node | None, *, by_agent: bool) -> list[int]:
    """Return the indexes of the turns of one side in which ``node`` holds."""
    return [
        index
        for index, hits in enumerate(heard)
        if hits is not None and node is not None and (conversation.turns[index].speaker in rule.speakers) == by_agent
        if hits.matches(node)
    ]


def _may_be_late(conversation: Conversation) -> bool:
    """Recognisers date the first words of a track at its beginning, so an answer may seem to precede its question."""
    return conversation.source == "asr"
