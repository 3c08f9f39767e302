"""What a rule pack is once it is read: rules, their authorities, and the digest of what is normative in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from audit_service.detection.anchors import Count, Selection
from audit_service.detection.calendars import Calendar
from audit_service.detection.conditions import Node, ways
from audit_service.detection.matching import RuleException
from audit_service.detection.parts import Part
from audit_service.detection.severities import Severities, severities_of
from audit_service.detection.taxonomy import SIGNALS
from audit_service.detection.wordings import TrainedLayer

NORMATIVE_KEYS = (
    "id", "version", "status", "category", "kind", "severity", "authority", "in_force", "speaker", "recipient",
    "channels", "facts", "detect", "except", "replaces", "requires", "unknown_speaker",
)  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """What a rule rests on. ``clause`` is filled only where the number was checked against the text."""

    instrument: str
    title: Mapping[str, str]
    number: str
    weight: str
    clause: str | None
    in_force_from: date
    in_force_to: date | None


@dataclass(frozen=True)
class VerificationStep:
    """What counts as knowing whom one speaks with: the agent asked (None: unasked), the other side answered."""

    level: str
    asked: Node | None
    answered: Node


@dataclass(frozen=True)
class Detection:
    """What a rule looks for. Words: selections and condition; events: ``event`` and ``limits``; model: a score.

    Attributes:
        exceptions: words that make a match lawful.
        required: words that must stand by a match, each of them.
        part: the part of the call in which a match must lie.
        opening_confidence: an opening that was recognised less surely cannot be judged.
        least_level: the weakest step of ``verification`` that is enough; None: any.
    """

    selections: tuple[Selection, ...] = ()
    condition: Node | None = None
    condition_text: str = ""
    exceptions: tuple[RuleException, ...] = ()
    required: tuple[RuleException, ...] = ()
    part: Part | None = None
    event: str | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    opening_turns: int = 0
    opening_s: float = 0.0
    opening_confidence: float = 0.5
    verification: tuple[VerificationStep, ...] = ()
    least_level: str | None = None
    least_score: float = 1.0

    @cached_property
    def needed_names(self) -> tuple[frozenset[str], ...]:
        """Return sets of selections of words alone: unless all of one set are hit, the condition cannot hold."""
        others = {selection.key[1] for selection in self.selections if not selection.is_indexed}
        return tuple(frozenset[str]().union(*(near.names for near in way)) - others for way in ways(self.condition))

    @cached_property
    def is_open(self) -> bool:
        """Tell whether the condition can hold without any word being there."""
        return frozenset() in self.needed_names

    @cached_property
    def elaborate(self) -> tuple[Selection, ...]:
        """Return the selections that are more than a list of words."""
        return tuple(item for item in self.selections if not item.is_indexed or item.not_patterns or item.count)

    @cached_property
    def counts_over_call(self) -> dict[str, Count]:
        """Return how often selections must be met over a whole call, by name."""
        counts = {item.key[1]: item.count for item in self.selections if item.count is not None}
        return {name: count for name, count in counts.items() if count.per == "call"}


@dataclass(frozen=True)
class Rule:
    """One testable norm, as data.

    Attributes:
        owner: who answers for its text; somebody else approves it.
        digest: SHA-256 of all that decides what this rule flags and how grave that is.
    """

    id: str
    version: int
    status: str
    title: Mapping[str, str]
    explanation: Mapping[str, str]
    category: str
    kind: str
    severity: str
    severity_because: Mapping[str, str]
    authorities: tuple[Authority, ...]
    in_force_from: date
    in_force_to: date | None
    speakers: tuple[str, ...]
    recipient: str | None
    channels: tuple[str, ...]
    facts: Mapping[str, Any]
    detection: Detection
    review: Mapping[str, Mapping[str, str]]
    examples: Mapping[str, Sequence[Mapping[str, Any]]]
    file: Path
    line: int
    jurisdiction: str
    unknown_speaker: str = "flag"
    replaces: str | None = None
    owner: str = ""
    digest: str = ""
    replaced_by: tuple[Rule, ...] = ()

    @property
    def is_signal(self) -> bool:
        """Tell whether it raises a signal of the borrower's side and not a violation."""
        return self.category in SIGNALS

    def is_in_force(self, day: date | None) -> bool:
        """Tell whether the rule judges a contact of civil date ``day``; None (unknown): only if its range is open.

        A rule that another one replaces rests on the days on which that one is in force.
        """
        if self.status != "active" or any(other.is_in_force(day) for other in self.replaced_by):
            return False
        if day is None:
            return self.in_force_to is None
        return self.in_force_from <= day and (self.in_force_to is None or day <= self.in_force_to)


@dataclass(frozen=True)
class Pack:
    """A published, versioned set of rules of one jurisdiction.

    Attributes:
        model: the trained layer, if the pack has one.
        dissent_below: a finding made by words falls where the trained layer gives its category less than this score.
        calendars: the public holidays that its rules may name, by id.
        severities: points and fatality of the levels, and what a low score of the trained layer makes of them.
    """

    id: str
    version: str
    jurisdiction: str
    languages: tuple[str, ...]
    rules: tuple[Rule, ...]
    normative: Mapping[str, Any]
    folder: Path
    model: TrainedLayer | None = None
    dissent_below: float = 0.0
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    severities: Severities = field(default_factory=lambda: severities_of({}))

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 over all that decides what the pack flags, in canonical JSON."""
        return digest_of(self.normative)


def digest_of(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of ``value`` in canonical JSON."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def with_replacements(packs: Sequence[Pack]) -> tuple[Pack, ...]:
    """Return ``packs`` with each rule knowing those of its jurisdiction that replace it."""
    replacing: dict[tuple[str, str], list[Rule]] = {}
    for rule in (rule for pack in packs for rule in pack.rules):
        if rule.replaces is not None:
            replacing.setdefault((rule.jurisdiction, rule.replaces), []).append(rule)
    if not replacing:
        return tuple(packs)
    return tuple(
        replace(
            pack,
            rules=tuple(
                replace(rule, replaced_by=tuple(replacing.get((rule.jurisdiction, rule.id), ()))) for rule in pack.rules
            ),
        )
        for pack in packs
    )
