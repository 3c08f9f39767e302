"""How grave findings are: the table of a pack. A severity comes from a rule and this table, from nobody else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SEVERITIES_FILE = "severities.yaml"
LEVELS = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Level:
    """What a level counts in scores, and whether one finding of it decides alone (``is_fatal``)."""

    points: int
    is_fatal: bool


@dataclass(frozen=True)
class Band:
    """What becomes of a level where the trained layer proposes a finding with less than ``least_score``."""

    least_score: float
    otherwise: str
    needs_listening: bool


@dataclass(frozen=True)
class Grade:
    """The severity of one finding."""

    level: str
    points: int
    is_fatal: bool
    needs_listening: bool = False


@dataclass(frozen=True)
class Severities:
    """The table: levels from the gravest to the least, and the bands for findings of the trained layer."""

    levels: Mapping[str, Level]
    bands: Mapping[str, Band]

    def grade(self, level: str, proposed: float | None = None) -> Grade:
        """Return the severity of a finding of a rule of ``level``; ``proposed``: the trained layer's score of it."""
        band = self.bands.get(level)
        is_low = proposed is not None and band is not None and proposed < band.least_score
        name, needs_listening = (
            (band.otherwise, band.needs_listening) if is_low and band is not None else (level, False)
        )
        row = self.levels[name]
        return Grade(name, row.points, row.is_fatal, needs_listening)


PLAIN_LEVELS: Mapping[str, Mapping[str, Any]] = {
    "critical": {"points": 10, "fatal": True},
    "high": {"points": 5, "fatal": False},
    "medium": {"points": 2, "fatal": False},
    "low": {"points": 1, "fatal": False},
}


def severities_of(value: Mapping[str, Any]) -> Severities:
    """Return the table that the file says; a pack without one has the plain levels and no bands."""
    levels = value.get("levels", PLAIN_LEVELS)
    return Severities(
        levels={name: Level(levels[name]["points"], levels[name]["fatal"]) for name in LEVELS},
        bands={
            name: Band(band["least_score"], band["else"], band["needs_listening"])
            for name, band in value.get("model", {}).items()
        },
    )


def wrong_severities(value: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what in a table of the right form makes no sense, and where: a graver level counts less, a band raises."""
    levels = value["levels"]
    for graver, lesser in itertools.pairwise(LEVELS):
        if levels[graver]["points"] < levels[lesser]["points"]:
            yield ("levels", graver, "points"), f"{graver} counts less than {lesser}"
        if levels[lesser]["fatal"] and not levels[graver]["fatal"]:
            yield ("levels", lesser, "fatal"), f"{lesser} is fatal and {graver} is not"
    for name, band in value.get("model", {}).items():
        if LEVELS.index(band["else"]) < LEVELS.index(name):
            yield ("model", name, "else"), f"a low score cannot make {name} graver"
        if band["else"] == name and not band["needs_listening"]:
            yield ("model", name), "the band changes nothing"
