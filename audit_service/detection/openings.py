"""Rules over the course of a call: what is missing in a part of it, and what is said before it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rapidfuzz import fuzz

from audit_service.detection import sounds
from audit_service.detection.anchors import Anchors
from audit_service.detection.folding import fold
from audit_service.detection.hearing import all_hits, words_in
from audit_service.detection.matching import Match
from audit_service.detection.parts import lies_in, own_turns
from audit_service.detection.passages import Passage, Place, passages
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Turn, Undetermined
from audit_service.detection.verification import heard_by_turn, is_enough, level_after, meter, verified_in
from audit_service.detection.words import explanation_of, finding_at, standing

_MIN_OPENING_STEPS = 6
_NAME_LIKENESS = 85
Outcome = tuple[list[FoundFinding], list[Undetermined]]


def judge_absence(rule: Rule, conversation: Conversation, anchors: Anchors) -> Outcome:
    """Flag a call in whose opening (or other part) the agent never says what the rule's condition asks for.

    The finding shows what was searched. Nothing can be said where too little was heard, where it was recognised too
    unsurely, or where somebody whose role is unknown says it.
    """
    searched = _searched_turns(rule, conversation, anchors)
    said = [passage for passage in passages(conversation, searched or ()) if passage.text]
    if any(_says_it(rule, conversation, anchors, passage) for passage in said) and conversation.channel:
        return [], []
    missing = _missing_fact(rule, conversation, anchors, searched)
    if missing or searched is None:
        return [], [Undetermined(rule.id, conversation.id, missing)]
    return [_missing(rule, conversation, said[0], searched)], []


def _missing_fact(rule: Rule, conversation: Conversation, anchors: Anchors, searched: list[int] | None) -> str:
    """Return what is not known, so that an absence cannot be told; empty if all is."""
    if not conversation.channel:
        return "channel"
    if searched is None:
        return "times"
    said = [passage for passage in passages(conversation, searched) if passage.text]
    if sum(passage.steps[-1] for passage in said) < _MIN_OPENING_STEPS:
        return "opening"
    confidence = _confidence([conversation.turns[index] for index in searched])
    if confidence is not None and confidence < rule.detection.opening_confidence:
        return "confidence"
    return "speaker" if _stranger_says_it(rule, conversation, anchors, searched) else ""


def _searched_turns(rule: Rule, conversation: Conversation, anchors: Anchors) -> list[int] | None:
    """Return the turns of the rule's speakers that are searched; None if times are missing to tell which."""
    if rule.detection.part is None:
        return _opening_turns(rule, conversation)
    own = [index for index, turn in enumerate(conversation.turns) if turn.speaker in rule.speakers]
    known = verified_in(rule, conversation, anchors) if rule.detection.part.verified else None
    chosen = []
    for index in own:
        whole = Place(index, 0, len(conversation.turns[index].text))
        is_in = lies_in(rule.detection.part, conversation, whole, own, known)
        if is_in is None:
            return None
        chosen += [index] if is_in else []
    return chosen


def _confidence(turns: Sequence[Turn]) -> float | None:
    """Return how surely the turns were recognised, by the character; None for what people wrote."""
    sure = [(turn.confidence, len(turn.text)) for turn in turns if turn.confidence is not None]
    length = sum(size for _, size in sure)
    return sum(confidence * size for confidence, size in sure) / length if length else None


def _stranger_says_it(rule: Rule, conversation: Conversation, anchors: Anchors, searched: Sequence[int]) -> bool:
    """Tell whether a speaker of unknown role says what is missing, up to the last turn that was searched."""
    strangers = [
        index
        for index in own_turns(conversation, ())
        if searched[0] <= index <= searched[-1] or (rule.detection.part is None and index < searched[0])
    ]
    said = [passage for passage in passages(conversation, strangers) if passage.text]
    return any(_says_it(rule, conversation, anchors, passage) for passage in said)


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
    hits = words_in(anchors, passage, conversation.source).of(rule.id)
    return bool(standing(rule, all_hits(passage, rule, hits)))


def _is_named(passage: Passage, name: str) -> bool:
    """Tell whether a known name is said, as written or as it sounds."""
    if name in passage.text:
        return True
    heard = " ".join(sounds.mandarin_keys(passage.text))
    return not name.isascii() and fuzz.partial_ratio(sounds.key_line(name), heard) >= _NAME_LIKENESS


def _missing(rule: Rule, conversation: Conversation, first: Passage, searched: Sequence[int]) -> FoundFinding:
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
        explanation=explanation_of(rule, first, whole, conversation) | {"searched": _search(conversation, searched)},
    )


def _search(conversation: Conversation, searched: Sequence[int]) -> dict[str, Any]:
    """Return the evidence of an absence: from which second to which was searched, what was heard, and how surely."""
    turns = [conversation.turns[index] for index in searched]
    confidence = _confidence(turns)
    return {
        "start_s": turns[0].start_s,
        "end_s": turns[-1].end_s,
        "confidence": None if confidence is None else round(confidence, 3),
        "turns": [
            {"turn": index, "start_s": turn.start_s, "text": turn.text, "confidence": turn.confidence}
            for index, turn in zip(searched, turns, strict=True)
        ],
    }


def judge_order(rule: Rule, conversation: Conversation, anchors: Anchors) -> Outcome:
    """Flag the first disclosure before the person has been verified well enough; says which level was reached."""
    heard = heard_by_turn(rule, conversation, anchors)
    unsure: list[Undetermined] = []
    for index, hits in enumerate(heard):
        speaker = conversation.turns[index].speaker
        if speaker not in {*rule.speakers, "unknown"} or hits is None:
            continue
        matches = standing(rule, hits)
        if not matches:
            continue
        level = level_after(rule, conversation, heard[:index])
        if is_enough(rule, level):
            return [], unsure
        if speaker == "unknown":
            unsure = [Undetermined(rule.id, conversation.id, "speaker")]
            continue
        finding = finding_at(rule, hits.passage, max(matches, key=lambda match: match.end - match.start), conversation)
        explanation = {
            **finding.explanation,
            "verification": level or "none",
            "meter": meter(rule, conversation, heard),
        }
        return [replace(finding, plane="order", explanation=explanation)], []
    return [], unsure
