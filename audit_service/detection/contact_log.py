"""What the event rules read, and what they say: the contact log and the judgement of one rule on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from audit_service.detection.calendars import Calendar
from audit_service.detection.civil_time import local_day, local_time
from audit_service.detection.rules import Rule
from audit_service.detection.values import Attempt, CeaseRequest, Complaint, Consent, FoundFinding, Undetermined


@dataclass(frozen=True)
class Log:
    """The attempts in order of time, with what was asked for, agreed to and complained of."""

    attempts: tuple[Attempt, ...]
    cease_requests: tuple[CeaseRequest, ...] = ()
    consents: tuple[Consent, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)

    def has_consent(self, attempt: Attempt, kind: str | None) -> bool:
        """Tell whether the borrower had agreed to ``kind`` of contact when the attempt was made."""
        return any(
            consent.kind == kind and consent.borrower_id == attempt.borrower_id and consent.covers(attempt.started_at)
            for consent in self.consents
        )


@dataclass
class Judgement:
    """Collects what a judge of one rule says of the attempts."""

    rule: Rule
    findings: list[FoundFinding] = field(default_factory=list)
    undetermined: list[Undetermined] = field(default_factory=list)

    @property
    def limits(self) -> Mapping[str, Any]:
        """Return the limits of the rule."""
        return self.rule.detection.limits

    def concerns(self, attempt: Attempt) -> bool:
        """Tell whether the rule judges this attempt: outbound, of its jurisdiction, channel and date."""
        channels = self.limits.get("channels")
        jurisdiction = self.rule.jurisdiction
        return (
            attempt.direction == "outbound"
            and attempt.jurisdiction in {"", jurisdiction}
            and (channels is None or attempt.channel in channels)
            and self.rule.is_in_force(local_day(attempt.started_at, attempt.timezone))
        )

    def dated(self, attempts: Iterable[Attempt]) -> list[tuple[date, Attempt]]:
        """Return the attempts with their civil days; one without a time zone cannot be judged."""
        dated = []
        for attempt in attempts:
            if attempt.timezone is None:
                self.cannot_tell(attempt, "timezone")
            else:
                dated.append((local_day(attempt.started_at, attempt.timezone), attempt))
        return dated

    def flag(self, attempt: Attempt, related: Iterable[Attempt | str] = (), **facts: Any) -> None:
        """Note that ``attempt`` breaks the rule, with the attempts (or their ids) that show it."""
        self.findings.append(
            FoundFinding(
                rule_id=self.rule.id,
                rule_version=self.rule.version,
                category=self.rule.category,
                kind="violation",
                severity=self.rule.severity,
                subject=attempt.id,
                turn=None,
                speaker="agent",
                start=0,
                end=0,
                start_s=None,
                end_s=None,
                quote="",
                score=1.0,
                plane="metadata",
                edits=0,
                explanation={"event": self.rule.detection.event, **facts, **self.rule.facts},
                related=tuple(other if isinstance(other, str) else other.id for other in related),
            )
        )

    def cannot_tell(self, attempt: Attempt, missing: str) -> None:
        """Note that a fact is missing to judge ``attempt``."""
        self.undetermined.append(Undetermined(self.rule.id, attempt.id, missing))


def unknown_person(attempt: Attempt) -> str:
    """Return what the log does not say about who was contacted; empty if it says enough."""
    if attempt.contact_person_id is not None:
        return ""
    if attempt.recipient is None:
        return "recipient"
    return "contact_person" if attempt.is_unnamed else ""


def is_effective(attempt: Attempt, least_s: float) -> bool | None:
    """Tell whether a call became a conversation: answered, and long enough; None if the log does not say."""
    if attempt.is_answered is False:
        return False
    if attempt.is_answered is None or attempt.talk_s is None:
        return None
    return attempt.talk_s >= least_s


def as_seen(instant: datetime, attempt: Attempt) -> str:
    """Return an instant in the civil time of the person contacted, as an explanation prints it; UTC if unknown."""
    local = instant if attempt.timezone is None else local_time(instant, attempt.timezone)
    return local.isoformat(timespec="minutes")


def shown(attempt: Attempt) -> dict[str, str]:
    """Return what an explanation prints of a counted attempt: when, by what channel, by which agency."""
    return {
        "id": attempt.id,
        "at": as_seen(attempt.started_at, attempt),
        "channel": attempt.channel,
        "agency": attempt.agency_id,
    }
