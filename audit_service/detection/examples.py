"""Run every rule on its own examples: what must flag, what must pass, and which exception makes it pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from audit_service.detection.documents import conversation_of
from audit_service.detection.engine import Engine
from audit_service.detection.event_rules import notice_of
from audit_service.detection.pack_files import TEXT_KINDS
from audit_service.detection.rules import Rule
from audit_service.detection.values import (
    Attempt,
    CeaseRequest,
    Complaint,
    Consent,
    Conversation,
    FoundFinding,
    Turn,
)

ZONES = {"cn": "Asia/Shanghai", "us": "America/New_York", "uk": "Europe/London", "in": "Asia/Kolkata"}


@dataclass(frozen=True)
class ExampleFailure:
    """An example that does not come out as its rule file says."""

    rule_id: str
    example: str
    expected: str
    got: str


def test_examples(engine: Engine) -> list[ExampleFailure]:
    """Return every example of every rule of the engine that does not hold."""
    return [
        failure
        for pack in engine.packs
        for rule in pack.rules
        for side in ("flag", "pass")
        for index in range(len(rule.examples[side]))
        if (failure := judge_example(engine, rule, side, index)) is not None
    ]


def judge_example(engine: Engine, rule: Rule, side: str, index: int) -> ExampleFailure | None:
    """Return what is wrong with one example; None if it holds."""
    example = rule.examples[side][index]
    if rule.kind == "event":
        return _judge_log(engine, rule, side, index)
    found = findings(engine, rule, example)
    shown = str(example.get("text") or f"{side}[{index}]")
    got = "; ".join(finding.quote or finding.subject for finding in found) or "nothing"
    if side == "flag":
        expected = _flag_missing(example, found)
        return ExampleFailure(rule.id, shown, expected, got) if expected else None
    if found:
        return ExampleFailure(rule.id, shown, "no finding", got)
    because = example.get("because")
    if because and not findings(_alone(engine, rule.id, without=because), rule, example):
        return ExampleFailure(rule.id, shown, f"a finding without the exception {because}", "nothing")
    return None


def _flag_missing(example: Mapping[str, Any], found: list[FoundFinding]) -> str:
    """Return what a flag example asks for and did not get; empty if it got all."""
    if not found:
        return "a finding"
    quote = example.get("quote", "")
    if quote and not any(quote in finding.quote or finding.quote in quote for finding in found):
        return f"the quote {quote}"
    return ""


def _judge_log(engine: Engine, rule: Rule, side: str, index: int) -> ExampleFailure | None:
    """Judge a contact log: which attempts are flagged, and of which the outcome must be "cannot determine".

    An attempt whose outcome is undetermined has not passed: an example that passes names it under ``undetermined``.
    """
    example = rule.examples[side][index]
    result = _undisturbed(engine).scan_log(*_log(rule, example))
    notice = notice_of(rule.detection.event)
    unsure = [item for item in result.undetermined if item.rule_id == rule.id]
    noticed = [item.subject for item in unsure if notice and item.missing == notice]
    got = sorted({int(f.subject) for f in result.findings if f.rule_id == rule.id} | set(map(int, noticed)))
    open_ = sorted({int(item.subject) for item in unsure if not notice or item.missing != notice})
    wanted = example.get("flagged", got if side == "flag" and got else [])
    wanted_open = example.get("undetermined", open_ if side == "flag" else [])
    if (got, open_) == (wanted, wanted_open) and bool(got) == (side == "flag"):
        return None
    expected = f"flagged {wanted or 'one at least' if side == 'flag' else []}, undetermined {wanted_open}"
    return ExampleFailure(rule.id, f"{side}[{index}]", expected, f"flagged {got}, undetermined {open_}")


def findings(engine: Engine, rule: Rule, example: Mapping[str, Any]) -> list[FoundFinding]:
    """Return the findings of ``rule`` in the contact that an example of words describes.

    The rule is judged by itself: of several that know the same deed only the best speaks, the model is silent where
    words speak, and it dissents from some of them.
    """
    alone = _alone(engine if rule.kind == "model" else _undisturbed(engine), rule.id)
    result = alone.scan(_conversation(rule, example))
    return [finding for finding in result.findings if finding.rule_id == rule.id]


def _conversation(rule: Rule, example: Mapping[str, Any]) -> Conversation:
    jurisdiction = rule.jurisdiction
    if rule.kind not in TEXT_KINDS or "record" in example:
        return conversation_of(example["record"], (jurisdiction,))
    turn = Turn(rule.speakers[0], example["text"])
    return Conversation(
        "example",
        (turn,),
        source=example.get("source", "typed"),
        channel=rule.channels[0] if rule.channels else None,
        recipient=rule.recipient or "borrower",
        jurisdictions=(jurisdiction,),
    )


def _log(
    rule: Rule, example: Mapping[str, Any]
) -> tuple[list[Attempt], list[CeaseRequest], list[Consent], list[Complaint]]:
    """Return the contact log of an example; attempts are numbered from 1, what is not said takes a default."""
    attempts = [_attempt(rule, str(number), line) for number, line in enumerate(example["log"], start=1)]
    ceases = [
        CeaseRequest(
            "b", line.get("contact_person"), _instant(line["at"]), line.get("scope", "all"), line.get("channel")
        )
        for line in example.get("ceases", ())
    ]
    consents = [
        Consent("b", line["kind"], _instant(line["from"]), _instant_or_none(line.get("to")))
        for line in example.get("consents", ())
    ]
    complaints = [
        Complaint("b", _instant(line["from"]), _instant_or_none(line.get("to")), tuple(line.get("requests", ())))
        for line in example.get("complaints", ())
    ]
    return attempts, ceases, consents, complaints


def _attempt(rule: Rule, number: str, line: Mapping[str, Any]) -> Attempt:
    person = line.get("contact_person")
    jurisdiction = rule.jurisdiction
    return Attempt(
        id=number,
        borrower_id="b",
        contact_person_id=person,
        is_related=line.get("related"),
        number=line.get("number", "100"),
        agency_id=line.get("agency", "a"),
        institution_id=line.get("institution", "i"),
        channel=line.get("channel", "call"),
        direction=line.get("direction", "outbound"),
        started_at=_instant(line["at"]),
        timezone=line.get("timezone", ZONES.get(jurisdiction)),
        is_answered=line.get("answered"),
        talk_s=line.get("talk"),
        recipient=line.get("recipient", "third_party" if person else "borrower"),
        has_recording=line.get("recorded"),
        jurisdiction=jurisdiction,
        outcome=line.get("outcome"),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


@lru_cache(maxsize=8)
def _undisturbed(engine: Engine) -> Engine:
    return Engine(
        [
            replace(pack, dissent_below=0.0, rules=tuple(_for_itself(rule) for rule in pack.rules))
            for pack in engine.packs
        ]
    )


def _for_itself(rule: Rule) -> Rule:
    """Return the rule as it judges when nothing stands against it: not replaced, and in force though a draft."""
    status = "active" if rule.status == "draft" else rule.status
    return replace(rule, replaces=None, replaced_by=(), status=status)


@lru_cache(maxsize=512)
def _alone(engine: Engine, rule_id: str, without: str = "") -> Engine:
    """Return an engine with one rule only; without the exception or requirement ``without``, if one is named."""
    rule = engine.rule(rule_id)
    kept = tuple(other for other in rule.detection.exceptions if other.name != without)
    asked = tuple(other for other in rule.detection.required if other.name != without)
    lone = replace(_for_itself(rule), detection=replace(rule.detection, exceptions=kept, required=asked))
    pack = next(pack for pack in engine.packs if rule in pack.rules)
    return Engine((replace(pack, rules=(lone,)),))
