"""Findings that the trained model proposes, one a category and turn, where no other rule of the category spoke."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from audit_service.detection.folding import fold
from audit_service.detection.rules import Rule
from audit_service.detection.values import Conversation, FoundFinding, Turn
from audit_service.detection.wordings import Bar, Scores, TrainedLayer
from audit_service.detection.words import UNKNOWN_SPEAKER_SCORE, Spot, finding_in_turn

PLANE = "model"
LEAST_CHARACTERS = 3


def propose(
    model: TrainedLayer,
    rules: Sequence[Rule],
    conversation: Conversation,
    rows: Scores,
    spoken: Collection[tuple[int | None, str]],
) -> list[FoundFinding]:
    """Return the findings of the ``model`` rules in the turns of ``conversation``.

    A rule whose recipient is not the known one proposes nothing; where the recipient is not known, a score counts less.

    Args:
        model: whose columns the rules name.
        rules: rules of kind ``model`` that may concern the conversation.
        conversation: what was said.
        rows: the scores of the model, one row a turn.
        spoken: turn and category of the findings that other rules made there.
    """
    least = min(rule.detection.least_score for rule in rules)
    if rows.max(initial=0.0) < least:
        return []
    return [
        _finding(model, rule, conversation, index, score)
        for index, (turn, row) in enumerate(zip(conversation.turns, rows.tolist(), strict=True))
        if len(fold(turn.text).text) >= LEAST_CHARACTERS
        for rule, score in _proposed(model, rules, conversation, turn, row)
        if (index, rule.category) not in spoken
    ]


def bars(model: TrainedLayer, rules: Sequence[Rule], speaker: str, recipient: str | None) -> list[Bar]:
    """Return what the log-odds of a turn must reach, so that one of ``rules`` may propose something."""
    found = []
    for rule in rules:
        trust = _trust_in(rule, speaker, recipient)
        if trust >= rule.detection.least_score:
            found.append(model.bar(rule.category, rule.detection.least_score / trust))
    return found


def _proposed(
    model: TrainedLayer, rules: Sequence[Rule], conversation: Conversation, turn: Turn, row: Sequence[float]
) -> Iterator[tuple[Rule, float]]:
    for rule in rules:
        score = row[model.column_of[rule.category]] * _trust_in(rule, turn.speaker, conversation.recipient)
        if score >= rule.detection.least_score:
            yield rule, score


def _trust_in(rule: Rule, speaker: str, recipient: str | None) -> float:
    by_speaker = _trust(rule.speakers, speaker)
    return by_speaker if rule.recipient is None else by_speaker * _trust((rule.recipient,), recipient or "unknown")


def _trust(wanted: Sequence[str], known: str) -> float:
    """Return how much of a score stands: all where the person is the one wanted, less where unknown, else nothing."""
    if known in wanted:
        return 1.0
    return UNKNOWN_SPEAKER_SCORE if known == "unknown" else 0.0


def _finding(model: TrainedLayer, rule: Rule, conversation: Conversation, index: int, score: float) -> FoundFinding:
    text = conversation.turns[index].text
    anchors = [
        {"selection": "wording", "literal": piece, "text": piece, "plane": PLANE, "edits": 0}
        for piece in model.linear.weightiest(text, rule.category)
    ]
    explanation = {
        "condition": f"score of the wording at least {rule.detection.least_score}",
        "anchors": anchors,
        "exceptions": {},
        **rule.facts,
    }
    spot = Spot(index, *model.linear.place(text, rule.category), score, PLANE)
    return finding_in_turn(rule, conversation, spot, explanation)
