"""Statutory limits of complaints, read from ``clocks.yaml``: data with dates in force, no code for a country."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

TABLE = Path(__file__).with_name("clocks.yaml")


@dataclass(frozen=True)
class StatutoryLimit:
    """A number of natural days within which something must be done, since a date, on a basis."""

    kind: str
    days: int
    basis: str
    from_on: date

    def due_at(self, received_at: datetime, timezone: str) -> datetime:
        """Return the last instant of the last day, UTC; the day of receipt is not counted."""
        zone = ZoneInfo(timezone)
        last_day = received_at.astimezone(zone).date() + timedelta(days=self.days)
        return datetime.combine(last_day, time(23, 59, 59), zone).astimezone(UTC)


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[StatutoryLimit, ...]]:
    document = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {
        jurisdiction: tuple(StatutoryLimit(row["kind"], row["days"], row["basis"], row["from"]) for row in rows)
        for jurisdiction, rows in document.items()
    }


def limits_in_force(jurisdiction: str, on: date) -> tuple[StatutoryLimit, ...]:
    """Return the limits of a jurisdiction for a complaint received on a civil date."""
    return tuple(limit for limit in _table().get(jurisdiction, ()) if limit.from_on <= on)
