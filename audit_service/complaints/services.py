"""Use-cases of complaints: file one, move it on. Every step is in the ledger."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.complaints import receipts
from audit_service.complaints.allegations import alleged
from audit_service.complaints.clocks import limits_in_force
from audit_service.complaints.errors import ComplaintRefusedError, StepRefusedError
from audit_service.complaints.models import (
    Clock,
    Complaint,
    ComplaintEvent,
    ComplaintStatus,
    Proof,
    Request,
    RequestKind,
)
from audit_service.complaints.triage import URGENT, triage
from audit_service.complaints.values import FiledComplaint, NewComplaint
from audit_service.contacts.errors import NumberRefusedError
from audit_service.contacts.models import Borrower, ContactPerson
from audit_service.contacts.numbers import e164
from audit_service.custody import services as custody
from audit_service.custody.models import Action, ExhibitKind
from audit_service.custody.values import Act, Receipt
from audit_service.custody.vault import Vault
from audit_service.errors import NotFoundError
from audit_service.intake.handover import hand_contact_logs
from audit_service.organizations.models import Institution
from audit_service.queue import DETECT, enqueue

LONGEST_NARRATIVE, SHORTEST_NARRATIVE, LONGEST_NAME = 20_000, 5, 100
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# What may follow what. A refusal needs its reason told to the complainant; a withdrawal ends the matter the same day.
STEPS: dict[ComplaintStatus, frozenset[ComplaintStatus]] = {
    ComplaintStatus.RECEIVED: frozenset(
        {ComplaintStatus.ACCEPTED, ComplaintStatus.REFUSED, ComplaintStatus.TRANSFERRED, ComplaintStatus.WITHDRAWN}
    ),
    ComplaintStatus.ACCEPTED: frozenset(
        {ComplaintStatus.INVESTIGATING, ComplaintStatus.TRANSFERRED, ComplaintStatus.WITHDRAWN}
    ),
    ComplaintStatus.INVESTIGATING: frozenset({ComplaintStatus.TRANSFERRED, ComplaintStatus.WITHDRAWN}),
    ComplaintStatus.DECIDED: frozenset({ComplaintStatus.CLOSED}),
}
NEED_REASON = frozenset({ComplaintStatus.REFUSED, ComplaintStatus.TRANSFERRED})
ENDING = frozenset({ComplaintStatus.REFUSED, ComplaintStatus.WITHDRAWN, ComplaintStatus.CLOSED})


def file(session: Session, vault: Vault, pepper: str, new: NewComplaint) -> FiledComplaint:
    """File a complaint by whatever route, start its clocks, and have it linked to the records.

    A complainant whom the institution's records do not know is heard all the same.

    Raises:
        ComplaintRefusedError: a field cannot be taken; it is named with what to do.
    """
    lender = _institution(session, new.institution)
    phone, narrative = _phone(new, lender), _narrative(new.narrative)
    code = receipts.new_code()
    found = triage("\n".join([narrative, *(incident.what for incident in new.incidents)]))
    borrower = _borrower(session, lender, phone)
    complaint = Complaint(
        number="",
        receipt_hash=receipts.hash_code(code, pepper),
        institution_id=lender.id,
        borrower_id=None if borrower is None else borrower.id,
        complainant_name=_name(new.complainant_name),
        complainant_phone=phone,
        account_hint=_clean(new.account_hint)[:60],
        on_behalf=new.on_behalf,
        language=new.language[:10],
        jurisdiction=lender.jurisdiction,
        narrative=narrative,
        route=new.route,
        status=ComplaintStatus.RECEIVED,
        submitted_at=new.submitted_at or clock.now(),
        is_urgent=found.urgency == URGENT,
    )
    _number(session, complaint)
    _store_parts(session, vault, complaint, lender, new)
    detail: dict[str, str | int | bool] = {"route": new.route, "known_borrower": borrower is not None}
    custody.record(session, Act(Action.FILED, "complaint", complaint.number, actor=_actor(complaint), detail=detail))
    enqueue(session, "link_complaint", queue=DETECT, complaint_id=complaint.id)
    return FiledComplaint(complaint.id, complaint.number, code, complaint.is_urgent)


def _actor(complaint: Complaint) -> str:
    return f"complainant:{complaint.number}"


def _institution(session: Session, code: str) -> Institution:
    lender = session.scalar(select(Institution).where(Institution.code == code))
    if lender is None:
        raise ComplaintRefusedError(
            "institution", "unknown", "no such institution is served here.", remedy="Choose one from the list."
        )
    return lender


def _clean(text: str) -> str:
    return CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()


def _name(text: str) -> str:
    name = _clean(text)
    if not name:
        raise ComplaintRefusedError("complainant_name", "missing", "the name is missing.", remedy="Give your name.")
    if len(name) > LONGEST_NAME:
        raise ComplaintRefusedError(
            "complainant_name", "too_long", f"it has more than {LONGEST_NAME} characters.", remedy="Shorten it."
        )
    return name


def _narrative(text: str) -> str:
    narrative = _clean(text)
    if len(narrative) < SHORTEST_NARRATIVE:
        raise ComplaintRefusedError(
            "narrative", "too_short", "it does not say what happened.", remedy="Describe it in a sentence or more."
        )
    if len(narrative) > LONGEST_NARRATIVE:
        raise ComplaintRefusedError(
            "narrative",
            "too_long",
            f"it has more than {LONGEST_NARRATIVE} characters.",
            remedy="Shorten it and attach the rest as a document.",
        )
    return narrative


def _phone(new: NewComplaint, lender: Institution) -> str:
    try:
        return e164(new.phone, lender.jurisdiction)
    except NumberRefusedError as error:
        raise ComplaintRefusedError("phone", "malformed", error.message, remedy=error.remedy) from error


def _borrower(session: Session, lender: Institution, phone: str) -> Borrower | None:
    """Return the borrower with this number, or the one whose contact person has it, if there is just one."""
    own = select(Borrower).where(Borrower.institution_id == lender.id, Borrower.phone == phone)
    of_contact = (
        select(Borrower)
        .join(ContactPerson, ContactPerson.borrower_id == Borrower.id)
        .where(Borrower.institution_id == lender.id, ContactPerson.phone == phone)
    )
    for query in (own, of_contact):
        found = session.scalars(query.distinct().limit(2)).all()
        if len(found) == 1:
            return found[0]
    return None


def _number(session: Session, complaint: Complaint) -> None:
    identity = session.scalar(select(func.nextval(func.pg_get_serial_sequence("complaints", "id"))))
    complaint.id = int(identity or 0)
    complaint.number = f"C-{complaint.submitted_at.year}-{complaint.id:06d}"
    session.add(complaint)
    session.flush()


def _store_parts(session: Session, vault: Vault, complaint: Complaint, lender: Institution, new: NewComplaint) -> None:
    received_at = complaint.submitted_at
    session.add(ComplaintEvent(complaint_id=complaint.id, status=ComplaintStatus.RECEIVED, occurred_at=clock.now()))
    session.add_all(Request(complaint_id=complaint.id, kind=kind) for kind in _requests(complaint, new))
    session.add_all(_clocks(complaint.id, lender, received_at))
    session.add_all(alleged(complaint, new.incidents, lender.timezone))
    for proof in new.proofs:
        receipt = Receipt(
            ExhibitKind.PROOF, proof.media_type[:100], _clean(proof.name)[:255], "portal", _actor(complaint)
        )
        exhibit = custody.seal(session, vault, proof.stream, receipt).exhibit
        known = session.scalar(select(Proof).where(Proof.complaint_id == complaint.id, Proof.exhibit_id == exhibit.id))
        if known is None:
            session.add(Proof(complaint_id=complaint.id, exhibit_id=exhibit.id))
            session.flush()
    session.flush()


def _requests(complaint: Complaint, new: NewComplaint) -> Sequence[RequestKind]:
    """Return what was ticked; where nothing was, what the narrative asks for."""
    ticked = tuple(dict.fromkeys(new.requests))
    return ticked or tuple(RequestKind(name) for name in triage(complaint.narrative).requests)


def _clocks(complaint_id: int, lender: Institution, received_at: datetime) -> list[Clock]:
    received_on = received_at.astimezone(ZoneInfo(lender.timezone)).date()
    return [
        Clock(
            complaint_id=complaint_id,
            kind=limit.kind,
            basis=limit.basis,
            started_at=received_at,
            due_at=limit.due_at(received_at, lender.timezone),
        )
        for limit in limits_in_force(lender.jurisdiction, received_on)
    ]


def change_status(session: Session, number: str, to: ComplaintStatus, *, actor: str, reason: str = "") -> Complaint:
    """Move a complaint to its next status, tell the complainant why, and stop its clocks where it ends.

    Raises:
        NotFoundError: there is no such complaint.
        StepRefusedError: this step does not follow from the present status, or lacks its reason.
    """
    complaint = session.scalar(select(Complaint).where(Complaint.number == number).with_for_update())
    if complaint is None:
        raise NotFoundError(f"There is no complaint {number}.", remedy="Check the number.")
    if to not in STEPS.get(complaint.status, frozenset()):
        raise StepRefusedError(
            f"Complaint {number} is {complaint.status.value}; it cannot become {to.value}.",
            remedy="Reload the page: somebody else may have moved it on.",
        )
    note = _clean(reason)
    if to in NEED_REASON and not note:
        raise StepRefusedError(f"To become {to.value} a reason is needed.", remedy="Write the reason; it is told.")
    former, complaint.status = complaint.status, to
    session.add(ComplaintEvent(complaint_id=complaint.id, status=to, note=note, occurred_at=clock.now()))
    if to in ENDING:
        for limit in complaint.clocks:
            limit.stopped_at = limit.stopped_at or clock.now()
    if complaint.borrower_id is not None:
        hand_contact_logs(session, [complaint.borrower_id])
    detail: dict[str, str | int | bool] = {"from": former.value, "to": to.value}
    custody.record(session, Act(Action.STATUS_CHANGED, "complaint", number, actor=actor, detail=detail))
    session.flush()
    return complaint
