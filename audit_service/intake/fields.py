"""Reads single fields: instants, seconds, time zones, choices. Nothing is guessed, least of all a time."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from audit_service import clock
from audit_service.intake.errors import FieldRefusedError

Choice = TypeVar("Choice", bound=StrEnum)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_LEAD = timedelta(days=1)
LONGEST_TALK_S = 24 * 3600.0
WRITE_OFFSET = "Write it as ISO 8601 with an offset, e.g. 2026-03-02T10:15:00+08:00, or add a column timezone."

# Year first; the day-first and month-first forms cannot be told apart and are refused.
_INSTANT = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})[T ]+"
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_DAY_OR_MONTH_FIRST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b.*")
_CLOCK_TIME = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})")


def plain(text: str, most: int = 200) -> str:
    """Return ``text`` stripped and in NFC.

    Raises:
        FieldRefusedError: it is longer than ``most`` characters or holds control characters.
    """
    value = unicodedata.normalize("NFC", text.strip())
    if len(value) > most:
        raise FieldRefusedError(f"is longer than {most} characters", remedy="Shorten it.")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise FieldRefusedError("holds control characters", remedy="Export the file as plain text again.")
    return value


def zone(text: str) -> str:
    """Return an IANA time zone.

    Raises:
        FieldRefusedError: there is no such zone.
    """
    name = plain(text, 64)
    if not clock.is_zone(name):
        remedy = "Write the IANA name, e.g. Asia/Shanghai or America/New_York."
        raise FieldRefusedError(f"{name!r} is not a time zone", remedy=remedy)
    return name


def instant(text: str, timezone: str = "") -> datetime:
    """Return an instant in UTC from a date and time, year first, with an offset or else in ``timezone``.

    Raises:
        FieldRefusedError: the text is no such time, is ambiguous, has neither offset nor zone, or lies in the future.
    """
    value = plain(text, 60)
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise _not_an_instant(value)
    year, _, month, day, hour, minute, second, fraction, offset = match.groups()
    microsecond = int((fraction or "0").ljust(6, "0"))
    try:
        naive = datetime(  # noqa: DTZ001 - the zone follows
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), microsecond
        )
        aware = _with_offset(naive, offset) if offset else _in_zone(naive, value, timezone)
        moment = clock.utc(aware)
    except (ValueError, OverflowError) as error:
        raise FieldRefusedError(f"{value!r} is not a time that exists", remedy=WRITE_OFFSET) from error
    if not EARLIEST <= moment <= clock.now() + LATEST_LEAD:
        raise FieldRefusedError(f"{value!r} lies in the future or before 2000", remedy="Correct the date.")
    return moment


def _not_an_instant(value: str) -> FieldRefusedError:
    if _DAY_OR_MONTH_FIRST.fullmatch(value):
        return FieldRefusedError(f"{value!r} does not tell day from month", remedy=WRITE_OFFSET)
    if re.fullmatch(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", value):
        return FieldRefusedError(f"{value!r} has no time of day", remedy=WRITE_OFFSET)
    return FieldRefusedError(f"{value!r} is not a date and time", remedy=WRITE_OFFSET)


def _with_offset(naive: datetime, offset: str) -> datetime:
    text = "+00:00" if offset.upper() == "Z" else offset
    return datetime.fromisoformat(naive.isoformat() + text)


def _in_zone(naive: datetime, value: str, timezone: str) -> datetime:
    if not timezone:
        raise FieldRefusedError(f"{value!r} has no offset from UTC and no time zone is given", remedy=WRITE_OFFSET)
    first, second = (naive.replace(tzinfo=ZoneInfo(timezone), fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        reason = f"{value!r} happens twice or not at all in {timezone}, where the clocks were changed"
        raise FieldRefusedError(reason, remedy="Write it with its offset, e.g. 2026-11-01T01:30:00-04:00.")
    return first


def seconds(text: str) -> float:
    """Return a length in seconds, from a number or ``h:mm:ss``.

    Raises:
        FieldRefusedError: it is neither, is below 0, or is longer than a day.
    """
    value = plain(text, 20)
    match = _CLOCK_TIME.fullmatch(value)
    try:
        length = _clock_seconds(match) if match else float(value)
    except ValueError as error:
        remedy = "Write seconds, e.g. 95, or h:mm:ss."
        raise FieldRefusedError(f"{value!r} is not a length in seconds", remedy=remedy) from error
    if not math.isfinite(length) or not 0 <= length <= LONGEST_TALK_S:
        raise FieldRefusedError(f"{value!r} is not between 0 and 86400 seconds", remedy="Correct the length.")
    return length


def _clock_seconds(match: re.Match[str]) -> float:
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return hours * 3600.0 + minutes * 60.0 + rest


def choice(text: str, kinds: type[Choice], synonyms: Mapping[str, Choice]) -> Choice:
    """Return the member of ``kinds`` that ``text`` names, by its value or a synonym.

    Raises:
        FieldRefusedError: it names none.
    """
    key = unicodedata.normalize("NFKC", plain(text, 60)).casefold().replace(" ", "_").replace("-", "_")
    if key in set(kinds):
        return kinds(key)
    if key in synonyms:
        return synonyms[key]
    raise FieldRefusedError(f"{text.strip()[:60]!r} is not known here", remedy=f"Use one of {', '.join(kinds)}.")
