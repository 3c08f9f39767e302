"""Event rules about the hour of a contact, in the civil time of the person contacted, with public holidays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from audit_service.detection.civil_time import is_within, local_time
from audit_service.detection.contact_log import Judgement, Log
from audit_service.detection.values import Attempt


def judge_hours(judgement: Judgement, log: Log) -> None:
    """Contacts in the forbidden hours [from, to) of the recipient's civil time, unless agreed.

    ``holidays`` names a calendar, and the hours that are forbidden on its days instead (none named: the whole day).
    A day whose year the calendar does not cover can only be judged where both come out the same.
    """
    for attempt in filter(judgement.concerns, log.attempts):
        if attempt.timezone is None:
            judgement.cannot_tell(attempt, "timezone")
            continue
        if log.has_consent(attempt, judgement.limits.get("consent")):
            continue
        moment = local_time(attempt.started_at, attempt.timezone)
        outcome, is_holiday = _is_forbidden(judgement, log, moment)
        if outcome is None:
            judgement.cannot_tell(attempt, f"calendar of {moment.year}")
        elif outcome:
            facts: dict[str, Any] = {"local_time": moment.isoformat(timespec="minutes"), "timezone": attempt.timezone}
            judgement.flag(attempt, **facts, **({"holiday": moment.date().isoformat()} if is_holiday else {}))


def _is_forbidden(judgement: Judgement, log: Log, moment: datetime) -> tuple[bool | None, bool]:
    """Return whether the hour is forbidden (None: cannot be told), and whether it is as an hour of a holiday."""
    ordinary = "from" in judgement.limits and _is_in(judgement.limits, moment.time())
    special = judgement.limits.get("holidays")
    if special is None:
        return ordinary, False
    on_holiday = "from" not in special or _is_in(special, moment.time())
    is_holiday = log.calendars[special["calendar"]].is_holiday(moment.date())
    if is_holiday is None:
        return (ordinary if ordinary == on_holiday else None), False
    return (on_holiday, True) if is_holiday else (ordinary, False)


def _is_in(hours: Mapping[str, Any], moment: time) -> bool:
    return is_within(moment, time.fromisoformat(hours["from"]), time.fromisoformat(hours["to"]))


def judge_overrun(judgement: Judgement, log: Log) -> None:
    """A conversation that began in time and ran on into the forbidden hours."""
    for attempt in filter(judgement.concerns, log.attempts):
        if attempt.is_answered is False or log.has_consent(attempt, judgement.limits.get("consent")):
            continue
        if attempt.timezone is None:
            judgement.cannot_tell(attempt, "timezone")
            continue
        begin = local_time(attempt.started_at, attempt.timezone)
        if _is_in(judgement.limits, begin.time()) or not _is_close(judgement, begin):
            continue
        if attempt.talk_s is None:
            judgement.cannot_tell(attempt, "talk_s")
        elif _is_in(judgement.limits, _end(attempt, begin).time()):
            judgement.flag(
                attempt,
                local_time=begin.isoformat(timespec="minutes"),
                timezone=attempt.timezone,
                talk_s=attempt.talk_s,
            )


def _is_close(judgement: Judgement, begin: datetime) -> bool:
    """Tell whether a call of the ``longest_minutes`` that began at ``begin`` could reach the forbidden hours."""
    longest = timedelta(minutes=judgement.limits.get("longest_minutes", 60))
    return _is_in(judgement.limits, (begin + longest).time())


def _end(attempt: Attempt, begin: datetime) -> datetime:
    return begin + timedelta(seconds=attempt.talk_s or 0)
