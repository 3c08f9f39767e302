"""Calendars of public holidays: data of a pack, each year with its source; a year that is not there is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from audit_service.detection.errors import RulePackError
from audit_service.detection.marked_yaml import MarkedYaml, Route


@dataclass(frozen=True)
class Calendar:
    """The holidays of the years that the calendar covers."""

    id: str
    years: frozenset[int]
    holidays: frozenset[date]

    def is_holiday(self, day: date) -> bool | None:
        """Tell whether ``day`` is a holiday; None if its year is not covered."""
        return day in self.holidays if day.year in self.years else None


def calendars_of(source: MarkedYaml) -> dict[str, Calendar]:
    """Return the calendars of a pack's file, by id.

    Raises:
        RulePackError: a year stands twice, or a day is no date of its year.
    """
    return {name: _calendar(source, name, value) for name, value in source.value["calendars"].items()}


def _calendar(source: MarkedYaml, name: str, value: Mapping[str, Any]) -> Calendar:
    years: set[int] = set()
    days: set[date] = set()
    for number, covered in enumerate(value["years"]):
        route: Route = ("calendars", name, "years", number)
        if covered["year"] in years:
            raise RulePackError(source.file, source.place(route)[0], f"the year {covered['year']} stands twice")
        years.add(covered["year"])
        for index, holiday in enumerate(covered["holidays"]):
            line = source.place((*route, "holidays", index))[0]
            try:
                stretch = list(_days(holiday))
            except ValueError as error:
                raise RulePackError(source.file, line, f"not a date: {error}") from error
            if not stretch or any(day.year != covered["year"] for day in stretch):
                raise RulePackError(source.file, line, f"not a stretch of days in {covered['year']}")
            days.update(stretch)
    return Calendar(name, frozenset(years), frozenset(days))


def _days(holiday: Mapping[str, Any]) -> Iterator[date]:
    first = date.fromisoformat(holiday["from"])
    last = date.fromisoformat(holiday.get("to", holiday["from"]))
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
