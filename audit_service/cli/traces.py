"""How the trace of a rule over a contact is printed: as a truth table for people, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from audit_service.detection.documents import document_of
from audit_service.detection.tracing import MatchTrace, PassageTrace, RuleTrace, Said


def trace_document(trace: RuleTrace) -> dict[str, Any]:
    """Return the JSON form of a trace."""
    return {
        "rule": trace.rule_id,
        "condition": trace.condition,
        "obstacles": list(trace.obstacles),
        "passages": [_passage_document(passage) for passage in trace.passages],
        "verification": list(trace.meter),
        "scores": list(trace.scores),
        "findings": [document_of(finding) for finding in trace.findings],
        "undetermined": list(trace.undetermined),
    }


def _passage_document(passage: PassageTrace) -> dict[str, Any]:
    return {
        "turns": list(passage.turns),
        "speaker": passage.speaker,
        "is_heard": passage.is_heard,
        "table": [asdict(line) | {"holds": line.holds} for line in passage.lines],
        "matches": [asdict(match) | {"reason": match.reason} for match in passage.matches],
    }


def trace_text(contact: str, kind: str, trace: RuleTrace) -> str:
    """Return a trace as lines of text."""
    return "\n".join(_lines(contact, kind, trace))


def _lines(contact: str, kind: str, trace: RuleTrace) -> Iterator[str]:
    yield f"Contact {contact or '(no id)'}, rule {trace.rule_id} ({kind}): {_outcome(trace)}"
    yield from (f"  not judged: {obstacle}" for obstacle in trace.obstacles)
    if trace.condition:
        yield f"  condition: {trace.condition}"
    for state in trace.meter:
        yield f"  verification, from turn {state['turn']}, second {state['start_s']}: {state['state']}"
    for passage in trace.passages:
        if passage.is_of_note:
            yield from _passage_lines(passage)
    silent = sum(not passage.is_of_note for passage in trace.passages)
    if silent and trace.condition:
        yield f"  {silent} passages in which nothing of the rule is met"
    if trace.scores:
        yield f"  trained layer, best score of a turn: {max(trace.scores)}; at least {trace.least_score} is needed"


def _outcome(trace: RuleTrace) -> str:
    if trace.findings:
        return f"fires ({len(trace.findings)})"
    if trace.undetermined:
        return f"cannot be determined: {', '.join(trace.undetermined)} not known"
    return "does not fire"


def _passage_lines(passage: PassageTrace) -> Iterator[str]:
    turns = "-".join(str(turn) for turn in dict.fromkeys([passage.turns[0], passage.turns[-1]]))
    yield f"  turn {turns}, {passage.speaker}{'' if passage.is_heard else ' (not one the rule is about)'}"
    for line in passage.lines:
        mark = "yes" if line.holds else "no "
        text = f"not {line.text}" if line.is_negated else line.text
        said = ", ".join(f"“{said['text']}”" for said in line.said)
        yield f"    {mark} {'  ' * line.depth}{text}{': ' if said else ''}{said}"
    for match in passage.matches:
        yield from _match_lines(match)


def _match_lines(match: MatchTrace) -> Iterator[str]:
    yield f"    match “{match.said['text']}”: {match.reason}"
    for word, neighbours in (("exception", match.exceptions), ("requirement", match.required)):
        yield from (f"      {word} {name}: {_met(said)}" for name, said in neighbours.items())


def _met(said: Said | None) -> str:
    return "not met" if said is None else f"met in turn {said['turn']} by “{said['text']}”"
