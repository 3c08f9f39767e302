"""Compare two versions of rule packs on the same contacts, before the new one is published."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from audit_service.detection.contact_log import Log
from audit_service.detection.engine import AT_ONCE, Engine
from audit_service.detection.rules import Pack
from audit_service.detection.values import Conversation, FoundFinding

Place = tuple[str, str, int | None, int, int]


@dataclass(frozen=True)
class Comparison:
    """What the new packs add, what they remove, and what stays as it was."""

    added: tuple[FoundFinding, ...] = ()
    removed: tuple[FoundFinding, ...] = ()
    unchanged: tuple[FoundFinding, ...] = ()

    def with_others(self, other: Comparison) -> Comparison:
        """Return both comparisons as one."""
        return Comparison(self.added + other.added, self.removed + other.removed, self.unchanged + other.unchanged)

    def of_rule(self, rule_id: str) -> Comparison:
        """Return what concerns one rule."""
        return Comparison(
            *(
                tuple(finding for finding in findings if finding.rule_id == rule_id)
                for findings in (self.added, self.removed, self.unchanged)
            )
        )


def with_drafts(packs: Sequence[Pack]) -> tuple[Pack, ...]:
    """Return ``packs`` with their draft rules active, as if they were published."""
    return tuple(
        replace(
            pack,
            rules=tuple(replace(rule, status="active") if rule.status == "draft" else rule for rule in pack.rules),
        )
        for pack in packs
    )


def compare(old: Engine, new: Engine, conversations: Iterable[Conversation]) -> Comparison:
    """Judge each conversation by both engines; a finding is the same if rule and place are the same."""
    return _compared(
        (before.findings, after.findings)
        for some in _batches(conversations)
        for before, after in zip(old.scan_many(some), new.scan_many(some), strict=True)
    )


def compare_logs(old: Engine, new: Engine, logs: Iterable[tuple[Log, Collection[str]]]) -> Comparison:
    """Judge contact logs by the event rules of both engines.

    Each log comes with the ids of the attempts whose findings count; the others are only looked back on.
    """

    def found(engine: Engine, log: Log, wanted: Collection[str]) -> list[FoundFinding]:
        result = engine.scan_log(log.attempts, log.cease_requests, log.consents)
        return [finding for finding in result.findings if finding.subject in wanted]

    return _compared((found(old, log, wanted), found(new, log, wanted)) for log, wanted in logs)


def _compared(judged: Iterable[tuple[Sequence[FoundFinding], Sequence[FoundFinding]]]) -> Comparison:
    added: list[FoundFinding] = []
    removed: list[FoundFinding] = []
    unchanged: list[FoundFinding] = []
    for before, after in judged:
        former, now = {_place(finding) for finding in before}, {_place(finding) for finding in after}
        for finding in after:
            (unchanged if _place(finding) in former else added).append(finding)
        removed += [finding for finding in before if _place(finding) not in now]
    return Comparison(tuple(added), tuple(removed), tuple(unchanged))


def _batches(conversations: Iterable[Conversation]) -> Iterator[list[Conversation]]:
    remaining = iter(conversations)
    while some := list(itertools.islice(remaining, AT_ONCE)):
        yield some


def _place(finding: FoundFinding) -> Place:
    return finding.rule_id, finding.subject, finding.turn, finding.start, finding.end
