"""What a rule said when it flagged: a readable copy of a pack's rules, kept with the findings."""

from __future__ import annotations

from typing import Any

from audit_service.detection import Engine, Pack, Rule


def snapshot(engine: Engine, pack: Pack) -> dict[str, Any]:
    """Return titles, explanations, severity and authorities of all rules of ``pack``, by rule id."""
    return {rule.id: _rule(engine.rule(rule.id)) for rule in pack.rules}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": dict(rule.title),
        "explanation": dict(rule.explanation),
        "category": rule.category,
        "severity": rule.severity,
        "authorities": [
            {
                "instrument": authority.instrument,
                "title": dict(authority.title),
                "number": authority.number,
                "weight": authority.weight,
                "clause": authority.clause,
            }
            for authority in rule.authorities
        ],
        "review": {question: dict(answer) for question, answer in rule.review.items()},
    }
