"""Rules over the course of a call: what is missing in its opening, and what is said before it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from audit_service.detection import sounds
from audit_service.detection.anchors import Anchors
from audit_service.detection.conditions import Node
from audit_service.detection.folding import fold
from audit_service.detection.matching import Match, PassageHits
from audit_service.detection.passages import Passage, passage_of, passages
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Undetermined
from audit_service.detection.words import explanation_of, finding_at, hits_by_rule, standing, with_patterns

_MIN_OPENING_STEPS = 6
_NAME_LIKENESS = 85
Outcome = tuple[list[FoundFinding], list[Undetermined]]


def judge_absence(rule: Rule, conversation: Conversation, anchors: Anchors) -> Outcome:
    """Flag a call in whose opening the agent never says what the rule's condition asks for."""
    opening = _opening_turns(rule, conversation)
    said = [passage for passage in passages(conversation, opening) if passage.text]
    if not conversation.channel:
        return [], [Undetermined(rule.id, conversation.id, "channel")]
    if sum(passage.steps[-1] for passage in said) < _MIN_OPENING_STEPS:
        return [], [Undetermined(rule.id, conversation.id, "opening")]
    if any(_says_it(rule, conversation, anchors, passage) for passage in said):
        return [], []
    return [_missing(rule, conversation, said[0])], []


def _opening_turns(rule: Rule, conversation: Conversation) -> list[int]:
    """Return the indexes of the agent's first turns, no later than the opening's seconds after the first."""
    own = [index for index, turn in enumerate(conversation.turns) if turn.speaker in rule.speakers]
    own = own[: rule.detection.opening_turns]
    begin = conversation.turns[own[0]].start_s if own else None
    if begin is None:
        return own
    limit = begin + rule.detection.opening_s
    return [index for index in own if (conversation.turns[index].start_s or 0.0) <= limit]


def _says_it(rule: Rule, conversation: Conversation, anchors: Anchors, passage: Passage) -> bool:
    if any(_is_named(passage, fold(name).text) for name in conversation.known_agencies if name):
        return True
    hits = hits_by_rule(anchors, passage, conversation.source).get(rule.id, {})
    return bool(standing(rule, with_patterns(anchors, passage, rule, hits)))


def _is_named(passage: Passage, name: str) -> bool:
    """Tell whether a known name is said, as written or as it sounds."""
    if name in passage.text:
        return True
    heard = " ".join(sounds.mandarin_tokens(passage).keys)
    return not name.isascii() and fuzz.partial_ratio(sounds.key_line(name), heard) >= _NAME_LIKENESS


def _missing(rule: Rule, conversation: Conversation, first: Passage) -> FoundFinding:
    whole = Match(0, len(first.text), ())
    index = first.turns[0]
    turn = conversation.turns[index]
    return FoundFinding(
        rule_id=rule.id,
        rule_version=rule.version,
        category=rule.category,
        kind="violation",
        severity=rule.severity,
        subject=conversation.id,
        turn=index,
        speaker=turn.speaker,
        start=0,
        end=len(turn.text),
        start_s=turn.start_s,
        end_s=turn.end_s,
        quote=turn.text,
        score=0.9,
        plane="absence",
        edits=0,
        explanation=explanation_of(rule, first, whole, conversation),
    )


def judge_order(rule: Rule, conversation: Conversation, anchors: Anchors) -> Outcome:
    """Flag the first disclosure that comes before the person has been verified; says which level was reached."""
    heard = [_hits(rule, conversation, anchors, index) for index in range(len(conversation.turns))]
    for index, hits in enumerate(heard):
        if conversation.turns[index].speaker not in rule.speakers or hits is None:
            continue
        matches = standing(rule, hits)
        if not matches:
            continue
        if _level_before(rule, conversation, heard[:index]) is not None:
            return [], []
        finding = finding_at(rule, hits.passage, max(matches, key=lambda match: match.end - match.start), conversation)
        explanation = {**finding.explanation, "verification": "none", "meter": _meter(rule, conversation, heard)}
        return [replace(finding, plane="order", explanation=explanation)], []
    return [], []


def _meter(
    rule: Rule, conversation: Conversation, heard: Sequence[PassageHits | None]
) -> list[dict[str, int | float | str | None]]:
    """Return from which turn and second on the person was verified, and by what; ``nobody`` at the beginning."""
    states: list[dict[str, int | float | str | None]] = [{"turn": 0, "start_s": 0.0, "state": "nobody"}]
    for index, turn in enumerate(conversation.turns):
        state = _level_before(rule, conversation, heard[: index + 1]) or "nobody"
        if state != states[-1]["state"]:
            states.append({"turn": index, "start_s": turn.end_s, "state": state})
    return states


def _hits(rule: Rule, conversation: Conversation, anchors: Anchors, index: int) -> PassageHits | None:
    passage = passage_of(conversation, [index])
    if not passage.text:
        return None
    hits = hits_by_rule(anchors, passage, conversation.source).get(rule.id, {})
    return with_patterns(anchors, passage, rule, hits)


def _level_before(rule: Rule, conversation: Conversation, heard: Sequence[PassageHits | None]) -> str | None:
    """Return by what the person was verified in the turns ``heard`` so far; None if by nothing."""
    for step in rule.detection.verification:
        asked_at = _where(conversation, heard, rule, step.asked, by_agent=True)
        answered_at = _where(conversation, heard, rule, step.answered, by_agent=False)
        if not answered_at:
            continue
        is_asked = step.asked is None or (asked_at and (asked_at[0] < answered_at[-1] or _may_be_late(conversation)))
        if is_asked:
            return step.level
    return None


def _where(
    conversation: Conversation, heard: Sequence[PassageHits | None], rule: Rule, node: Node | None, *, by_agent: bool
) -> list[int]:
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
