"""A small case as it stands in the database after intake, transcription, detection and a filed complaint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit_service.complaints.models import (
    Allegation,
    Clock,
    Complaint,
    ComplaintAttempt,
    ComplaintEvent,
    ComplaintStatus,
    Corroboration,
    CorroborationResult,
    Link,
    Request,
    RequestKind,
)
from audit_service.contacts.models import Outcome
from audit_service.custody import services as custody
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.organizations.models import Institution, User
from audit_service.review.models import Disposition, Finding, FindingKind, Severity, Verdict
from audit_service.transcription.models import Segment
from tests.factories import contacts, findings, organizations

NOON = contacts.NOON
QUOTE = "法警就上门抓人"


@dataclass(frozen=True)
class Case:
    """What a test may want to look at again."""

    lender: Institution
    complaint: Complaint
    arrest: Finding
    exposure: Finding
    frequency: Finding
    hardship: Finding


def filed(session: Session, vault: Vault) -> Case:
    """Store one borrower's calls, messages, findings and complaint."""
    lender = organizations.institution(session, name="安信消费金融")
    agency = organizations.agency(session, lender)
    agent = organizations.agent(session, agency, staff_number="1024")
    debtor = contacts.borrower(session, lender, name="䶮小明", phone="+8613900004321")
    call = contacts.attempt(session, debtor, agency, agent=agent)
    recording = contacts.recording(session, vault, call)
    words = findings.transcript(
        session,
        recording,
        [
            ("agent", 0.0, 4.0, "您好，恒达工号1024。"),
            ("borrower", 4.0, 9.0, "我上个月失业了，能不能宽限几天？"),
            ("agent", 65.4, 70.0, f"今天不还款，{QUOTE}，你自己考虑。"),
            ("borrower", 70.0, 72.0, "你们怎么能这样说话！"),
        ],
    )
    session.refresh(words)
    segments: list[Segment] = words.segments
    before = contacts.message(session, debtor, agency, "请于今日还款。", started_at=NOON + timedelta(hours=1))
    message = contacts.message(
        session, debtor, agency, "再不还就发到村里微信群😡", started_at=NOON + timedelta(hours=2), agent=agent
    )
    contacts.message(session, debtor, agency, "收到请回复。", started_at=NOON + timedelta(hours=3))
    dials = [
        contacts.attempt(
            session,
            debtor,
            agency,
            started_at=NOON + timedelta(minutes=10 * step),
            outcome=Outcome.NO_ANSWER,
            talk_s=None,
        )
        for step in range(1, 6)
    ]
    pack = findings.pack_version(session)
    arrest = findings.finding(session, call, quote=QUOTE, segment=segments[2], pack_version=pack, plane="syllable")
    exposure = findings.finding(
        session,
        message.attempt,
        quote="发到村里微信群",
        message=message,
        pack_version=pack,
        category="public_shaming",
        severity=Severity.MEDIUM,
    )
    frequency = findings.finding(
        session,
        dials[-1],
        quote="",
        pack_version=pack,
        category="excessive_frequency",
        severity=Severity.HIGH,
        plane="metadata",
        related_attempt_ids=[dial.id for dial in dials],
    )
    hardship = findings.finding(
        session,
        call,
        quote="我上个月失业了",
        segment=segments[1],
        pack_version=pack,
        category="hardship_signal",
        kind=FindingKind.SIGNAL,
        severity=Severity.LOW,
    )
    assert before.thread == message.thread
    complaint = _complaint(session, lender, debtor.id, arrest, exposure)
    session.add(ComplaintAttempt(complaint_id=complaint.id, attempt_id=call.id, score=0.9, reasons=["same time"]))
    session.flush()
    custody.sign_checkpoint(session, vault)
    return Case(lender, complaint, arrest, exposure, frequency, hardship)


def _complaint(
    session: Session, lender: Institution, borrower_id: int, arrest: Finding, exposure: Finding
) -> Complaint:
    submitted_at = NOON + timedelta(days=4)
    complaint = Complaint(
        number="C-2026-000001",
        receipt_hash="r" * 64,
        institution_id=lender.id,
        borrower_id=borrower_id,
        complainant_name="䶮小明",
        complainant_phone="+8613900004321",
        language="zh",
        jurisdiction="cn",
        narrative="说今天不还就让法警上门抓人。<b>还威胁发到微信群</b>",
        route="portal",
        status=ComplaintStatus.INVESTIGATING,
        submitted_at=submitted_at,
        is_urgent=True,
    )
    session.add(complaint)
    session.flush()
    stated = [
        Allegation(complaint_id=complaint.id, position=1, category="threat_unlawful_action", words="让法警上门抓人"),
        Allegation(complaint_id=complaint.id, position=2, category="public_shaming", words="发到微信群"),
        Allegation(complaint_id=complaint.id, position=3, category="third_party_harassment", words="打给我母亲"),
    ]
    session.add_all(stated)
    session.flush()
    session.add_all(
        [
            Link(allegation_id=stated[0].id, finding_id=arrest.id, score=0.92, reasons=["同一借款人"]),
            Link(
                allegation_id=stated[1].id,
                finding_id=exposure.id,
                score=0.71,
                reasons=[{"zh": "内容相符", "en": "content"}],
            ),
            Corroboration(
                allegation_id=stated[0].id,
                result=CorroborationResult.SUPPORTED,
                reasons=["录音中有相应语句"],
                concluded_at=submitted_at,
            ),
            Request(complaint_id=complaint.id, kind=RequestKind.STOP_CONTACT),
            Clock(
                complaint_id=complaint.id,
                kind="decide_simple",
                basis="银保监会令2020年第3号",
                started_at=submitted_at,
                due_at=submitted_at + timedelta(days=15),
            ),
            ComplaintEvent(
                complaint_id=complaint.id, status=ComplaintStatus.RECEIVED, note="", occurred_at=submitted_at
            ),
        ]
    )
    session.flush()
    session.refresh(complaint)
    return complaint


def reviewed(session: Session, finding: Finding, *verdicts: Verdict) -> None:
    """Add dispositions by one reviewer, in this order."""
    reviewer = User(
        email=f"reviewer-{finding.id}@bank.example",
        display_name="李审核",
        password="x",
        fs_uniquifier=f"reviewer-{finding.id}",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    session.add(reviewer)
    session.flush()
    for verdict in verdicts:
        session.add(
            Disposition(finding_id=finding.id, verdict=verdict, reason="原文明确", user_id=reviewer.id, decided_at=NOON)
        )
        session.flush()
    session.expire_all()
