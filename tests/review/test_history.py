"""Stored contacts judged by other rules than those that judged them: which are read, and that nothing is written."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from audit_service.contacts.models import Outcome
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.detection import Engine, load_packs
from audit_service.detection.comparing import with_drafts
from audit_service.review import history
from audit_service.review.models import DetectionRun, Finding
from audit_service.settings import ROOT
from tests.factories import contacts, findings, organizations
from tests.factories.contacts import NOON
from tests.factories.rules import engine, pack, rule

DAYS = (date(2026, 3, 1), date(2026, 3, 5))
PAY = rule("pay", {"pay": {"any": ["还钱"]}, "condition": "pay"})
DRAFT = rule("soon", {"soon": {"any": ["马上"]}, "condition": "soon"}, status="draft")


@pytest.fixture
def world(session: Session):
    lender = organizations.institution(session)
    return organizations.agency(session, lender), contacts.borrower(session, lender)


def call(session: Session, vault: Vault, world, text: str, *, at: datetime = NOON) -> int:
    agency, borrower = world
    recording = contacts.recording(session, vault, contacts.attempt(session, borrower, agency, started_at=at))
    findings.transcript(session, recording, [("agent", 0.0, 3.0, text)])
    return recording.attempt_id


def test_calls_and_messages_of_the_range_are_judged_by_both(
    session: Session, vault: Vault, world, tmp_path: Path
) -> None:
    agency, borrower = world
    inside = call(session, vault, world, "请您马上还钱")
    call(session, vault, world, "请您马上还钱", at=NOON - timedelta(days=30))
    written = contacts.message(session, borrower, agency, "还钱")
    old = engine(tmp_path, PAY, DRAFT)
    new = Engine(with_drafts(load_packs([tmp_path / "own"])))
    found = history.compare_history(session, old, new, DAYS)
    assert [(finding.subject, finding.quote) for finding in found.added] == [(str(inside), "马上")]
    assert [(f.subject, f.quote) for f in found.unchanged] == [(str(inside), "还钱"), (str(written.attempt_id), "还钱")]
    assert found.removed == ()
    assert found.of_rule(PAY["id"]).added == ()
    back = history.compare_history(session, new, old, DAYS)
    assert [finding.quote for finding in back.removed] == ["马上"]


def test_only_the_newest_transcript_of_a_call_is_judged(session: Session, vault: Vault, world, tmp_path: Path) -> None:
    agency, borrower = world
    recording = contacts.recording(session, vault, contacts.attempt(session, borrower, agency))
    findings.transcript(session, recording, [("agent", 0.0, 3.0, "还钱")])
    findings.transcript(session, recording, [("agent", 0.0, 3.0, "您好")], version=2)
    judge = engine(tmp_path, PAY)
    assert history.compare_history(session, judge, judge, DAYS).unchanged == ()
    (said,) = history.conversations_of(session, recording.attempt_id)
    assert said.turns[0].text == "您好"


def test_event_rules_look_back_beyond_the_range_but_report_only_what_lies_in_it(
    session: Session, world, tmp_path: Path
) -> None:
    agency, borrower = world
    for day in (1, 2, 20):
        night = NOON + timedelta(days=day, hours=11)
        contacts.attempt(session, borrower, agency, started_at=night, outcome=Outcome.ANSWERED)
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.rmtree(tmp_path / "rules" / "cn" / "outside_hours")
    old, new = (Engine(load_packs([folder / "cn"])) for folder in (tmp_path / "rules", ROOT / "rules"))
    found = history.compare_history(session, old, new, DAYS)
    assert [finding.category for finding in found.added] == ["outside_hours"] * 2


def test_the_database_refuses_writes_while_history_is_judged(
    session: Session, vault: Vault, world, tmp_path: Path
) -> None:
    call(session, vault, world, "还钱")
    judge = engine(tmp_path, PAY)
    history.compare_history(session, judge, judge, DAYS)
    assert session.scalar(select(func.count()).select_from(Finding)) == 0
    assert session.scalar(select(func.count()).select_from(DetectionRun)) == 0
    with pytest.raises(DBAPIError, match="read-only transaction"):
        contacts.borrower(session, world[0].institution)


def test_a_day_of_the_range_is_a_civil_day(session: Session, vault: Vault, world, tmp_path: Path) -> None:
    late = datetime.fromisoformat("2026-03-05T23:59:00+08:00")
    judge = engine(tmp_path, PAY)
    call(session, vault, world, "还钱", at=late)
    call(session, vault, world, "还钱", at=late + timedelta(minutes=2))
    assert len(history.compare_history(session, judge, judge, DAYS).unchanged) == 1


def test_a_pack_is_not_changed_by_taking_its_drafts(tmp_path: Path) -> None:
    packs = load_packs([pack(tmp_path, DRAFT)])
    assert [one.status for one in with_drafts(packs)[0].rules] == ["active"]
    assert [one.status for one in packs[0].rules] == ["draft"]
    assert with_drafts(packs)[0].digest == packs[0].digest
