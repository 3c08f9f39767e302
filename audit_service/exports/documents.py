"""The documents of a package: one JSON object a line, without names, telephone numbers or receipt codes of persons.

A borrower is known by the institution's own reference. Quotations, narratives and message texts stand as they are:
they are the matter itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from audit_service.complaints.models import Allegation, Complaint, Decision
from audit_service.contacts.models import ContactAttempt, Message, Recording
from audit_service.exports.selection import Selection
from audit_service.review.models import Finding, PackVersion
from audit_service.transcription.models import Segment, Transcript

BATCH = 500
Record = dict[str, Any]


def lines(records: Iterator[Record]) -> Iterator[bytes]:
    """Write records as JSON Lines: UTF-8, keys in order, one line each."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def contact_records(session: Session, selection: Selection) -> Iterator[Record]:
    """Yield the contact attempts of a selection, with the text of those that are messages."""
    rows = session.execute(
        select(ContactAttempt, Message)
        .outerjoin(Message, Message.attempt_id == ContactAttempt.id)
        .where(selection.attempts)
        .order_by(ContactAttempt.id)
        .options(*_of_attempt())
        .execution_options(yield_per=BATCH)
    )
    for attempt, message in rows:
        yield _attempt(attempt) | {"source_row": attempt.source_row, "message": _message(message)}


def finding_records(session: Session, selection: Selection) -> Iterator[Record]:
    """Yield the findings of a selection with rule, place, score and dispositions."""
    rows = session.scalars(
        select(Finding)
        .join(Finding.attempt)
        .where(selection.findings)
        .order_by(Finding.id)
        .options(
            selectinload(Finding.attempt).options(*_of_attempt()),
            selectinload(Finding.pack_version),
            selectinload(Finding.dispositions),
            joinedload(Finding.segment),
            joinedload(Finding.transcript),
        )
        .execution_options(yield_per=BATCH)
    )
    return map(_finding, rows)


def transcript_records(session: Session, selection: Selection) -> Iterator[Record]:
    """Yield every version of the transcripts of the recordings of a selection."""
    rows = session.scalars(
        select(Transcript)
        .join(Transcript.recording)
        .join(Recording.attempt)
        .where(selection.attempts)
        .order_by(Transcript.id)
        .options(
            selectinload(Transcript.segments),
            selectinload(Transcript.recording).joinedload(Recording.exhibit),
            selectinload(Transcript.recording).joinedload(Recording.attempt),
        )
        .execution_options(yield_per=BATCH)
    )
    return map(_transcript, rows)


def complaint_records(session: Session, selection: Selection) -> Iterator[Record]:
    """Yield the complaints of a selection with what was stated, asked, found and decided."""
    rows = session.scalars(
        select(Complaint)
        .where(selection.complaints)
        .order_by(Complaint.id)
        .options(
            joinedload(Complaint.institution),
            joinedload(Complaint.borrower),
            selectinload(Complaint.allegations).options(
                joinedload(Allegation.corroboration), selectinload(Allegation.links)
            ),
            selectinload(Complaint.requests),
            selectinload(Complaint.clocks),
            selectinload(Complaint.events),
        )
        .execution_options(yield_per=BATCH)
    )
    for complaint in rows:
        decisions = session.scalars(select(Decision).where(Decision.complaint_id == complaint.id).order_by(Decision.id))
        yield _complaint(complaint) | {"decisions": [_decision(decision) for decision in decisions]}


def pack_records(session: Session, selection: Selection) -> Iterator[Record]:
    """Yield the rule packs as they stood when they flagged the findings of a selection."""
    used = select(Finding.pack_version_id).join(Finding.attempt).where(selection.findings)
    for row in session.scalars(select(PackVersion).where(PackVersion.id.in_(used)).order_by(PackVersion.id)):
        yield {
            "pack": row.pack,
            "version": row.version,
            "digest": row.digest,
            "rules": row.rules,
            "first_used_at": _instant(row.first_used_at),
        }


DOCUMENTS: Mapping[str, Callable[[Session, Selection], Iterator[Record]]] = {
    "contacts.jsonl": contact_records,
    "findings.jsonl": finding_records,
    "transcripts.jsonl": transcript_records,
    "complaints.jsonl": complaint_records,
    "rule_packs.jsonl": pack_records,
}
"""Every document of records in a package, by its name."""


def _of_attempt() -> tuple[Any, ...]:
    return (
        joinedload(ContactAttempt.borrower),
        joinedload(ContactAttempt.agency),
        joinedload(ContactAttempt.agent),
        joinedload(ContactAttempt.institution),
    )


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _attempt(attempt: ContactAttempt) -> Record:
    return {
        "id": attempt.id,
        "reference": attempt.reference,
        "institution": attempt.institution.code,
        "agency": attempt.agency.code,
        "staff_number": attempt.agent.staff_number if attempt.agent else None,
        "borrower": attempt.borrower.reference,
        "channel": attempt.channel.value,
        "direction": attempt.direction.value,
        "recipient": attempt.recipient.value,
        "started_at": _instant(attempt.started_at),
        "timezone": attempt.timezone,
        "outcome": attempt.outcome.value,
        "talk_s": attempt.talk_s,
    }


def _message(message: Message | None) -> Record | None:
    return None if message is None else {"sender": message.sender.value, "text": message.text}


def _finding(finding: Finding) -> Record:
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "category": finding.category,
        "severity": finding.severity.value,
        "points": finding.points,
        "is_fatal": finding.is_fatal,
        "needs_listening": finding.needs_listening,
        "rule": finding.rule_id,
        "rule_version": finding.rule_version,
        "rule_digest": finding.rule_digest,
        "pack_digest": finding.pack_version.digest,
        "contact": _attempt(finding.attempt),
        "speaker": finding.speaker.value,
        "quote": finding.quote,
        "start_offset": finding.start_offset,
        "end_offset": finding.end_offset,
        "start_s": finding.start_s,
        "end_s": finding.end_s,
        "transcript_version": finding.transcript.version if finding.transcript else None,
        "segment_position": finding.segment.position if finding.segment else None,
        "score": finding.score,
        "plane": finding.plane,
        "explanation": finding.explanation,
        "related_attempts": finding.related_attempt_ids,
        "found_at": _instant(finding.found_at),
        "is_current": finding.is_current,
        "dispositions": [
            {
                "verdict": row.verdict.value,
                "reason": row.reason,
                "reviewer": f"user:{row.user_id}",
                "decided_at": _instant(row.decided_at),
            }
            for row in finding.dispositions
        ],
    }


def _transcript(transcript: Transcript) -> Record:
    return {
        "contact": transcript.recording.attempt.reference,
        "exhibit": transcript.recording.exhibit.number,
        "exhibit_sha256": transcript.recording.exhibit.sha256,
        "version": transcript.version,
        "engine": transcript.engine,
        "model": transcript.model,
        "model_sha256": transcript.model_sha256,
        "options": transcript.options,
        "language": transcript.language,
        "created_at": _instant(transcript.created_at),
        "segments": [_segment(segment) for segment in transcript.segments],
    }


def _segment(segment: Segment) -> Record:
    return {
        "position": segment.position,
        "channel": segment.channel,
        "speaker": segment.speaker.value,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "text": segment.text,
        "corrected_text": None if segment.edit is None else segment.edit.text,
        "text_original": segment.text_original,
        "confidence": segment.confidence,
    }


def _complaint(complaint: Complaint) -> Record:
    return {
        "number": complaint.number,
        "institution": complaint.institution.code,
        "borrower": complaint.borrower.reference if complaint.borrower else None,
        "on_behalf": complaint.on_behalf,
        "language": complaint.language,
        "jurisdiction": complaint.jurisdiction,
        "route": complaint.route,
        "status": complaint.status.value,
        "is_urgent": complaint.is_urgent,
        "submitted_at": _instant(complaint.submitted_at),
        "narrative": complaint.narrative,
        "allegations": [_allegation(allegation) for allegation in complaint.allegations],
        "requests": [{"kind": request.kind.value, "detail": request.detail} for request in complaint.requests],
        "clocks": [
            {
                "kind": row.kind,
                "basis": row.basis,
                "started_at": _instant(row.started_at),
                "due_at": _instant(row.due_at),
                "stopped_at": _instant(row.stopped_at),
            }
            for row in complaint.clocks
        ],
        "events": [
            {"status": row.status.value, "note": row.note, "occurred_at": _instant(row.occurred_at)}
            for row in complaint.events
        ],
    }


def _allegation(allegation: Allegation) -> Record:
    found = allegation.corroboration
    return {
        "position": allegation.position,
        "category": allegation.category,
        "words": allegation.words,
        "when": allegation.when_text,
        "from_at": _instant(allegation.from_at),
        "to_at": _instant(allegation.to_at),
        "result": found.result.value if found else None,
        "reasons": found.reasons if found else [],
        "links": [
            {"finding": link.finding_id, "score": link.score, "reasons": link.reasons} for link in allegation.links
        ],
    }


def _decision(decision: Decision) -> Record:
    return {
        "outcome": decision.outcome,
        "text": decision.text,
        "remedies": decision.remedies,
        "decided_by": f"user:{decision.user_id}",
        "decided_at": _instant(decision.decided_at),
    }
