"""Event rules: judge the contact log by when, how often and whom. Each judge is a pure function of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from audit_service.detection.cease_terms import ALL, REPRESENTED, WORK, WORKING_HOURS
from audit_service.detection.civil_time import days_before, is_within, local_day, local_time
from audit_service.detection.rules import Rule
from audit_service.detection.values import Attempt, CeaseRequest, Consent, FoundFinding, Undetermined

WORKING_DAYS = range(5)


@dataclass(frozen=True)
class Log:
    """The attempts in order of time, with what was asked for and agreed to."""

    attempts: tuple[Attempt, ...]
    cease_requests: tuple[CeaseRequest, ...] = ()
    consents: tuple[Consent, ...] = ()

    def has_consent(self, attempt: Attempt, kind: str | None) -> bool:
        """Tell whether the borrower had agreed to ``kind`` of contact when the attempt was made."""
        return any(
            consent.kind == kind and consent.borrower_id == attempt.borrower_id and consent.covers(attempt.started_at)
            for consent in self.consents
        )


@dataclass
class Judgement:
    """Collects what a judge of one rule says of the attempts."""

    rule: Rule
    findings: list[FoundFinding] = field(default_factory=list)
    undetermined: list[Undetermined] = field(default_factory=list)

    @property
    def limits(self) -> Mapping[str, Any]:
        """Return the limits of the rule."""
        return self.rule.detection.limits

    def concerns(self, attempt: Attempt) -> bool:
        """Tell whether the rule judges this attempt: outbound, of its jurisdiction, channel and date."""
        channels = self.limits.get("channels")
        jurisdiction = self.rule.jurisdiction
        return (
            attempt.direction == "outbound"
            and attempt.jurisdiction in {"", jurisdiction}
            and (channels is None or attempt.channel in channels)
            and self.rule.is_in_force(local_day(attempt.started_at, attempt.timezone))
        )

    def flag(self, attempt: Attempt, related: Iterable[Attempt] = (), **facts: Any) -> None:
        """Note that ``attempt`` breaks the rule, with the attempts that show it."""
        self.findings.append(
            FoundFinding(
                rule_id=self.rule.id,
                rule_version=self.rule.version,
                category=self.rule.category,
                kind="violation",
                severity=self.rule.severity,
                subject=attempt.id,
                turn=None,
                speaker="agent",
                start=0,
                end=0,
                start_s=None,
                end_s=None,
                quote="",
                score=1.0,
                plane="metadata",
                edits=0,
                explanation={"event": self.rule.detection.event, **facts, **self.rule.facts},
                related=tuple(other.id for other in related),
            )
        )

    def cannot_tell(self, attempt: Attempt, missing: str) -> None:
        """Note that a fact is missing to judge ``attempt``."""
        self.undetermined.append(Undetermined(self.rule.id, attempt.id, missing))


def judge_hours(judgement: Judgement, log: Log) -> None:
    """Contacts in the forbidden hours [from, to) of the recipient's civil time, unless agreed."""
    begin, end = (time.fromisoformat(judgement.limits[key]) for key in ("from", "to"))
    for attempt in filter(judgement.concerns, log.attempts):
        if attempt.timezone is None:
            judgement.cannot_tell(attempt, "timezone")
            continue
        moment = local_time(attempt.started_at, attempt.timezone)
        is_agreed = log.has_consent(attempt, judgement.limits.get("consent"))
        if is_within(moment.time(), begin, end) and not is_agreed:
            judgement.flag(attempt, local_time=moment.isoformat(timespec="minutes"), timezone=attempt.timezone)


def judge_conversations_per_day(judgement: Judgement, log: Log) -> None:
    """More than ``max`` effective conversations with one borrower on a civil day, over lender and agencies."""
    least = float(judgement.limits.get("min_talk_s", 0))
    for day, attempts in _by_day(judgement, log, lambda attempt: (attempt.institution_id, attempt.borrower_id)):
        sure: list[Attempt] = []
        unsure: list[Attempt] = []
        for attempt in attempts:
            is_effective = _is_effective(attempt, least)
            if attempt.recipient == "third_party" or is_effective is False:
                continue
            (unsure if is_effective is None else sure).append(attempt)
            if is_effective and len(sure) > judgement.limits["max"]:
                judgement.flag(attempt, sure, day=day.isoformat(), count=len(sure), max=judgement.limits["max"])
            elif unsure and len(sure) + len(unsure) > judgement.limits["max"]:
                judgement.cannot_tell(attempt, "is_answered or talk_s")


def _is_effective(attempt: Attempt, least_s: float) -> bool | None:
    """Tell whether a call became a conversation: answered, and long enough; None if the log does not say."""
    if attempt.is_answered is False:
        return False
    if attempt.is_answered is None or attempt.talk_s is None:
        return None
    return attempt.talk_s >= least_s


def judge_unanswered_per_day(judgement: Judgement, log: Log) -> None:
    """More than ``max`` unanswered tries at one number on a civil day."""
    for day, attempts in _by_day(judgement, log, lambda attempt: (attempt.institution_id, attempt.number)):
        unanswered = [attempt for attempt in attempts if attempt.is_answered is False]
        unknown = [attempt for attempt in attempts if attempt.is_answered is None]
        limit = judgement.limits["max"]
        for count, attempt in enumerate(unanswered, start=1):
            if count > limit:
                judgement.flag(attempt, unanswered[:count], day=day.isoformat(), count=count, max=limit)
        if unknown and len(unanswered) <= limit < len(unanswered) + len(unknown):
            judgement.cannot_tell(unknown[-1], "is_answered")


def judge_calls_in_window(judgement: Judgement, log: Log) -> None:
    """More than ``max`` calls to one person within ``days`` consecutive civil days."""
    limit, days = judgement.limits["max"], judgement.limits["days"]
    for calls in _by_person(judgement, log).values():
        dated = _dated(judgement, calls)
        for index, (day, attempt) in enumerate(dated):
            begin = days_before(day, days)
            window = [other for other_day, other in dated[: index + 1] if other_day >= begin]
            if len(window) > limit and not log.has_consent(attempt, judgement.limits.get("consent")):
                judgement.flag(attempt, window, count=len(window), max=limit, days=days)


def judge_call_after_conversation(judgement: Judgement, log: Log) -> None:
    """A call within ``days`` civil days after a conversation; the day of the conversation is day 1."""
    days = judgement.limits["days"]
    least = float(judgement.limits.get("min_talk_s", 0))
    for calls in _by_person(judgement, log).values():
        talk: tuple[date, Attempt] | None = None
        for day, attempt in _dated(judgement, calls):
            is_agreed = log.has_consent(attempt, judgement.limits.get("consent"))
            if talk is not None and talk[0] >= days_before(day, days) and not is_agreed:
                judgement.flag(attempt, (talk[1], attempt), conversation_day=talk[0].isoformat(), days=days)
            if _is_effective(attempt, least):
                talk = (day, attempt)


def judge_wrong_party(judgement: Judgement, log: Log) -> None:
    """An unrelated contact person is contacted though the log shows that the borrower can be reached.

    Reachable: an answered call, after which there were fewer than ``failed_days`` days on which every call failed.
    """
    for attempt in filter(judgement.concerns, log.attempts):
        if attempt.contact_person_id is None or attempt.is_related:
            continue
        if attempt.is_related is None:
            judgement.cannot_tell(attempt, "is_related")
            continue
        reached, failed_days, shown = _reach(log, attempt)
        if reached is None:
            judgement.cannot_tell(attempt, "attempts to reach the borrower")
        elif failed_days < judgement.limits["failed_days"]:
            judgement.flag(attempt, (*shown, attempt), failed_days=failed_days)


def _reach(log: Log, attempt: Attempt) -> tuple[Attempt | None, int, list[Attempt]]:
    """Return the last answered call of the borrower before ``attempt``, and the failed days since, with their calls."""
    calls = [
        other
        for other in log.attempts
        if other.borrower_id == attempt.borrower_id
        and other.contact_person_id is None
        and other.channel == "call"
        and other.started_at < attempt.started_at
    ]
    answered = [other for other in calls if other.is_answered]
    if not answered:
        return None, 0, []
    last = answered[-1]
    since = [other for other in calls if other.started_at > last.started_at and other.is_answered is False]
    days = {local_day(other.started_at, other.timezone) for other in since}
    return last, len(days), [last, *since]


def judge_after_cease(judgement: Judgement, log: Log) -> None:
    """A contact after the person asked for none: at all, by this channel, at these hours, or at work."""
    scopes = set(judgement.limits["scopes"])
    for attempt in filter(judgement.concerns, log.attempts):
        if judgement.limits.get("persons") == "contact" and attempt.contact_person_id is None:
            continue
        for request in log.cease_requests:
            kind = request.scope.partition(" ")[0]
            if request.person != attempt.person or request.at >= attempt.started_at or kind not in scopes:
                continue
            if request.channel in {None, attempt.channel} and _is_asked_against(judgement, request, attempt):
                judgement.flag(attempt, (attempt,), asked_at=request.at.isoformat(), scope=request.scope)
                break


def _is_asked_against(judgement: Judgement, request: CeaseRequest, attempt: Attempt) -> bool:
    """Tell whether the attempt falls into the hours that the request is about."""
    kind, _, hours = request.scope.partition(" ")
    if kind in {ALL, REPRESENTED}:
        return True
    if attempt.timezone is None:
        judgement.cannot_tell(attempt, "timezone")
        return False
    stated = {"night": judgement.limits.get("night", ()), WORK: WORKING_HOURS}
    bounds = stated.get(kind, hours.split("-"))
    begin, end = (time.fromisoformat(text) for text in bounds)
    local = local_time(attempt.started_at, attempt.timezone)
    if kind == WORK and local.weekday() not in WORKING_DAYS:
        return False
    return is_within(local.time(), begin, end)


def _by_day(
    judgement: Judgement, log: Log, key: Callable[[Attempt], tuple[str, ...]]
) -> list[tuple[date, list[Attempt]]]:
    groups: dict[tuple[date, tuple[str, ...]], list[Attempt]] = {}
    for day, attempt in _dated(judgement, filter(judgement.concerns, log.attempts)):
        groups.setdefault((day, key(attempt)), []).append(attempt)
    return [(day, attempts) for (day, _), attempts in groups.items()]


def _by_person(judgement: Judgement, log: Log) -> dict[str, list[Attempt]]:
    groups: dict[str, list[Attempt]] = {}
    for attempt in filter(judgement.concerns, log.attempts):
        groups.setdefault(attempt.person, []).append(attempt)
    return groups


def _dated(judgement: Judgement, attempts: Iterable[Attempt]) -> list[tuple[date, Attempt]]:
    dated = []
    for attempt in attempts:
        if attempt.timezone is None:
            judgement.cannot_tell(attempt, "timezone")
        else:
            dated.append((local_day(attempt.started_at, attempt.timezone), attempt))
    return dated


Judge = Callable[[Judgement, Log], None]
JUDGES: dict[str, Judge] = {
    "hours": judge_hours,
    "conversations_per_day": judge_conversations_per_day,
    "unanswered_per_day": judge_unanswered_per_day,
    "calls_in_window": judge_calls_in_window,
    "call_after_conversation": judge_call_after_conversation,
    "wrong_party": judge_wrong_party,
    "after_cease": judge_after_cease,
}
REQUIRED_LIMITS: dict[str, tuple[str, ...]] = {
    "hours": ("from", "to"),
    "conversations_per_day": ("max",),
    "unanswered_per_day": ("max",),
    "calls_in_window": ("max", "days"),
    "call_after_conversation": ("days",),
    "wrong_party": ("failed_days",),
    "after_cease": ("scopes",),
}


def judge(rules: Sequence[Rule], log: Log) -> tuple[list[FoundFinding], list[Undetermined]]:
    """Judge the log by each of the event rules."""
    findings: list[FoundFinding] = []
    undetermined: list[Undetermined] = []
    for rule in rules:
        judgement = Judgement(rule)
        JUDGES[str(rule.detection.event)](judgement, log)
        findings += judgement.findings
        undetermined += judgement.undetermined
    return findings, undetermined
