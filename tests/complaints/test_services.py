"""Complaints on the real database: filing, clocks, receipt codes, linking with reasons, corroboration, steps."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from audit_service import clock
from audit_service.complaints import linking, queries, receipts
from audit_service.complaints import services as complaints
from audit_service.complaints.documents import from_document
from audit_service.complaints.errors import ComplaintRefusedError, StepRefusedError
from audit_service.complaints.models import Complaint, ComplaintStatus, CorroborationResult, RequestKind
from audit_service.complaints.values import Incident, NewComplaint, ProofFile
from audit_service.contacts.models import Outcome
from audit_service.custody.vault import Vault
from audit_service.database import Session, transaction
from audit_service.errors import NotFoundError
from audit_service.organizations.models import User
from audit_service.queue import waiting_jobs
from audit_service.review.models import Disposition, Verdict
from tests.conftest import SAMPLES
from tests.factories import contacts, findings, organizations

PEPPER = "pepper of the tests, long enough to be one"
SUBMITTED = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
NARRATIVE = "3月3号中午有人打电话来，说法警马上到我家抓人，要我当天还清。请你们道歉。"


@pytest.fixture
def world(session: Session):
    lender = organizations.institution(session)
    agency = organizations.agency(session, lender)
    return lender, agency, contacts.borrower(session, lender, phone="+8613900001234")


def new(lender, **values) -> NewComplaint:
    fields = {
        "institution": lender.code,
        "complainant_name": "王小明",
        "phone": "139 0000 1234",
        "language": "zh",
        "narrative": NARRATIVE,
        "submitted_at": SUBMITTED,
    }
    return NewComplaint(**(fields | values))


def file(session: Session, vault: Vault, complaint: NewComplaint) -> Complaint:
    filed = complaints.file(session, vault, PEPPER, complaint)
    return session.scalars(select(Complaint).where(Complaint.id == filed.id)).one()


def threat(session: Session, vault: Vault, borrower, agency, **values):
    attempt = contacts.attempt(session, borrower, agency, **values)
    recording = contacts.recording(session, vault, attempt)
    transcript = findings.transcript(session, recording, [("agent", 1.0, 4.0, "法警马上到你家里抓人。")])
    session.refresh(transcript)
    return findings.finding(session, attempt, quote="法警马上到你家里抓人", segment=transcript.segments[0])


def test_a_complaint_is_filed_with_clocks_allegations_requests_and_a_job(session: Session, vault: Vault, world) -> None:
    lender, _, borrower = world
    filed = file(session, vault, new(lender))
    assert filed.number.startswith("C-2026-")
    assert filed.borrower_id == borrower.id
    assert {limit.kind: limit.due_at for limit in filed.clocks} == {
        "decide_simple": datetime(2026, 3, 25, 15, 59, 59, tzinfo=UTC),
        "decide_complex": datetime(2026, 4, 9, 15, 59, 59, tzinfo=UTC),
    }
    assert "threat_unlawful_action" in {allegation.category for allegation in filed.allegations}
    assert [request.kind for request in filed.requests] == [RequestKind.APOLOGY]
    assert waiting_jobs(session) == {"todo": 1}


def test_the_receipt_code_is_stored_only_hashed_and_opens_the_case_with_the_phone(
    session: Session, vault: Vault, world
) -> None:
    lender, _, _ = world
    filed = complaints.file(session, vault, PEPPER, new(lender))
    stored = session.scalars(select(Complaint)).one()
    assert filed.receipt_code.replace("-", "") not in repr(vars(stored))
    typed = filed.receipt_code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert queries.by_receipt(session, PEPPER, typed, "1234").number == filed.number


@pytest.mark.parametrize(
    ("code", "last4"), [("right", "9999"), ("AAAA-AAAA-AAAA-AAAA", "1234"), ("", ""), ("right", "")]
)
def test_a_wrong_code_or_phone_gets_the_same_answer(
    session: Session, vault: Vault, world, code: str, last4: str
) -> None:
    lender, _, _ = world
    filed = complaints.file(session, vault, PEPPER, new(lender))
    with pytest.raises(NotFoundError, match="No complaint fits"):
        queries.by_receipt(session, PEPPER, filed.receipt_code if code == "right" else code, last4)


def test_codes_have_80_bits_and_no_look_alikes() -> None:
    codes = {receipts.new_code() for _ in range(500)}
    assert len(codes) == 500
    assert not set("".join(codes)) & set("ILOU")
    assert all(len(code.replace("-", "")) == 16 for code in codes)


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"complainant_name": " "}, "complainant_name", "missing"),
        ({"complainant_name": "x" * 101}, "complainant_name", "too_long"),
        ({"phone": "hello"}, "phone", "malformed"),
        ({"narrative": "坏"}, "narrative", "too_short"),
        ({"narrative": "坏" * 20001}, "narrative", "too_long"),
        ({"institution": "nobody"}, "institution", "unknown"),
    ],
)
def test_a_refusal_names_the_field_and_nothing_is_stored(
    app: Flask, vault: Vault, change: dict[str, str], field: str, problem: str
) -> None:
    with transaction() as session:
        lender = organizations.institution(session)
    with pytest.raises(ComplaintRefusedError) as caught, transaction() as session:
        complaints.file(session, vault, PEPPER, replace(new(lender), **change))
    assert (caught.value.field, caught.value.problem) == (field, problem)
    assert caught.value.remedy
    with transaction() as session:
        assert session.scalars(select(Complaint)).all() == []


def test_somebody_unknown_to_the_records_is_heard_all_the_same(session: Session, vault: Vault, world) -> None:
    lender, _, _ = world
    filed = file(session, vault, new(lender, phone="+8613911112222"))
    linking.link(session, filed.id)
    assert filed.borrower_id is None
    assert {a.corroboration.result for a in filed.allegations} == {CorroborationResult.NO_RECORD}


def test_the_same_proof_twice_is_one_exhibit(session: Session, vault: Vault, world) -> None:
    lender, _, _ = world
    proofs = tuple(ProofFile(io.BytesIO(b"screenshot"), name) for name in ("a.png", "../b.png"))
    filed = file(session, vault, new(lender, proofs=proofs))
    page = queries.complaint_page(session, filed.number)
    assert [proof.exhibit.original_name for proof in page.proofs] == ["a.png"]


def test_a_finding_of_that_time_and_kind_supports_the_allegation_with_reasons(
    session: Session, vault: Vault, world
) -> None:
    lender, agency, borrower = world
    right = threat(session, vault, borrower, agency)
    threat(session, vault, borrower, agency, started_at=contacts.NOON - timedelta(days=20))
    filed = file(session, vault, new(lender))
    linking.link(session, filed.id)
    [allegation] = [a for a in filed.allegations if a.category == "threat_unlawful_action"]
    assert allegation.links[0].finding_id == right.id
    assert {"same_borrower", "same_category", "in_time"} <= {reason["code"] for reason in allegation.links[0].reasons}
    assert all(reason["zh"] and reason["en"] for reason in allegation.links[0].reasons)
    assert allegation.corroboration.result is CorroborationResult.SUPPORTED


def test_linking_again_gives_the_same_links_once(session: Session, vault: Vault, world) -> None:
    lender, agency, borrower = world
    threat(session, vault, borrower, agency)
    filed = file(session, vault, new(lender))
    first = linking.link(session, filed.id)
    assert linking.link(session, filed.id) == first


def test_anothers_findings_are_never_linked(session: Session, vault: Vault, world) -> None:
    lender, agency, _ = world
    other = contacts.borrower(session, lender, phone="+8613955556666", name="别人")
    threat(session, vault, other, agency)
    filed = file(session, vault, new(lender))
    assert linking.link(session, filed.id).links == 0


def test_a_dismissed_finding_supports_nothing(session: Session, vault: Vault, world) -> None:
    lender, agency, borrower = world
    finding = threat(session, vault, borrower, agency)
    user = User(email="a@example.org", password="x", fs_uniquifier="u", created_at=clock.now())
    session.add(user)
    session.flush()
    session.add(
        Disposition(
            finding_id=finding.id, verdict=Verdict.DISMISSED, reason="转述", user_id=user.id, decided_at=clock.now()
        )
    )
    session.flush()
    filed = file(session, vault, new(lender))
    linking.link(session, filed.id)
    [allegation] = [a for a in filed.allegations if a.category == "threat_unlawful_action"]
    assert allegation.corroboration.result is CorroborationResult.CONTRADICTED


@pytest.mark.parametrize(
    ("case", "result"),
    [
        ("recorded and lawful", CorroborationResult.CONTRADICTED),
        ("answered, not recorded", CorroborationResult.RECORDS_INCOMPLETE),
        ("not answered", CorroborationResult.NO_RECORD),
        ("no contact", CorroborationResult.NO_RECORD),
    ],
)
def test_what_the_records_say_without_a_finding(
    session: Session, vault: Vault, world, case: str, result: CorroborationResult
) -> None:
    lender, agency, borrower = world
    if case != "no contact":
        outcome = Outcome.NO_ANSWER if case == "not answered" else Outcome.ANSWERED
        attempt = contacts.attempt(session, borrower, agency, outcome=outcome)
        if case == "recorded and lawful":
            findings.transcript(session, contacts.recording(session, vault, attempt), [("agent", 1.0, 3.0, "您好。")])
    filed = file(session, vault, new(lender))
    linking.link(session, filed.id)
    [allegation] = [a for a in filed.allegations if a.category == "threat_unlawful_action"]
    assert allegation.corroboration.result is result
    assert allegation.corroboration.reasons[0]["zh"]


def test_incidents_are_allegations_of_their_own(session: Session, vault: Vault, world) -> None:
    lender, _, _ = world
    incidents = (Incident("3月3号中午", "骂我不要脸"), Incident("昨晚", "又打来骂人，还说要打断我的腿"))
    filed = file(session, vault, new(lender, narrative="他们态度恶劣，请处理。", incidents=incidents))
    found = [(a.category, a.when_text) for a in filed.allegations]
    assert ("abuse_insult", "3月3号中午") in found
    assert ("abuse_insult", "昨晚") in found
    assert ("threat_violence", "昨晚") in found


def test_steps_follow_the_workflow_and_need_their_reasons(session: Session, vault: Vault, world) -> None:
    lender, _, _ = world
    filed = file(session, vault, new(lender))
    with pytest.raises(StepRefusedError, match="reason"):
        complaints.change_status(session, filed.number, ComplaintStatus.REFUSED, actor="user:1")
    with pytest.raises(StepRefusedError, match="cannot become"):
        complaints.change_status(session, filed.number, ComplaintStatus.CLOSED, actor="user:1")
    complaints.change_status(session, filed.number, ComplaintStatus.ACCEPTED, actor="user:1")
    complaints.change_status(session, filed.number, ComplaintStatus.WITHDRAWN, actor="complainant:x")
    assert all(limit.stopped_at for limit in filed.clocks)
    with pytest.raises(NotFoundError):
        complaints.change_status(session, "C-2026-999999", ComplaintStatus.ACCEPTED, actor="user:1")


def test_words_of_danger_make_it_urgent(session: Session, vault: Vault, world) -> None:
    lender, _, _ = world
    assert file(session, vault, new(lender, narrative="被逼得不想活了，请帮帮我。")).is_urgent


@pytest.mark.parametrize("name", ["complaint-1.json", "complaint-2.json"])
def test_the_sample_complaints_can_be_read(name: str) -> None:
    document = json.loads((SAMPLES / "complaints" / name).read_text(encoding="utf-8"))
    assert from_document(document).narrative


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"narrative": 7}, "narrative"),
        ({"requests": ["money"]}, "requests"),
        ({"incidents": ["x"]}, "incidents"),
        ({"submitted_at": "yesterday"}, "submitted_at"),
        ({"submitted_at": "2026-03-10T09:00:00"}, "submitted_at"),
    ],
)
def test_a_document_with_one_defect_is_refused_by_its_field(change: dict[str, object], field: str) -> None:
    document = {"institution": "x", "complainant_name": "y", "phone": "1", "narrative": "zzzzzz"}
    with pytest.raises(ComplaintRefusedError) as caught:
        from_document(document | change)
    assert caught.value.field == field
