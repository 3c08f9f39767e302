"""Detection runs on stored contacts: what is kept, what is added, what is no longer current."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from audit_service import clock
from audit_service.contacts.models import CeaseRequest, Outcome, Recipient
from audit_service.custody.models import Action, LedgerRow
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.detection import Engine, load_packs
from audit_service.errors import NotFoundError
from audit_service.queue import waiting_jobs
from audit_service.review import running
from audit_service.review.models import DetectionRun, Disposition, Finding, FindingKind, PackVersion, Verdict
from audit_service.settings import ROOT
from tests.factories import contacts, findings, organizations

THREAT = "今天不还钱，法警马上到你家抓人。"


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(load_packs((ROOT / "rules" / "cn", ROOT / "rules" / "us")))


@pytest.fixture
def world(session: Session):
    lender = organizations.institution(session)
    agency = organizations.agency(session, lender)
    return agency, contacts.borrower(session, lender)


def current(session: Session) -> list[Finding]:
    return list(session.scalars(select(Finding).where(Finding.is_current).order_by(Finding.id)))


def test_a_threat_in_a_transcript_is_found_at_its_words_and_seconds(
    session: Session, vault: Vault, engine: Engine, world
) -> None:
    agency, borrower = world
    recording = contacts.recording(session, vault, contacts.attempt(session, borrower, agency))
    findings.transcript(
        session,
        recording,
        [("agent", 0.5, 3.0, "您好，我是安信消费金融的客服，工号三零二五。"), ("agent", 4.0, 8.0, THREAT)],
    )
    running.run_transcript(session, engine, recording.id)
    [threat] = [found for found in current(session) if found.category == "threat_unlawful_action"]
    assert threat.segment is not None
    assert threat.segment.text[threat.start_offset : threat.end_offset] == threat.quote
    assert 4.0 <= threat.start_s <= threat.end_s <= 8.0
    assert threat.pack_version.rules[threat.rule_id]["title"]["zh"]


def test_running_again_keeps_the_same_rows_and_their_dispositions(session: Session, engine: Engine, world) -> None:
    agency, borrower = world
    message = contacts.message(session, borrower, agency, THREAT)
    first = running.run_messages(session, engine, message.id, message.id)
    ids = [found.id for found in current(session)]
    second = running.run_messages(session, engine, message.id, message.id)
    assert first.new == len(ids) > 0
    assert (second.new, second.kept, second.gone) == (0, len(ids), 0)
    assert [found.id for found in current(session)] == ids


def test_a_finding_that_is_no_longer_made_stays_on_record(session: Session, engine: Engine, world) -> None:
    agency, borrower = world
    message = contacts.message(session, borrower, agency, THREAT)
    running.run_messages(session, engine, message.id, message.id)
    message.text = "您好，提醒您本月账单已出。"
    session.flush()
    summary = running.run_messages(session, engine, message.id, message.id)
    assert summary.gone > 0
    assert current(session) == []
    assert session.scalars(select(Finding)).all() != []


def test_only_the_latest_run_of_a_subject_is_current(session: Session, engine: Engine, world) -> None:
    agency, borrower = world
    message = contacts.message(session, borrower, agency, THREAT)
    for _ in range(3):
        running.run_messages(session, engine, message.id, message.id)
    runs = session.scalars(select(DetectionRun).order_by(DetectionRun.id)).all()
    assert [run.is_current for run in runs] == [False, False, True]


def test_packs_are_stored_once_and_flags_enter_the_ledger(session: Session, engine: Engine, world) -> None:
    agency, borrower = world
    for _ in range(2):
        message = contacts.message(session, borrower, agency, THREAT)
        running.run_messages(session, engine, message.id, message.id)
    assert len(session.scalars(select(PackVersion)).all()) == len(engine.packs)
    flagged = session.scalars(select(LedgerRow).where(LedgerRow.action == Action.FLAGGED)).all()
    assert len(flagged) == 2
    assert THREAT not in "".join(row.canonical for row in flagged)


def test_a_night_call_and_too_many_conversations_are_found_in_the_contact_log(
    session: Session, engine: Engine, world
) -> None:
    agency, borrower = world
    night = contacts.attempt(session, borrower, agency, started_at=contacts.NOON + timedelta(hours=10, minutes=30))
    for hour in range(4):
        contacts.attempt(session, borrower, agency, started_at=contacts.NOON + timedelta(hours=hour))
    running.run_contact_log(session, engine, borrower.id)
    by_category = {found.category: found for found in current(session)}
    assert by_category["outside_hours"].attempt_id == night.id
    assert len(by_category["excessive_frequency"].related_attempt_ids) >= 4
    assert all(found.kind is FindingKind.VIOLATION for found in by_category.values())


def test_an_unknown_time_zone_is_reported_as_undetermined_not_as_lawful(
    session: Session, engine: Engine, world
) -> None:
    agency, borrower = world
    contacts.attempt(
        session,
        borrower,
        agency,
        timezone=None,
        started_at=contacts.NOON + timedelta(hours=11),
        outcome=Outcome.NO_ANSWER,
    )
    running.run_contact_log(session, engine, borrower.id)
    [run] = session.scalars(select(DetectionRun)).all()
    assert not any(found.category == "outside_hours" for found in current(session))
    assert any("hours" in item["rule"] for item in run.undetermined)


def test_a_cease_request_becomes_a_fact_that_later_contacts_are_judged_by(
    session: Session, engine: Engine, world
) -> None:
    agency, borrower = world
    colleague = contacts.contact_person(session, borrower)
    to_colleague = {"contact_person_id": colleague.id, "recipient": Recipient.THIRD_PARTY}
    message = contacts.message(
        session, borrower, agency, "请你们不要再给我打电话了。", sender="third_party", **to_colleague
    )
    running.run_messages(session, engine, message.id, message.id)
    [request] = session.scalars(select(CeaseRequest)).all()
    assert (request.requested_at, request.contact_person_id) == (message.attempt.started_at, colleague.id)
    assert waiting_jobs(session) == {"todo": 1}
    at = message.attempt.started_at + timedelta(days=2)
    later = contacts.attempt(session, borrower, agency, started_at=at, **to_colleague)
    running.run_contact_log(session, engine, borrower.id)
    after = [found for found in current(session) if found.category == "contact_after_cease"]
    assert [found.attempt_id for found in after] == [later.id]


def test_a_recording_without_transcript_is_named(session: Session, vault: Vault, engine: Engine, world) -> None:
    agency, borrower = world
    recording = contacts.recording(session, vault, contacts.attempt(session, borrower, agency))
    with pytest.raises(NotFoundError, match="no transcript"):
        running.run_transcript(session, engine, recording.id)


def test_a_disposition_stays_with_its_finding(session: Session, engine: Engine, world) -> None:
    from audit_service.organizations.models import User

    agency, borrower = world
    message = contacts.message(session, borrower, agency, THREAT)
    running.run_messages(session, engine, message.id, message.id)
    user = User(email="a@example.org", password="x", fs_uniquifier="u", created_at=clock.now())
    session.add(user)
    session.flush()
    found = current(session)[0]
    session.add(Disposition(finding_id=found.id, verdict=Verdict.CONFIRMED, user_id=user.id, decided_at=clock.now()))
    session.flush()
    running.run_messages(session, engine, message.id, message.id)
    session.refresh(found)
    assert [disposition.verdict for disposition in found.dispositions] == [Verdict.CONFIRMED]
