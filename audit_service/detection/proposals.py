"""Findings that the trained model proposes, one a category and turn, where no other rule of the category spoke."""

from __future__ import annotations

from collections.abc import Sequence

from audit_service.detection.folding import fold
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Turn
from audit_service.detection.wordings import WordingModel
from audit_service.detection.words import UNKNOWN_SPEAKER_SCORE, seconds_of

PLANE = "model"
LEAST_CHARACTERS = 3


def propose(
    model: WordingModel, rules: Sequence[Rule], conversation: Conversation, found: Sequence[FoundFinding]
) -> list[FoundFinding]:
    """Return the findings of the ``model`` rules in the turns of ``conversation``.

    A rule whose recipient is not the known one proposes nothing: the model cannot hear who is addressed.
    """
    spoken = {(finding.turn, finding.category) for finding in found}
    able = [rule for rule in rules if rule.recipient in {None, conversation.recipient}]
    return [
        finding
        for index, turn in enumerate(conversation.turns)
        if len(fold(turn.text).text) >= LEAST_CHARACTERS
        for finding in _in_turn(model, able, conversation, index)
        if (index, finding.category) not in spoken
    ]


def _in_turn(model: WordingModel, rules: Sequence[Rule], conversation: Conversation, index: int) -> list[FoundFinding]:
    turn = conversation.turns[index]
    scores = dict(zip(model.categories, model.scores(turn.text).tolist(), strict=True))
    made = []
    for rule in rules:
        score = scores[rule.category] * _trust(rule, turn)
        if score >= rule.detection.least_score:
            made.append(_finding(model, rule, conversation, index, score))
    return made


def _trust(rule: Rule, turn: Turn) -> float:
    """Return how much of a score stands: all for the speaker of the rule, less for one unknown, nothing for others."""
    if turn.speaker in rule.speakers:
        return 1.0
    return UNKNOWN_SPEAKER_SCORE if turn.speaker == "unknown" else 0.0


def _finding(model: WordingModel, rule: Rule, conversation: Conversation, index: int, score: float) -> FoundFinding:
    turn = conversation.turns[index]
    start, end = model.place(turn.text, rule.category)
    start_s, end_s = seconds_of(conversation, index, start, end)
    wording = model.wording(turn.text, rule.category)
    anchors = [
        {"selection": "wording", "literal": piece, "text": piece, "plane": PLANE, "edits": 0}
        for piece in wording.pieces
    ]
    return FoundFinding(
        rule_id=rule.id,
        rule_version=rule.version,
        category=rule.category,
        kind="signal" if rule.is_signal else "violation",
        severity=rule.severity,
        subject=conversation.id,
        turn=index,
        speaker=turn.speaker,
        start=start,
        end=end,
        start_s=start_s,
        end_s=end_s,
        quote=turn.text[start:end],
        score=round(score, 3),
        plane=PLANE,
        edits=0,
        explanation={
            "condition": f"score of the wording at least {rule.detection.least_score}",
            "anchors": anchors,
            "exceptions": {},
            **rule.facts,
        },
    )
