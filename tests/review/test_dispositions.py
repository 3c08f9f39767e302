"""What reviewers say of findings: two people dismiss a fatal one; rules are measured by what is said."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from audit_service.custody.models import Action, LedgerRow
from audit_service.database import Session
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.organizations.models import User
from audit_service.review.dispositions import SecondPersonNeededError, dispose
from audit_service.review.models import Finding, RuleStanding, Verdict
from audit_service.review.queries import PAGE_ROWS, FindingFilter, contact_page, findings_page
from audit_service.review.standings import rule_precisions, rules_under_review, wilson
from tests.factories import contacts, findings, organizations

OTHER_RULE = "cn.abuse_insult.insult"
FLOOR = 0.5


@pytest.fixture
def attempt(session: Session):
    lender = organizations.institution(session)
    return contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))


@pytest.fixture
def people(session: Session) -> tuple[User, User]:
    return organizations.user(session), organizations.user(session)


def verdicts(session: Session, finding: Finding) -> list[str]:
    session.expire(finding)
    return [one.verdict.value for one in finding.dispositions]


def test_a_fatal_finding_is_dismissed_by_two_different_people(session: Session, attempt, people) -> None:
    first, second = people
    finding = findings.finding(session, attempt, quote="", is_fatal=True)
    dispose(session, finding.id, "dismissed", user_id=first.id, reason="转述")
    assert verdicts(session, finding) == ["dismissal_proposed"]
    with pytest.raises(SecondPersonNeededError):
        dispose(session, finding.id, "dismissed", user_id=first.id, reason="再说一次")
    dispose(session, finding.id, "dismissed", user_id=second.id, reason="同意")
    assert verdicts(session, finding) == ["dismissal_proposed", "dismissed"]
    assert [one.reason for one in finding.dispositions] == ["转述", "同意"]
    logged = session.scalars(select(LedgerRow).where(LedgerRow.action == Action.DISPOSED)).all()
    assert [row.actor for row in logged] == [f"user:{first.id}", f"user:{second.id}"]


def test_a_proposal_falls_when_somebody_says_otherwise(session: Session, attempt, people) -> None:
    first, second = people
    finding = findings.finding(session, attempt, quote="", is_fatal=True)
    for verdict, person in (("dismissed", first), ("confirmed", second), ("dismissed", first)):
        dispose(session, finding.id, verdict, user_id=person.id, reason="理由")
    assert verdicts(session, finding) == ["dismissal_proposed", "confirmed", "dismissal_proposed"]


def test_one_person_dismisses_a_finding_that_is_not_fatal(session: Session, attempt, people) -> None:
    finding = findings.finding(session, attempt, quote="", is_fatal=False)
    dispose(session, finding.id, "dismissed", user_id=people[0].id, reason="否认")
    assert verdicts(session, finding) == ["dismissed"]


@pytest.mark.parametrize("verdict", ["dismissal_proposed", "nonsense", ""])
def test_only_the_three_outcomes_can_be_chosen(session: Session, attempt, people, verdict: str) -> None:
    finding = findings.finding(session, attempt, quote="")
    with pytest.raises(InputRefusedError):
        dispose(session, finding.id, verdict, user_id=people[0].id, reason="理由")
    with pytest.raises(NotFoundError):
        dispose(session, finding.id + 1000, "confirmed", user_id=people[0].id)


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [(0, 0, 0.0, 1.0), (8, 10, 0.490, 0.943), (0, 4, 0.0, 0.490), (4, 4, 0.510, 1.0), (50, 100, 0.404, 0.596)],
)
def test_the_interval_is_that_of_wilson(right: int, judged: int, low: float, high: float) -> None:
    assert wilson(right, judged) == pytest.approx((low, high), abs=0.001)


def test_the_last_outcome_of_each_finding_counts_for_its_rule_version(session: Session, attempt, people) -> None:
    first, second = people
    made = [findings.finding(session, attempt, quote="") for _ in range(6)]
    newer = findings.finding(session, attempt, quote="", rule_version=2)
    for finding, verdict in zip(made, ("confirmed", "confirmed", "dismissed", "needs_information"), strict=False):
        dispose(session, finding.id, verdict, user_id=first.id, reason="理由")
    dispose(session, made[0].id, "dismissed", user_id=second.id, reason="重听")
    made[4].is_fatal = True
    dispose(session, made[4].id, "dismissed", user_id=first.id, reason="理由")
    one, two = rule_precisions(session, FLOOR)
    assert (one.findings, one.confirmed, one.dismissed, one.needs_information) == (6, 1, 2, 1)
    assert (one.dismissal_proposed, one.unreviewed) == (1, 1)
    assert one.precision == pytest.approx(1 / 3)
    assert (one.low, one.high) == pytest.approx(wilson(1, 3))
    assert (two.rule_id, two.version, two.precision, two.unreviewed) == (newer.rule_id, 2, None, 1)
    standing = session.get_one(RuleStanding, (findings.RULE, 1))
    assert (standing.confirmed, standing.dismissed) == (1, 2)


def test_reviewed_findings_that_are_no_longer_current_still_count(session: Session, attempt, people) -> None:
    gone, silent = (findings.finding(session, attempt, quote="", is_current=False) for _ in range(2))
    dispose(session, gone.id, "confirmed", user_id=people[0].id)
    (one,) = rule_precisions(session, FLOOR)
    assert (one.findings, one.confirmed) == (1, 1)
    assert silent.is_current is False


def suspend(session: Session, attempt, person: User) -> list[Finding]:
    made = [findings.finding(session, attempt, quote="") for _ in range(4)]
    for finding in made:
        dispose(session, finding.id, "dismissed", user_id=person.id, reason="误检", floor=FLOOR)
    return made


def test_a_rule_surely_under_the_floor_is_under_review_and_can_rise_again(session: Session, attempt, people) -> None:
    made = suspend(session, attempt, people[0])
    assert rules_under_review(session, FLOOR) == {(findings.RULE, 1)}
    assert rules_under_review(session, 0.0) == frozenset()
    dispose(session, made[0].id, "confirmed", user_id=people[1].id, floor=FLOOR)
    assert rules_under_review(session, FLOOR) == frozenset()
    acts = session.scalars(select(LedgerRow.action).where(LedgerRow.object_kind == "rule").order_by(LedgerRow.seq))
    assert list(acts) == [Action.SUSPENDED, Action.REINSTATED]


def test_findings_of_a_rule_under_review_come_last_and_none_is_hidden(session: Session, attempt, people) -> None:
    older = [findings.finding(session, attempt, quote="", rule_id=OTHER_RULE) for _ in range(PAGE_ROWS + 3)]
    suspended = suspend(session, attempt, people[0])
    first = findings_page(session, FindingFilter(), FLOOR)
    assert [one.id for one in first.findings] == [one.id for one in reversed(older)][:PAGE_ROWS]
    assert first.is_next_under_review is False
    second = findings_page(session, FindingFilter(before_id=first.next_before), FLOOR)
    assert [one.id for one in second.findings] == [older[2].id, older[1].id, older[0].id] + [
        one.id for one in reversed(suspended)
    ]
    assert second.next_before is None
    assert second.under_review == {(findings.RULE, 1)}
    plain = findings_page(session, FindingFilter())
    assert plain.findings[0].id == suspended[-1].id
    page = contact_page(session, attempt.id, FLOOR)
    assert {one.rule_id for one in page.findings[-4:]} == {findings.RULE}
    assert len(page.findings) == len(older) + len(suspended)


@pytest.mark.parametrize("outside", [0, 1, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1])
def test_pages_through_rules_under_review_show_each_finding_once(session: Session, attempt, people, outside) -> None:
    suspend(session, attempt, people[0])
    for number in range(PAGE_ROWS + 2 + outside):
        rule = OTHER_RULE if number < outside else findings.RULE
        findings.finding(session, attempt, quote="", rule_id=rule)
    seen: list[int] = []
    wanted: FindingFilter | None = FindingFilter()
    while wanted is not None:
        page = findings_page(session, wanted, FLOOR)
        seen += [one.id for one in page.findings]
        going_on = FindingFilter(before_id=page.next_before, is_under_review=page.is_next_under_review)
        wanted = None if page.next_before is None else going_on
    everything = list(session.scalars(select(Finding.id)))
    assert sorted(seen) == sorted(everything)
    rules = [session.get_one(Finding, one).rule_id for one in seen]
    assert rules == [OTHER_RULE] * outside + [findings.RULE] * (len(everything) - outside)


def test_a_dismissal_that_waits_is_not_a_dismissal(session: Session, attempt, people) -> None:
    finding = findings.finding(session, attempt, quote="", is_fatal=True)
    dispose(session, finding.id, "dismissed", user_id=people[0].id, reason="理由")
    waiting = findings_page(session, FindingFilter(disposition=Verdict.DISMISSAL_PROPOSED.value))
    assert [one.id for one in waiting.findings] == [finding.id]
    assert findings_page(session, FindingFilter(disposition="dismissed")).findings == []
    assert session.get(RuleStanding, (finding.rule_id, 1)).dismissed == 0
