"""Event rules about whom one may contact: people outside the debt; after a request, a complaint, a lawyer's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from audit_service.detection.cease_terms import ALL, REPRESENTED, WORK, WORKING_HOURS
from audit_service.detection.civil_time import is_within, local_day, local_time
from audit_service.detection.contact_log import Judgement, Log, as_seen, unknown_person
from audit_service.detection.values import Attempt, CeaseRequest, Complaint

WORKING_DAYS = range(5)
INVALID = "invalid"


def judge_wrong_party(judgement: Judgement, log: Log) -> None:
    """An unrelated contact person is contacted though the log shows that the borrower can be reached.

    Reachable: an answered call, after which there were fewer than ``failed_days`` days on which every call failed, and
    no call that found the number invalid. ``failed_days: 0`` asks for no such proof: every such contact is flagged.
    """
    calls = _calls_to_borrowers(log)
    for attempt in filter(judgement.concerns, log.attempts):
        missing = unknown_person(attempt)
        if missing or (attempt.contact_person_id is not None and attempt.is_related is None):
            judgement.cannot_tell(attempt, missing or "is_related")
        elif attempt.contact_person_id is None or attempt.is_related:
            continue
        elif judgement.limits["failed_days"] == 0:
            judgement.flag(attempt, (attempt,))
        else:
            _judge_reach(judgement, calls.get(attempt.borrower_id, []), attempt)


def _judge_reach(judgement: Judgement, calls: Sequence[Attempt], attempt: Attempt) -> None:
    calls = [call for call in calls if call.started_at < attempt.started_at]
    answered = [other for other in calls if other.is_answered]
    since = [other for other in calls if not answered or other.started_at > answered[-1].started_at]
    failed = [other for other in since if other.is_answered is False]
    failed_days = len({local_day(other.started_at, other.timezone) for other in failed})
    if failed_days >= judgement.limits["failed_days"] or any(other.outcome == INVALID for other in failed):
        return
    if not answered:
        judgement.cannot_tell(attempt, "attempts to reach the borrower")
    elif any(other.is_answered is None for other in since):
        judgement.cannot_tell(attempt, "is_answered")
    else:
        judgement.flag(attempt, (answered[-1], *failed, attempt), failed_days=failed_days)


def _calls_to_borrowers(log: Log) -> dict[str, list[Attempt]]:
    """Return the calls to each borrower himself, in order of time."""
    calls: dict[str, list[Attempt]] = {}
    for attempt in log.attempts:
        is_call = attempt.channel == "call" and attempt.direction == "outbound"
        if is_call and attempt.contact_person_id is None and not attempt.is_unnamed:
            calls.setdefault(attempt.borrower_id, []).append(attempt)
    return calls


def judge_after_cease(judgement: Judgement, log: Log) -> None:
    """A contact after the person asked for none: at all, by this channel, at these hours, at work, or by a lawyer.

    The request and the contact may be with different agencies. Where the log does not say whom a contact reached, it
    cannot be held against a request of one of several persons.
    """
    for attempt in filter(judgement.concerns, log.attempts):
        if _is_beside(judgement.limits, attempt) or log.has_consent(attempt, judgement.limits.get("consent")):
            continue
        requests = [request for request in log.cease_requests if _may_cover(judgement, request, attempt)]
        missing = unknown_person(attempt)
        if missing and any(missing == "recipient" or request.contact_person_id for request in requests):
            judgement.cannot_tell(attempt, missing)
            continue
        for request in requests:
            if request.person == attempt.person and _is_asked_against(judgement, request, attempt):
                asked = () if request.attempt_id is None else (request.attempt_id,)
                facts = {
                    "asked_at": as_seen(request.at, attempt),
                    "scope": request.scope,
                    "asked_channel": request.channel,
                }
                judgement.flag(attempt, (*asked, attempt), **facts)
                break


def _is_beside(limits: Mapping[str, Any], attempt: Attempt) -> bool:
    """Tell whether the rule is about the other side: ``persons`` is ``contact`` or ``borrower``, or both if absent."""
    is_borrower = attempt.contact_person_id is None and not attempt.is_unnamed
    return bool(limits.get("persons", "any") == ("contact" if is_borrower else "borrower"))


def _may_cover(judgement: Judgement, request: CeaseRequest, attempt: Attempt) -> bool:
    """Tell whether a request of earlier, of a kind that the rule is about, may be about this channel."""
    kind = request.scope.partition(" ")[0]
    scopes = set(judgement.limits["scopes"])
    is_of_kind = kind in scopes or (kind == ALL and request.channel is not None and "channel" in scopes)
    is_earlier = request.borrower_id == attempt.borrower_id and request.at < attempt.started_at
    return is_of_kind and is_earlier and request.channel in {None, attempt.channel}


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


def judge_after_complaint(judgement: Judgement, log: Log) -> None:
    """A contact while a complaint of the borrower waits for its answer; ``requests``: those that ask for these."""
    for attempt in filter(judgement.concerns, log.attempts):
        if log.has_consent(attempt, judgement.limits.get("consent")):
            continue
        pending = [complaint for complaint in log.complaints if _is_waiting(judgement.limits, complaint, attempt)]
        if pending:
            facts = {"complained_at": as_seen(pending[0].from_at, attempt), "requests": list(pending[0].requests)}
            judgement.flag(attempt, (attempt,), **facts)


def _is_waiting(limits: Mapping[str, Any], complaint: Complaint, attempt: Attempt) -> bool:
    wanted = limits.get("requests")
    return (
        complaint.borrower_id == attempt.borrower_id
        and complaint.is_pending(attempt.started_at)
        and (wanted is None or not set(wanted).isdisjoint(complaint.requests))
    )


def judge_unrecorded(judgement: Judgement, log: Log) -> None:
    """An answered call without a recording: a notice. What was said cannot be determined, by this or any other rule."""
    least = float(judgement.limits.get("min_talk_s", 0))
    for attempt in filter(judgement.concerns, log.attempts):
        if attempt.has_recording or attempt.is_answered is False:
            continue
        if attempt.talk_s is not None and attempt.talk_s < least:
            continue
        if attempt.is_answered is None:
            judgement.cannot_tell(attempt, "is_answered")
        else:
            judgement.cannot_tell(attempt, "has_recording" if attempt.has_recording is None else "recording")
