"""Findings that the trained model proposes, one a category and turn, where no other rule of the category spoke."""

from __future__ import annotations

from collections.abc import Sequence

from audit_service.detection.folding import fold
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Turn
from audit_service.detection.wordings import WordingModel
from audit_service.detection.words import UNKNOWN_SPEAKER_SCORE, Spot, finding_in_turn

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
    text = conversation.turns[index].text
    anchors = [
        {"selection": "wording", "literal": piece, "text": piece, "plane": PLANE, "edits": 0}
        for piece in model.weightiest(text, rule.category)
    ]
    explanation = {
        "condition": f"score of the wording at least {rule.detection.least_score}",
        "anchors": anchors,
        "exceptions": {},
        **rule.facts,
    }
    spot = Spot(index, *model.place(text, rule.category), score, PLANE)
    return finding_in_turn(rule, conversation, spot, explanation)
