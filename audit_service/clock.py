"""The only place that reads the wall clock, and the conversions between instants and civil time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones


def now() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)


def utc(instant: datetime) -> datetime:
    """Return ``instant`` in UTC; a naive datetime has no zone to convert from and is refused.

    Raises:
        ValueError: ``instant`` carries no offset.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)


def local(instant: datetime, timezone: str) -> datetime:
    """Return ``instant`` as civil time in the IANA zone ``timezone`` (e.g. ``Asia/Shanghai``)."""
    return utc(instant).astimezone(ZoneInfo(timezone))


def is_zone(name: str) -> bool:
    """Tell whether ``name`` is a known IANA time zone."""
    return name in available_timezones()
