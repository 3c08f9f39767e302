"""Compare two versions of rule packs on the same conversations, before the new one is published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_service.detection.engine import Engine
from audit_service.detection.values import Conversation, FoundFinding


@dataclass(frozen=True)
class Comparison:
    """What the new packs add, what they remove, and how many findings stay as they were."""

    added: tuple[FoundFinding, ...]
    removed: tuple[FoundFinding, ...]
    unchanged: int


def compare(old: Engine, new: Engine, conversations: Iterable[Conversation]) -> Comparison:
    """Judge each conversation by both engines; a finding is the same if rule and place are the same."""
    added: list[FoundFinding] = []
    removed: list[FoundFinding] = []
    unchanged = 0
    for conversation in conversations:
        before = {_place(finding): finding for finding in old.scan(conversation).findings}
        after = {_place(finding): finding for finding in new.scan(conversation).findings}
        added += [finding for place, finding in after.items() if place not in before]
        removed += [finding for place, finding in before.items() if place not in after]
        unchanged += len(before.keys() & after.keys())
    return Comparison(tuple(added), tuple(removed), unchanged)


def _place(finding: FoundFinding) -> tuple[str, int | None, int, int]:
    return finding.rule_id, finding.turn, finding.start, finding.end
