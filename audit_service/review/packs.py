"""What a rule said when it flagged: a readable copy of a pack's rules, kept with the findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from audit_service.detection import Authority, Engine, Pack, Rule


def snapshot(engine: Engine, pack: Pack) -> dict[str, Any]:
    """Return titles, explanations, severity and authorities of all rules of ``pack``, by rule id."""
    return {rule.id: _rule(engine.rule(rule.id)) for rule in pack.rules}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": dict(rule.title),
        "explanation": dict(rule.explanation),
        "category": rule.category,
        "severity": rule.severity,
        "authorities": [_authority(authority) for authority in rule.authorities],
        "review": {question: dict(answer) for question, answer in rule.review.items()},
    }


def _authority(authority: Authority) -> dict[str, Any]:
    return {
        "instrument": authority.instrument,
        "title": dict(authority.title),
        "number": authority.number,
        "weight": authority.weight,
        "clause": authority.clause,
        "from": authority.in_force_from.isoformat(),
        "to": None if authority.in_force_to is None else authority.in_force_to.isoformat(),
    }


def rule_on(rule: Mapping[str, Any], instant: datetime, timezone: str | None) -> dict[str, Any]:
    """Return a rule of a snapshot with those of its authorities that were in force on the civil day of a contact.

    An older snapshot has no dates: all its authorities are kept. No rule loses all: it then shows what it rests on.
    """
    day = (instant if timezone is None else instant.astimezone(ZoneInfo(timezone))).date()
    kept = [one for one in rule.get("authorities", ()) if _is_in_force(one, day)]
    return {**rule, "authorities": kept or list(rule.get("authorities", ()))}


def _is_in_force(authority: Mapping[str, Any], day: date) -> bool:
    begin, end = authority.get("from"), authority.get("to")
    return (begin is None or begin <= day.isoformat()) and (end is None or day.isoformat() <= end)
