"""Civil time of the person contacted: hours of the day, days, and windows of days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_time(instant: datetime, timezone: str) -> datetime:
    """Return the civil time of ``instant`` in the IANA zone ``timezone``; daylight saving is the zone's own.

    Raises:
        ValueError, zoneinfo.ZoneInfoNotFoundError: the name is no zone.
    """
    return instant.astimezone(_zone(timezone))


def local_day(instant: datetime, timezone: str | None) -> date:
    """Return the civil date of ``instant``; in its own offset where the zone is not known."""
    return (instant if timezone is None else local_time(instant, timezone)).date()


def is_within(moment: time, begin: time, end: time) -> bool:
    """Tell whether ``moment`` lies in the half-open stretch [begin, end), which may pass midnight."""
    if begin <= end:
        return begin <= moment < end
    return moment >= begin or moment < end


def days_before(day: date, count: int) -> date:
    """Return the first day of the window of ``count`` days that ends with ``day``."""
    return day - timedelta(days=count - 1)
