"""Event rules that count: contacts of one borrower, person, number or contact person within a window of time.

Counts run over all agencies of one lender. Every finding prints the contacts that were counted. A contact of which the
log does not say whether it counts is never counted; where it would decide, the outcome is undetermined.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from audit_service.detection.civil_time import days_before
from audit_service.detection.contact_log import Judgement, Log, is_effective, shown, unknown_person
from audit_service.detection.values import Attempt

Counts = bool | str
"""Whether a contact counts; a text is the missing fact for lack of which that cannot be told."""
Key = tuple[str, ...]
KEYS: Mapping[str, Callable[[Attempt], Key]] = {
    "borrower": lambda attempt: (attempt.institution_id, attempt.borrower_id),
    "person": lambda attempt: (attempt.institution_id, attempt.person),
    "number": lambda attempt: (attempt.institution_id, attempt.number),
    "contact_person": lambda attempt: (attempt.institution_id, attempt.person),
}
COUNTED = ("all", "answered", "unanswered", "conversations")
_TALK = "is_answered or talk_s"


@dataclass(frozen=True)
class Count:
    """What a rule counts: contacts of which kind, per what, and in which window.

    Attributes:
        per: ``borrower`` (with all persons around him), ``person``, ``number``, or ``contact_person``.
        days: civil days, the last of which is that of the contact; None: ``span`` or all time.
        span: a rolling stretch of time that ends with the contact.
        does_count: tells of a contact whether it counts.
    """

    per: str
    days: int | None
    span: timedelta | None
    does_count: Callable[[Attempt], Counts]

    @property
    def window(self) -> dict[str, int]:
        """Return the window as an explanation prints it."""
        if self.days is not None:
            return {"days": self.days}
        return {} if self.span is None else {"minutes": int(self.span.total_seconds()) // 60}


def judge_conversations_per_day(judgement: Judgement, log: Log) -> None:
    """More than ``max`` effective conversations with one borrower on a civil day, over lender and agencies."""
    least = float(judgement.limits.get("min_talk_s", 0))

    def is_conversation_with_borrower(attempt: Attempt) -> Counts:
        if attempt.recipient == "third_party":
            return False
        has_talked = _has_talked(attempt, least)
        return "recipient" if has_talked is True and attempt.recipient is None else has_talked

    _count(judgement, log, Count("borrower", 1, None, is_conversation_with_borrower))


def judge_unanswered_per_day(judgement: Judgement, log: Log) -> None:
    """More than ``max`` unanswered tries at one number on a civil day."""
    _count(judgement, log, Count("number", 1, None, _is_unanswered))


def judge_calls_in_window(judgement: Judgement, log: Log) -> None:
    """More than ``max`` calls to one person within ``days`` consecutive civil days; some outcomes may not count."""
    _count(judgement, log, Count("person", judgement.limits["days"], None, _counts_by(judgement.limits)))


def judge_contacts_in_window(judgement: Judgement, log: Log) -> None:
    """More than ``max`` contacts per ``per`` in civil ``days`` or rolling ``minutes``; neither: in all time."""
    limits = judgement.limits
    span = timedelta(minutes=limits["minutes"]) if "minutes" in limits else None
    _count(judgement, log, Count(limits["per"], limits.get("days"), span, _counts_by(limits)))


def judge_call_after_conversation(judgement: Judgement, log: Log) -> None:
    """A call within ``days`` civil days after a conversation; the day of the conversation is day 1."""
    counts_by = _counts_by(judgement.limits)
    for calls in _by_person(judgement, log).values():
        talk = possible = None
        for day, attempt in judgement.dated(calls):
            begin = days_before(day, judgement.limits["days"])
            counts = False if log.has_consent(attempt, judgement.limits.get("consent")) else counts_by(attempt)
            if talk is not None and talk[0] >= begin:
                _after(judgement, attempt, counts, talk)
            elif possible is not None and possible >= begin and counts is not False:
                judgement.cannot_tell(attempt, _TALK)
            has_talked = _has_talked(attempt, float(judgement.limits.get("min_talk_s", 0)))
            talk = (day, attempt) if has_talked is True else talk
            possible = day if has_talked == _TALK else possible


def _after(judgement: Judgement, attempt: Attempt, counts: Counts, talk: tuple[date, Attempt]) -> None:
    if isinstance(counts, str):
        judgement.cannot_tell(attempt, counts)
    elif counts:
        facts = {"conversation_day": talk[0].isoformat(), "days": judgement.limits["days"]}
        judgement.flag(attempt, (talk[1], attempt), **facts)


def _by_person(judgement: Judgement, log: Log) -> dict[Key, list[Attempt]]:
    groups: dict[Key, list[Attempt]] = {}
    for attempt in filter(judgement.concerns, log.attempts):
        missing = _unassignable("person", attempt)
        if missing:
            judgement.cannot_tell(attempt, missing)
        else:
            groups.setdefault(KEYS["person"](attempt), []).append(attempt)
    return groups


def _has_talked(attempt: Attempt, least_s: float) -> Counts:
    outcome = is_effective(attempt, least_s)
    return _TALK if outcome is None else outcome


def _is_answered(attempt: Attempt) -> Counts:
    return "is_answered" if attempt.is_answered is None else attempt.is_answered


def _is_unanswered(attempt: Attempt) -> Counts:
    return "is_answered" if attempt.is_answered is None else not attempt.is_answered


def _counts_by(limits: Mapping[str, Any]) -> Callable[[Attempt], Counts]:
    """Return what counts by ``counts``, ``uncounted`` outcomes, and ``persons: unrelated``."""
    least = float(limits.get("min_talk_s", 0))
    kinds: dict[str, Callable[[Attempt], Counts]] = {
        "all": lambda _attempt: True,
        "answered": _is_answered,
        "unanswered": _is_unanswered,
        "conversations": lambda attempt: _has_talked(attempt, least),
    }
    kind = kinds[limits.get("counts", "all")]
    uncounted = frozenset(limits.get("uncounted", ()))

    def counts(attempt: Attempt) -> Counts:
        if attempt.outcome in uncounted:
            return False
        if uncounted and attempt.channel == "call" and attempt.outcome is None and attempt.is_answered is None:
            return "outcome"
        if limits.get("persons") == "unrelated" and attempt.is_related is not False:
            return False if attempt.is_related else "is_related"
        return kind(attempt)

    return counts


def _count(judgement: Judgement, log: Log, count: Count) -> None:
    for entries in _groups(judgement, log, count).values():
        if count.days is None:
            _slide(judgement, count, [(attempt, attempt.started_at, counts) for attempt, counts in entries])
        else:
            dated = _dated(judgement, entries)
            _slide(judgement, count, [(attempt, day, counts) for day, attempt, counts in dated])


def _slide(judgement: Judgement, count: Count, entries: list[tuple[Attempt, Any, Counts]]) -> None:
    """Move the window over the contacts of one group, in order, and say where there are too many in it."""
    limit = judgement.limits["max"]
    lines = {attempt.id: shown(attempt) for attempt, _, _ in entries} if len(entries) > limit else {}
    inside: deque[tuple[Attempt, Any, Counts]] = deque()
    sure = 0
    for attempt, at, counts in entries:
        if counts is False:
            continue
        inside.append((attempt, at, counts))
        sure += counts is True
        while not _is_inside(count, inside[0][1], at):
            sure -= inside.popleft()[2] is True
        if counts is True and sure > limit:
            listed = [other for other, _, does in inside if does is True]
            listed = listed if count.window else [*listed[:limit], attempt]
            facts = {"count": sure, "max": limit, "per": count.per, **count.window}
            judgement.flag(attempt, listed, **facts, counted=[lines[other.id] for other in listed])
        elif len(inside) > limit and len(inside) > sure:
            judgement.cannot_tell(attempt, next(does for _, _, does in inside if isinstance(does, str)))


def _is_inside(count: Count, earlier: Any, later: Any) -> bool:
    if count.days is not None:
        return bool(earlier >= days_before(later, count.days))
    return count.span is None or bool(later - earlier < count.span)


def _groups(judgement: Judgement, log: Log, count: Count) -> dict[Key, list[tuple[Attempt, Counts]]]:
    """Return the contacts that the rule concerns, by what it counts per; what cannot be assigned cannot be judged."""
    groups: dict[Key, list[tuple[Attempt, Counts]]] = {}
    for attempt in filter(judgement.concerns, log.attempts):
        is_agreed = log.has_consent(attempt, judgement.limits.get("consent"))
        counts = False if is_agreed else count.does_count(attempt)
        missing = "" if counts is False else _unassignable(count.per, attempt)
        if missing:
            judgement.cannot_tell(attempt, missing)
        elif count.per != "contact_person" or attempt.contact_person_id is not None:
            groups.setdefault(KEYS[count.per](attempt), []).append((attempt, counts))
    return groups


def _unassignable(per: str, attempt: Attempt) -> str:
    """Return the fact for lack of which a contact belongs to no group; empty if it belongs to one."""
    if per == "borrower":
        return ""
    if per == "number":
        return "" if attempt.number else "number"
    missing = unknown_person(attempt)
    if per == "person" and missing == "contact_person" and attempt.number:
        return ""
    return missing


def _dated(judgement: Judgement, entries: list[tuple[Attempt, Counts]]) -> list[tuple[date, Attempt, Counts]]:
    counted = {attempt.id: counts for attempt, counts in entries if counts is not False}
    dated = judgement.dated(attempt for attempt, counts in entries if counts is not False)
    return [(day, attempt, counted[attempt.id]) for day, attempt in dated]
