"""Complaints that wait for an answer, as the event rules take them, from filing to the finding."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from audit_service import clock
from audit_service.complaints import services as complaints
from audit_service.complaints.linking import link
from audit_service.complaints.models import Complaint, ComplaintEvent, ComplaintStatus, RequestKind
from audit_service.complaints.pending import pending_complaints
from audit_service.complaints.values import NewComplaint
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.detection import Engine, load_packs
from audit_service.queue import waiting_jobs
from audit_service.review import running
from audit_service.review.models import Finding
from audit_service.settings import ROOT
from tests.factories import contacts, organizations

PEPPER = "pepper"


@pytest.fixture
def filed(session: Session, vault: Vault) -> Complaint:
    lender = organizations.institution(session)
    organizations.agency(session, lender)
    contacts.borrower(session, lender, phone="+8613900001234")
    new = NewComplaint(
        institution=lender.code,
        complainant_name="王小明",
        phone="13900001234",
        narrative="催收员天天给我打电话，请核实这笔债务。",
        route="portal",
        language="zh",
        requests=(RequestKind.VERIFY_DEBT,),
        submitted_at=contacts.NOON,
    )
    complaints.file(session, vault, PEPPER, new)
    return session.scalars(select(Complaint)).one()


def step(session: Session, complaint: Complaint, status: ComplaintStatus, days: int) -> None:
    session.add(
        ComplaintEvent(complaint_id=complaint.id, status=status, occurred_at=contacts.NOON + timedelta(days=days))
    )
    session.flush()
    session.expire(complaint)


def test_a_complaint_waits_from_filing_to_its_answer_and_again_in_appeal(session: Session, filed: Complaint) -> None:
    for status, days in (
        (ComplaintStatus.ACCEPTED, 1),
        (ComplaintStatus.DECIDED, 8),
        (ComplaintStatus.APPEALED, 20),
        (ComplaintStatus.DECIDED, 30),
        (ComplaintStatus.CLOSED, 31),
    ):
        step(session, filed, status, days)
    assert filed.borrower_id is not None
    found = pending_complaints(session, filed.borrower_id)
    noon = contacts.NOON
    assert [(one.from_at, one.to_at) for one in found] == [
        (noon, noon + timedelta(days=8)),
        (noon + timedelta(days=20), noon + timedelta(days=30)),
    ]
    assert {one.requests for one in found} == {("verify_debt",)}


def test_a_contact_while_the_complaint_waits_is_found(session: Session, filed: Complaint) -> None:
    from audit_service.contacts.models import Borrower
    from audit_service.organizations.models import Agency

    borrower, agency = session.scalars(select(Borrower)).one(), session.scalars(select(Agency)).one()
    early = contacts.attempt(session, borrower, agency, started_at=contacts.NOON - timedelta(hours=1))
    late = contacts.attempt(session, borrower, agency, started_at=contacts.NOON + timedelta(days=1))
    engine = Engine(load_packs([ROOT / "rules" / "cn"]))
    running.run_contact_log(session, engine, borrower.id, pending_complaints(session, borrower.id))
    found = session.scalars(select(Finding).where(Finding.rule_id == "cn.contact_after_cease.after_complaint")).all()
    assert [finding.attempt_id for finding in found] == [late.id] != [early.id]


def test_linking_and_every_step_have_the_contact_log_judged_again(session: Session, filed: Complaint) -> None:
    assert waiting_jobs(session) == {"todo": 1}
    link(session, filed.id)
    assert waiting_jobs(session) == {"todo": 2}
    complaints.change_status(session, filed.number, ComplaintStatus.WITHDRAWN, actor="officer")
    assert waiting_jobs(session) == {"todo": 2}  # one judgement waits already; it will see the withdrawal
    assert filed.borrower_id is not None
    [one] = pending_complaints(session, filed.borrower_id)
    assert one.to_at is not None
    assert one.to_at <= clock.now()
