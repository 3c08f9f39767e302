"""The contact log: borrowers registered from a document, attempts joined from several sources."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from audit_service.contacts import queries
from audit_service.contacts import services as contacts
from audit_service.contacts.errors import NumberRefusedError
from audit_service.contacts.models import (
    Account,
    Borrower,
    Channel,
    ContactAttempt,
    ContactPerson,
    Direction,
    Outcome,
    Recipient,
    Stage,
)
from audit_service.contacts.numbers import e164
from audit_service.contacts.values import AttemptRecord
from audit_service.database import Session
from audit_service.errors import NotFoundError
from audit_service.organizations import services as organizations
from audit_service.organizations.errors import RegistryRefusedError
from audit_service.organizations.queries import institution_by_code
from tests.intake.files import REGISTRY, registered

RECORD = AttemptRecord(
    institution="anxin",
    reference="call-1",
    borrower="B-1",
    agency="hengda",
    channel=Channel.CALL,
    started_at=datetime(2026, 3, 3, 6, 40, tzinfo=UTC),
)


def test_borrowers_accounts_and_contact_persons_are_registered_once(session: Session) -> None:
    registered(session)
    assert contacts.register(session, REGISTRY) == {"borrowers": 3, "accounts": 1, "contact_persons": 1}
    borrower = queries.borrower_by_reference(session, institution_by_code(session, "anxin"), "B-1")
    account = session.scalars(select(Account)).one()
    person = session.scalars(select(ContactPerson)).one()
    assert (borrower.name, borrower.phone, borrower.language) == ("王小明", "+8613900000001", "zh")
    assert (account.borrower_id, account.stage, account.currency) == (borrower.id, Stage.NEGOTIATION, "CNY")
    assert account.overdue_since_on == date(2026, 1, 20)
    assert (person.borrower_id, person.phone, person.is_related) == (borrower.id, "+8613900000099", False)
    assert session.scalar(select(func.count()).select_from(Borrower)) == 3


def test_two_institutions_may_use_the_same_reference(session: Session) -> None:
    registered(session)
    other = queries.borrower_by_reference(session, institution_by_code(session, "lakeside"), "B-1")
    assert (other.name, other.phone, other.language) == ("Dana Cole", "+13125550100", "en")


def test_registering_again_brings_facts_up_to_date(session: Session) -> None:
    registered(session)
    changed = copy.deepcopy(REGISTRY)
    changed["contact_persons"][0]["is_related"] = True
    changed["borrowers"][0]["name"] = "王小明（更名）"
    contacts.register(session, changed)
    assert session.scalars(select(ContactPerson.is_related)).all() == [True]
    assert "王小明（更名）" in session.scalars(select(Borrower.name)).all()


@pytest.mark.parametrize(
    ("path", "list_name", "field", "value"),
    [
        ("$.borrowers[1].institution", "borrowers", "institution", "nobody"),
        ("$.borrowers[1].reference", "borrowers", "reference", None),
        ("$.borrowers[1].phone", "borrowers", "phone", "call me"),
        ("$.borrowers[1].timezone", "borrowers", "timezone", "Peking"),
        ("$.borrowers[1].language", "borrowers", "language", "fr"),
        ("$.accounts[0].borrower", "accounts", "borrower", "B-404"),
        ("$.accounts[0].stage", "accounts", "stage", "late"),
        ("$.accounts[0].principal_minor", "accounts", "principal_minor", 12.5),
        ("$.accounts[0].overdue_since_on", "accounts", "overdue_since_on", "20/01/2026"),
        ("$.contact_persons[0].is_related", "contact_persons", "is_related", "yes"),
        ("$.contact_persons[0].name", "contact_persons", "name", 7),
    ],
)
def test_a_registry_at_fault_is_refused_with_the_path(
    session: Session, path: str, list_name: str, field: str, value: Any
) -> None:
    organizations.register(session, REGISTRY)
    spoilt = copy.deepcopy(REGISTRY)
    spoilt[list_name][-1 if list_name != "borrowers" else 1][field] = value
    with pytest.raises(RegistryRefusedError) as refusal:
        contacts.register(session, spoilt)
    assert [problem.field for problem in refusal.value.problems] == [path]
    assert path in str(refusal.value)
    session.rollback()


def test_an_account_cannot_pass_to_another_borrower(session: Session) -> None:
    registered(session)
    moved = copy.deepcopy(REGISTRY)
    moved["accounts"][0]["borrower"] = "B-2"
    with pytest.raises(RegistryRefusedError, match="another borrower"):
        contacts.register(session, moved)


def test_what_no_source_says_gets_the_value_that_means_so(session: Session) -> None:
    registered(session)
    made = contacts.record_attempt(session, RECORD)
    assert made.is_new
    assert made.attempt is not None
    assert (made.attempt.outcome, made.attempt.is_answered) == (Outcome.UNKNOWN, None)
    assert (made.attempt.direction, made.attempt.recipient) == (Direction.OUTBOUND, Recipient.BORROWER)
    assert (made.attempt.talk_s, made.attempt.agent_id, made.attempt.timezone) == (None, None, "Asia/Shanghai")


def test_later_facts_fill_gaps_and_contradictions_are_told_and_left_out(session: Session) -> None:
    registered(session)
    contacts.record_attempt(session, replace(RECORD, talk_s=60.0, agent="8860"))
    joined = contacts.record_attempt(
        session,
        replace(
            RECORD,
            started_at=RECORD.started_at + timedelta(minutes=5),
            outcome=Outcome.ANSWERED,
            account="L-100",
            talk_s=64.0,
            agent="7001",
            number="139****0001",
        ),
    )
    attempt = joined.attempt
    assert attempt is not None
    assert [problem.field for problem in joined.problems] == ["agent"]
    assert all(problem.reason and problem.remedy for problem in joined.problems)
    assert (attempt.outcome, attempt.talk_s, attempt.started_at) == (Outcome.ANSWERED, 60.0, RECORD.started_at)
    assert attempt.account_id is not None
    third = contacts.record_attempt(session, replace(RECORD, number="13900000001"))
    assert third.problems == ()
    assert session.scalar(select(func.count()).select_from(ContactAttempt)) == 1


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("started_at", {"started_at": RECORD.started_at + timedelta(minutes=5, seconds=1)}),
        ("started_at", {"started_at": RECORD.started_at - timedelta(minutes=6)}),
        ("borrower", {"borrower": "B-2"}),
        ("channel", {"channel": Channel.SMS}),
    ],
)
def test_a_record_of_another_contact_under_a_known_reference_is_refused(
    session: Session, field: str, changes: dict[str, Any]
) -> None:
    registered(session)
    first = contacts.record_attempt(session, RECORD).attempt
    second = contacts.record_attempt(session, replace(RECORD, talk_s=1.0, **changes))
    assert first is not None
    assert (second.attempt, [problem.field for problem in second.problems]) == (None, [field])
    assert first.talk_s is None


def test_records_of_one_batch_join_each_other(session: Session) -> None:
    registered(session)
    first, second = contacts.record_attempts(session, [RECORD, replace(RECORD, talk_s=5.0)])
    assert (first.is_new, second.is_new) == (True, False)
    assert first.attempt is second.attempt
    assert first.attempt is not None
    assert first.attempt.talk_s == 5.0


def test_the_same_reference_of_two_institutions_is_two_attempts(session: Session) -> None:
    registered(session)
    contacts.record_attempt(session, RECORD)
    other = contacts.record_attempt(session, replace(RECORD, institution="lakeside", agency="northfield"))
    assert other.is_new
    lender = institution_by_code(session, "lakeside")
    assert queries.attempt_by_reference(session, lender, "call-1") is other.attempt
    assert queries.attempt_by_reference(session, lender, "call-2") is None


@pytest.mark.parametrize(
    ("text", "jurisdiction", "expected"),
    [
        ("139 0000 0001", "cn", "+8613900000001"),
        ("＋８６ 13900000001", "cn", "+8613900000001"),
        ("010-6552 9988", "cn", "+861065529988"),
        ("(312) 555-0100", "us", "+13125550100"),
        ("95533", "cn", "95533"),
        ("139****0001", "cn", "139****0001"),
    ],
)
def test_numbers_are_kept_in_one_form(text: str, jurisdiction: str, expected: str) -> None:
    assert e164(text, jurisdiction) == expected


@pytest.mark.parametrize("text", ["", "abc", "12", "+86", "1" * 30, "****"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberRefusedError):
        e164(text, "cn")


def test_an_unknown_borrower_is_not_found(session: Session) -> None:
    registered(session)
    with pytest.raises(NotFoundError):
        queries.borrower_by_reference(session, institution_by_code(session, "anxin"), "B-404")
