"""What findings of event rules say beyond the rule: the list that was counted, the hour, what was asked for before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit_service.i18n import gettext, lazy_gettext

MINUTES_PER_HOUR = 60
LONGEST_LIST = 30
MISSING: Mapping[str, Any] = {
    "timezone": lazy_gettext("the time zone of the person contacted is not known"),
    "is_answered": lazy_gettext("the log does not say whether the call was answered"),
    "is_answered or talk_s": lazy_gettext("the log does not say whether the call was answered, or how long it was"),
    "talk_s": lazy_gettext("the log does not say how long the call was"),
    "outcome": lazy_gettext("the log does not say how the call ended"),
    "number": lazy_gettext("the log does not say which number was called"),
    "recipient": lazy_gettext("the log does not say whom the contact was meant for"),
    "contact_person": lazy_gettext("the log does not say which other person was contacted"),
    "is_related": lazy_gettext("it is not known whether the person is liable for the debt"),
    "attempts to reach the borrower": lazy_gettext("the log shows no call to the borrower that was answered before"),
    "recording": lazy_gettext("the call was answered and there is no recording: what was said cannot be checked"),
    "has_recording": lazy_gettext("the log does not say whether the call was recorded"),
    "agency": lazy_gettext("no agency is registered to compare with"),
    "channel": lazy_gettext("the channel is not known"),
    "opening": lazy_gettext("the opening of the call was not understood"),
}
_CALENDAR = "calendar of "


def missing_fact(code: str) -> str:
    """Say for lack of what a rule could not be judged."""
    if code.startswith(_CALENDAR):
        return str(gettext("the calendar of holidays does not cover %(year)s", year=code.removeprefix(_CALENDAR)))
    return str(MISSING.get(code, code))


def event_details(explanation: Mapping[str, Any], channels: Mapping[str, Any]) -> list[str]:
    """Return, sentence by sentence, what the explanation of an event rule's finding says; nothing for other rules."""
    details = []
    if "counted" in explanation:
        details.append(_counted(explanation))
    if "local_time" in explanation:
        at, zone = _minute(explanation["local_time"]), explanation["timezone"]
        details.append(gettext("Local time of the person contacted: %(at)s (%(zone)s).", at=at, zone=zone))
    if "holiday" in explanation:
        details.append(gettext("A public holiday: %(day)s.", day=explanation["holiday"]))
    if "conversation_day" in explanation:
        details.append(gettext("There was a conversation on %(day)s.", day=explanation["conversation_day"]))
    if "asked_at" in explanation:
        at = _minute(explanation["asked_at"])
        details.append(
            gettext("Asked on %(at)s not to be contacted so (%(scope)s).", at=at, scope=_scope(explanation, channels))
        )
    if "complained_at" in explanation:
        at = _minute(explanation["complained_at"])
        details.append(gettext("A complaint filed on %(at)s was waiting for its answer.", at=at))
    return details


def _counted(explanation: Mapping[str, Any]) -> str:
    listed = explanation["counted"][-LONGEST_LIST:]
    return str(
        gettext(
            "Counted %(count)s, at most %(max)s in %(window)s: %(contacts)s.",
            count=explanation["count"],
            max=explanation["max"],
            window=_window(explanation),
            contacts=" · ".join(f"{_minute(one['at'])} #{one['id']}" for one in listed),
        )
    )


def _window(explanation: Mapping[str, Any]) -> str:
    if "days" in explanation:
        return str(gettext("%(number)s calendar days", number=explanation["days"]))
    minutes = explanation.get("minutes")
    if minutes is None:
        return str(gettext("all time"))
    if minutes % MINUTES_PER_HOUR == 0:
        return str(gettext("any %(number)s hours", number=minutes // MINUTES_PER_HOUR))
    return str(gettext("any %(number)s minutes", number=minutes))


def _scope(explanation: Mapping[str, Any], channels: Mapping[str, Any]) -> str:
    kind, _, hours = str(explanation["scope"]).partition(" ")
    named = {
        "all": gettext("at all"),
        "work": gettext("at work"),
        "represented": gettext("a lawyer acts"),
        "night": gettext("at night"),
        "hours": gettext("between %(hours)s", hours=hours),
    }
    channel = explanation.get("asked_channel")
    scope = str(named.get(kind, kind))
    if channel is None:
        return scope
    return str(gettext("%(scope)s, by %(channel)s", scope=scope, channel=channels.get(channel, channel)))


def _minute(instant: str) -> str:
    return instant[:16].replace("T", " ")
