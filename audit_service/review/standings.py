"""How right each rule version is, from what reviewers say of its findings; and which versions are under review.

A version whose precision lies under the floor even at the upper end of its interval is under review: its findings are
marked and come last. Nothing is hidden. With the floor at 0.5 that takes at least four dismissals and no confirmation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import SYSTEM, Act
from audit_service.review.models import Disposition, Finding, PackVersion, RuleStanding, RuleVersion, Verdict

Z_95 = 1.96
RuleKey = tuple[str, int]


@dataclass(frozen=True)
class RulePrecision:
    """Counts over the findings of one rule version that are current or were reviewed; None: nobody decided yet."""

    rule_id: str
    version: int
    title: Mapping[str, str]
    author: str
    approver: str
    findings: int
    confirmed: int
    dismissed: int
    dismissal_proposed: int
    needs_information: int
    precision: float | None
    low: float
    high: float
    is_under_review: bool

    @property
    def unreviewed(self) -> int:
        """Return of how many findings nobody said anything."""
        said = self.confirmed + self.dismissed + self.dismissal_proposed + self.needs_information
        return self.findings - said


def wilson(right: int, judged: int) -> tuple[float, float]:
    """Return the interval in which a share of ``right`` of ``judged`` lies with 95 % confidence (Wilson 1927)."""
    if judged == 0:
        return 0.0, 1.0
    square = Z_95**2
    middle = (right + square / 2) / (judged + square)
    half = Z_95 * math.sqrt(right * (judged - right) / judged + square / 4) / (judged + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def count_verdict(session: Session, finding: Finding, before: Verdict | None, now: Verdict, floor: float) -> None:
    """Count a new outcome on a finding; a version that falls under the floor, or rises again, is in the ledger."""
    known = session.get(RuleStanding, (finding.rule_id, finding.rule_version))
    upper_before = 1.0 if known is None else known.upper
    confirmed, dismissed = _added(session, finding, before, now)
    upper = wilson(confirmed, confirmed + dismissed)[1]
    standing = session.get_one(RuleStanding, (finding.rule_id, finding.rule_version), populate_existing=True)
    standing.upper = upper
    if (upper_before < floor) != (upper < floor):
        action = Action.SUSPENDED if upper < floor else Action.REINSTATED
        detail: dict[str, str | int | bool] = {
            "version": finding.rule_version,
            "confirmed": confirmed,
            "dismissed": dismissed,
            "upper": f"{upper:.3f}",
            "floor": f"{floor:.3f}",
        }
        custody.record(session, Act(action, "rule", finding.rule_id[:100], actor=SYSTEM, detail=detail))


def _added(session: Session, finding: Finding, before: Verdict | None, now: Verdict) -> tuple[int, int]:
    """Add to the counts in one statement, so that two reviewers at once are both counted; return the new counts."""
    confirmed = int(now is Verdict.CONFIRMED) - int(before is Verdict.CONFIRMED)
    dismissed = int(now is Verdict.DISMISSED) - int(before is Verdict.DISMISSED)
    statement = insert(RuleStanding).values(
        rule_id=finding.rule_id,
        rule_version=finding.rule_version,
        confirmed=max(0, confirmed),
        dismissed=max(0, dismissed),
        upper=1.0,
    )
    statement = statement.on_conflict_do_update(
        index_elements=[RuleStanding.rule_id, RuleStanding.rule_version],
        set_={"confirmed": RuleStanding.confirmed + confirmed, "dismissed": RuleStanding.dismissed + dismissed},
    )
    row = session.execute(statement.returning(RuleStanding.confirmed, RuleStanding.dismissed)).one()
    return row[0], row[1]


def rules_under_review(session: Session, floor: float) -> frozenset[RuleKey]:
    """Return the rule versions whose findings are marked and come last."""
    query = select(RuleStanding.rule_id, RuleStanding.rule_version).where(RuleStanding.upper < floor)
    return frozenset((rule_id, version) for rule_id, version in session.execute(query))


def rule_precisions(session: Session, floor: float) -> list[RulePrecision]:
    """Return every rule version that has findings, those under review first, then by rule."""
    counts: dict[RuleKey, dict[Verdict | None, int]] = {}
    newest: dict[RuleKey, int] = {}
    for rule_id, version, verdict, pack_version, number in session.execute(_counted()):
        counts.setdefault((rule_id, version), {})[verdict] = number
        newest[rule_id, version] = max(pack_version, newest.get((rule_id, version), 0))
    packs = {pack.id: pack for pack in session.scalars(select(PackVersion).where(PackVersion.id.in_(newest.values())))}
    people = _people(session, list(counts))
    made = [_precision(key, counts[key], packs[newest[key]], people.get(key, ("", "")), floor) for key in counts]
    return sorted(made, key=lambda one: (not one.is_under_review, one.rule_id, one.version))


def _counted() -> Select[str, int, Verdict, int, int]:
    last = (
        select(Disposition.finding_id, Disposition.verdict)
        .ext(distinct_on(Disposition.finding_id))
        .order_by(Disposition.finding_id, Disposition.id.desc())
        .subquery()
    )
    return (
        select(Finding.rule_id, Finding.rule_version, last.c.verdict, func.max(Finding.pack_version_id), func.count())
        .outerjoin(last, last.c.finding_id == Finding.id)
        .where(or_(Finding.is_current, last.c.verdict.is_not(None)))
        .group_by(Finding.rule_id, Finding.rule_version, last.c.verdict)
    )


def _people(session: Session, keys: Sequence[RuleKey]) -> dict[RuleKey, tuple[str, str]]:
    """Return author and approver of the published ones among the rule versions."""
    query = (
        select(RuleVersion.rule_id, RuleVersion.version, RuleVersion.author, PackVersion.approver)
        .join(PackVersion, PackVersion.id == RuleVersion.pack_version_id)
        .where(RuleVersion.rule_id.in_({rule_id for rule_id, _ in keys}))
    )
    return {(rule_id, version): (author, approver) for rule_id, version, author, approver in session.execute(query)}


def _precision(
    key: RuleKey, counts: Mapping[Verdict | None, int], pack: PackVersion, people: tuple[str, str], floor: float
) -> RulePrecision:
    confirmed, dismissed = counts.get(Verdict.CONFIRMED, 0), counts.get(Verdict.DISMISSED, 0)
    low, high = wilson(confirmed, confirmed + dismissed)
    return RulePrecision(
        rule_id=key[0],
        version=key[1],
        title=pack.rules.get(key[0], {}).get("title", {}),
        author=people[0],
        approver=people[1],
        findings=sum(counts.values()),
        confirmed=confirmed,
        dismissed=dismissed,
        dismissal_proposed=counts.get(Verdict.DISMISSAL_PROPOSED, 0),
        needs_information=counts.get(Verdict.NEEDS_INFORMATION, 0),
        precision=confirmed / (confirmed + dismissed) if confirmed + dismissed else None,
        low=low,
        high=high,
        is_under_review=high < floor,
    )
