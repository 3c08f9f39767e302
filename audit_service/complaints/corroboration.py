"""What the records say about an allegation: supported, partly, contradicted, no record, or records incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit_service import clock
from audit_service.complaints.models import Allegation, Corroboration, CorroborationResult, Link
from audit_service.contacts.models import Channel, ContactAttempt, Outcome, Recording
from audit_service.review.models import Finding, Verdict
from audit_service.transcription.models import Transcript

MARGIN = timedelta(hours=1)
OTHER_TIME = "other_time"


def conclude(
    session: Session, allegation: Allegation, links: Sequence[Link], attempts: Sequence[ContactAttempt]
) -> Corroboration:
    """Return what the records say about ``allegation``, from its links and the contacts of its time.

    A linked finding of the same category supports it unless a reviewer dismissed it. A recorded call in the time
    alleged that holds no such finding speaks against it; an answered call without recording leaves it open.
    """
    result, reasons = _result(session, allegation, links, attempts)
    return Corroboration(allegation_id=allegation.id, result=result, reasons=reasons, concluded_at=clock.now())


def _result(
    session: Session, allegation: Allegation, links: Sequence[Link], attempts: Sequence[ContactAttempt]
) -> tuple[CorroborationResult, list[dict[str, str]]]:
    findings = _standing(session, links)
    same = [finding for finding in findings if finding.category == allegation.category]
    if same:
        return CorroborationResult.SUPPORTED, [_named(same)]
    if findings:
        return CorroborationResult.PARTLY, [_named(findings)]
    in_time = _in_time(allegation, attempts)
    answered = [attempt for attempt in in_time if attempt.outcome is Outcome.ANSWERED]
    heard = _heard(session, answered)
    silent = [attempt for attempt in answered if attempt.id not in heard]
    if silent:
        return CorroborationResult.RECORDS_INCOMPLETE, [_contacts("no_recording", silent)]
    if heard or any(attempt.channel is not Channel.CALL for attempt in in_time):
        return CorroborationResult.CONTRADICTED, [_contacts("nothing_found", in_time)]
    return CorroborationResult.NO_RECORD, [_contacts("no_contact", in_time)]


def _standing(session: Session, links: Sequence[Link]) -> list[Finding]:
    """Return the linked findings that no reviewer dismissed and whose time does not speak against them."""
    fitting = [link for link in links if all(reason["code"] != OTHER_TIME for reason in link.reasons)]
    findings = session.scalars(select(Finding).where(Finding.id.in_([link.finding_id for link in fitting]))).all()
    return [f for f in findings if not f.dispositions or f.dispositions[-1].verdict is not Verdict.DISMISSED]


def _in_time(allegation: Allegation, attempts: Sequence[ContactAttempt]) -> list[ContactAttempt]:
    if allegation.from_at is None or allegation.to_at is None:
        return []
    first, last = allegation.from_at - MARGIN, allegation.to_at + MARGIN
    return [attempt for attempt in attempts if first <= attempt.started_at <= last]


def _heard(session: Session, attempts: Sequence[ContactAttempt]) -> set[int]:
    """Return which of the contacts have a recording with a transcript."""
    query = (
        select(Recording.attempt_id)
        .join(Transcript, Transcript.recording_id == Recording.id)
        .where(Recording.attempt_id.in_([attempt.id for attempt in attempts]))
    )
    return set(session.scalars(query))


def _named(findings: Sequence[Finding]) -> dict[str, str]:
    unreviewed = sum(not finding.dispositions for finding in findings)
    numbers = "、".join(str(finding.id) for finding in findings)
    return {
        "code": "findings",
        "zh": f"检出项 {numbers}，其中 {unreviewed} 项尚未复核",
        "en": f"findings {numbers.replace('、', ', ')}, {unreviewed} of them not yet reviewed",
    }


CONTACT_REASONS = {
    "no_recording": ("该时段有 {n} 次已接通联络但无录音", "{n} answered contacts in that time have no recording"),
    "nothing_found": (
        "该时段有 {n} 次有记录的联络，未检出所述情形",
        "{n} recorded contacts in that time hold no such finding",
    ),
    "no_contact": ("该时段无已接通联络（共 {n} 次未接通）", "no answered contact in that time ({n} unanswered)"),
}


def _contacts(code: str, attempts: Sequence[ContactAttempt]) -> dict[str, str]:
    zh, en = CONTACT_REASONS[code]
    return {"code": code, "zh": zh.format(n=len(attempts)), "en": en.format(n=len(attempts))}
