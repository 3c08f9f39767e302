"""What a narrative alleges and asks for, by the borrower's own words; a suggestion for the officer.

Pure: text in, values out. The words are data (``triage.yaml``). A match that a denial stands before does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("triage.yaml")
FIRST_SCORE, MORE_SCORE, TOP_SCORE = 0.7, 0.1, 0.95
DENIAL = re.compile(
    r"(?:没有|没|并未|从未|不是说|未曾|(?:did|was|were|do|does)(?:n['’]t| not)|never)[^，。,.;；]{0,4}$", re.IGNORECASE
)
URGENT, NORMAL = "urgent", "normal"


@dataclass(frozen=True)
class AllegedCategory:
    """One alleged category, how sure, and the words that led to it (characters of the narrative)."""

    category: str
    score: float
    quote: str
    start: int
    end: int


@dataclass(frozen=True)
class Entities:
    """Names, numbers and times that a narrative mentions, as written."""

    dates: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    staff_numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Triage:
    """What a narrative alleges, asks for and mentions; ``urgency`` is ``urgent`` where a life may be at stake."""

    categories: tuple[AllegedCategory, ...]
    requests: tuple[str, ...]
    urgency: str
    entities: Entities = field(default_factory=Entities)


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Any]:
    document = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {
        "categories": {name: _compiled(patterns) for name, patterns in document["categories"].items()},
        "requests": {name: _compiled(patterns) for name, patterns in document["requests"].items()},
        "urgent": _compiled(document["urgent"]),
        "entities": {name: _compiled(patterns) for name, patterns in document["entities"].items()},
    }


def _compiled(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def triage(narrative: str) -> Triage:
    """Return what ``narrative`` alleges and asks for, in Chinese and English alike, because people mix them."""
    words = _words()
    categories = [
        found for name, pattern in words["categories"].items() if (found := _alleged(name, pattern, narrative))
    ]
    requests = [name for name, pattern in words["requests"].items() if pattern.search(narrative)]
    entities = {name: _mentioned(pattern, narrative) for name, pattern in words["entities"].items()}
    return Triage(
        categories=tuple(sorted(categories, key=lambda found: (found.start, found.category))),
        requests=tuple(requests),
        urgency=URGENT if next(_undenied(words["urgent"], narrative), None) else NORMAL,
        entities=Entities(**entities),
    )


def _undenied(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    return (match for match in pattern.finditer(text) if not DENIAL.search(text[: match.start()]))


def _alleged(category: str, pattern: re.Pattern[str], text: str) -> AllegedCategory | None:
    matches = list(_undenied(pattern, text))
    if not matches:
        return None
    longest = max(matches, key=lambda match: (match.end() - match.start(), -match.start()))
    score = min(TOP_SCORE, FIRST_SCORE + MORE_SCORE * (len(matches) - 1))
    return AllegedCategory(category, round(score, 2), longest.group(), longest.start(), longest.end())


def _mentioned(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    """Return the distinct mentions in order; a pattern's first group, where it has one, is the mention."""
    found = (next((group for group in match.groups() if group), match.group()) for match in pattern.finditer(text))
    return tuple(dict.fromkeys(mention.strip() for mention in found))
