"""Link the findings of the records to the allegations of a complaint, each link with the reasons a person can check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session, joinedload

from audit_service.complaints.corroboration import conclude
from audit_service.complaints.models import Allegation, Complaint, ComplaintAttempt, Link
from audit_service.complaints.triage import triage
from audit_service.contacts.models import ContactAttempt
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.errors import NotFoundError
from audit_service.intake.handover import hand_contact_logs
from audit_service.review.models import Finding, FindingKind

# What people call by another of these names: a threat told as impersonation, a call to a colleague told as disclosure.
RELATED = (
    {"impersonation_authority", "false_identity", "threat_unlawful_action", "misleading_consequence"},
    {"third_party_harassment", "third_party_disclosure", "public_shaming", "pii_leak", "wrong_party_contact"},
    {"harassment", "excessive_frequency", "outside_hours", "contact_after_cease"},
    {"abuse_insult", "threat_violence"},
    {"refuse_verification", "no_identification", "false_identity"},
)
SAME_PERSON, SAME_CATEGORY, KIN_CATEGORY = 0.25, 0.35, 0.15
IN_TIME, NEAR_TIME, OTHER_TIME = 0.25, 0.12, -0.2
SAME_WORDS, SAME_STAFF = 0.15, 0.1
ENOUGH = 0.5
NEAR = timedelta(days=1)
RECENT = timedelta(days=180)
DECISIVE_WORDS = 75.0


@dataclass(frozen=True)
class LinkSummary:
    """What linking gave: how many contacts may be meant, and how many findings bear on allegations."""

    attempts: int
    links: int


@dataclass
class Weight:
    """A score that grows with its reasons."""

    score: float = 0.0
    reasons: list[dict[str, Any]] = field(default_factory=list)

    def add(self, points: float, code: str, zh: str, en: str) -> None:
        """Add points and the reason for them in both languages."""
        self.score += points
        self.reasons.append({"code": code, "zh": zh, "en": en, "points": points})


def link(session: Session, complaint_id: int) -> LinkSummary:
    """Link a complaint to the findings of its complainant's contacts and conclude on each allegation; safe to repeat.

    The contact log is then judged again: contacts while a complaint is pending are held against it.

    Raises:
        NotFoundError: there is no such complaint.
    """
    complaint = session.get(Complaint, complaint_id, with_for_update=True)
    if complaint is None:
        raise NotFoundError(f"There is no complaint {complaint_id}.")
    attempts = _attempts(session, complaint)
    findings = _findings(session, attempts)
    _forget(session, complaint)
    contacts = [_contact(complaint, attempt) for attempt in attempts]
    session.add_all(contact for contact in contacts if contact is not None)
    links = [made for allegation in complaint.allegations for made in _links(complaint, allegation, findings)]
    session.add_all(links)
    session.flush()
    for allegation in complaint.allegations:
        own = [made for made in links if made.allegation_id == allegation.id]
        session.add(conclude(session, allegation, own, attempts))
    detail: dict[str, str | int | bool] = {"attempts": sum(c is not None for c in contacts), "links": len(links)}
    custody.record(session, Act(Action.LINKED, "complaint", complaint.number, detail=detail))
    if complaint.borrower_id is not None:
        hand_contact_logs(session, [complaint.borrower_id])
    session.expire(complaint)
    return LinkSummary(attempts=sum(contact is not None for contact in contacts), links=len(links))


def _attempts(session: Session, complaint: Complaint) -> Sequence[ContactAttempt]:
    """Return the contacts of the complainant: the borrower's, and those to the complainant's own number."""
    is_own = ContactAttempt.number == complaint.complainant_phone
    person = (
        is_own if complaint.borrower_id is None else or_(is_own, ContactAttempt.borrower_id == complaint.borrower_id)
    )
    query = (
        select(ContactAttempt)
        .where(
            ContactAttempt.institution_id == complaint.institution_id,
            person,
            ContactAttempt.started_at.between(complaint.submitted_at - RECENT, complaint.submitted_at),
        )
        .order_by(ContactAttempt.started_at, ContactAttempt.id)
        .options(joinedload(ContactAttempt.agent), joinedload(ContactAttempt.agency))
    )
    return session.scalars(query).all()


def _findings(session: Session, attempts: Sequence[ContactAttempt]) -> Sequence[Finding]:
    query = (
        select(Finding)
        .where(
            Finding.is_current,
            Finding.kind == FindingKind.VIOLATION,
            Finding.attempt_id.in_([attempt.id for attempt in attempts]),
        )
        .order_by(Finding.id)
        .options(joinedload(Finding.attempt).joinedload(ContactAttempt.agent), joinedload(Finding.segment))
    )
    return session.scalars(query).all()


def _forget(session: Session, complaint: Complaint) -> None:
    for allegation in complaint.allegations:
        session.execute(delete(Link).where(Link.allegation_id == allegation.id))
        if allegation.corroboration is not None:
            session.delete(allegation.corroboration)
    session.execute(delete(ComplaintAttempt).where(ComplaintAttempt.complaint_id == complaint.id))
    session.flush()
    session.expire_all()


def _contact(complaint: Complaint, attempt: ContactAttempt) -> ComplaintAttempt | None:
    """Return the contact as one that may be meant, if a time or a staff number of the complaint points at it."""
    best = Weight()
    for allegation in complaint.allegations:
        weight = Weight()
        _weigh_time(weight, allegation, attempt)
        if weight.score > best.score:
            best = weight
    _weigh_staff(best, complaint, attempt)
    if best.score < NEAR_TIME:
        return None
    _weigh_person(best, complaint, attempt)
    return ComplaintAttempt(
        complaint_id=complaint.id, attempt_id=attempt.id, score=round(best.score, 3), reasons=best.reasons
    )


def _links(complaint: Complaint, allegation: Allegation, findings: Sequence[Finding]) -> list[Link]:
    made = []
    for finding in findings:
        weight = Weight()
        _weigh_person(weight, complaint, finding.attempt)
        is_candidate = _weigh_content(weight, allegation, finding)
        _weigh_time(weight, allegation, finding.attempt)
        _weigh_staff(weight, complaint, finding.attempt)
        if is_candidate and weight.score >= ENOUGH:
            score = round(min(1.0, weight.score), 3)
            made.append(Link(allegation_id=allegation.id, finding_id=finding.id, score=score, reasons=weight.reasons))
    return made


def _weigh_person(weight: Weight, complaint: Complaint, attempt: ContactAttempt) -> None:
    if complaint.borrower_id == attempt.borrower_id:
        weight.add(SAME_PERSON, "same_borrower", "同一借款人", "the same borrower")
    elif complaint.complainant_phone == attempt.number:
        weight.add(SAME_PERSON, "same_number", "同一电话号码", "the same telephone number")


def _weigh_content(weight: Weight, allegation: Allegation, finding: Finding) -> bool:
    """Weigh category and words; tell whether either makes the finding a candidate at all."""
    same = finding.category == allegation.category
    kin = any({finding.category, allegation.category} <= group for group in RELATED)
    if same:
        weight.add(SAME_CATEGORY, "same_category", "类别一致", "the same category")
    elif kin:
        weight.add(KIN_CATEGORY, "related_category", "类别相近", "a related category")
    likeness = fuzz.partial_ratio(finding.quote, allegation.words) if finding.quote else 0.0
    if likeness >= DECISIVE_WORDS:
        shown = f"{likeness / 100:.2f}"
        weight.add(SAME_WORDS, "like_words", f"原话相似 {shown}", f"words alike {shown}")
    return same or kin or likeness >= DECISIVE_WORDS


def _weigh_time(weight: Weight, allegation: Allegation, attempt: ContactAttempt) -> None:
    if allegation.from_at is None or allegation.to_at is None:
        return
    zone = ZoneInfo(attempt.timezone or "UTC")
    at = f"{attempt.started_at.astimezone(zone):%Y-%m-%d %H:%M}"
    said = allegation.when_text
    if allegation.from_at <= attempt.started_at <= allegation.to_at:
        weight.add(IN_TIME, "in_time", f"联络时间 {at} 在所述“{said}”之内", f"contact at {at}, within “{said}”")
    elif allegation.from_at - NEAR <= attempt.started_at <= allegation.to_at + NEAR:
        weight.add(NEAR_TIME, "near_time", f"联络时间 {at} 临近所述“{said}”", f"contact at {at}, near “{said}”")
    else:
        weight.add(OTHER_TIME, "other_time", f"联络时间 {at} 与所述“{said}”不符", f"contact at {at}, not “{said}”")


def _weigh_staff(weight: Weight, complaint: Complaint, attempt: ContactAttempt) -> None:
    named = triage(complaint.narrative).entities.staff_numbers
    if attempt.agent is not None and attempt.agent.staff_number in named:
        number = attempt.agent.staff_number
        weight.add(SAME_STAFF, "same_staff", f"工号 {number} 一致", f"the same staff number {number}")
