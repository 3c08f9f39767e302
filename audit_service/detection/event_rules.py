"""The table of events: which judge a rule of kind ``event`` names, and the limits that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit_service.detection import contact_frequency as frequency
from audit_service.detection import contact_hours as hours
from audit_service.detection import contact_permission as permission
from audit_service.detection.contact_log import Judgement, Log
from audit_service.detection.rules import Rule
from audit_service.detection.values import FoundFinding, Undetermined


@dataclass(frozen=True)
class Event:
    """A judge and its limits; ``notice``: it makes no findings, and reports this as the missing fact instead."""

    judge: Callable[[Judgement, Log], None]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    notice: str = ""


def _event(judge: Callable[[Judgement, Log], None], required: str, optional: str = "", notice: str = "") -> Event:
    return Event(judge, frozenset(required.split()), frozenset(optional.split()) | {"channels", "consent"}, notice)


EVENTS: dict[str, Event] = {
    "hours": _event(hours.judge_hours, "", "from to holidays"),
    "overrun": _event(hours.judge_overrun, "from to", "longest_minutes"),
    "conversations_per_day": _event(frequency.judge_conversations_per_day, "max", "min_talk_s"),
    "unanswered_per_day": _event(frequency.judge_unanswered_per_day, "max"),
    "calls_in_window": _event(frequency.judge_calls_in_window, "max days", "uncounted"),
    "contacts_in_window": _event(
        frequency.judge_contacts_in_window, "max per", "days minutes counts min_talk_s uncounted persons"
    ),
    "call_after_conversation": _event(frequency.judge_call_after_conversation, "days", "min_talk_s uncounted"),
    "wrong_party": _event(permission.judge_wrong_party, "failed_days"),
    "after_cease": _event(permission.judge_after_cease, "scopes", "persons night"),
    "after_complaint": _event(permission.judge_after_complaint, "", "requests"),
    "unrecorded": _event(permission.judge_unrecorded, "", "min_talk_s", notice="recording"),
}


def notice_of(event: object) -> str:
    """Return the fact whose lack rules of this event give notice of; empty for those that make findings."""
    return EVENTS[str(event)].notice if event in EVENTS else ""


def judge(rules: Sequence[Rule], log: Log) -> tuple[list[FoundFinding], list[Undetermined]]:
    """Judge the log by each of the event rules."""
    findings: list[FoundFinding] = []
    undetermined: list[Undetermined] = []
    for rule in rules:
        judgement = Judgement(rule)
        EVENTS[str(rule.detection.event)].judge(judgement, log)
        findings += judgement.findings
        undetermined += judgement.undetermined
    return findings, undetermined
