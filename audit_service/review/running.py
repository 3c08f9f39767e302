"""Run the rule packs over stored contacts and keep what they find.

A run adds; it never rewrites. Findings that a new run makes again stay the same rows, so that a reviewer's
disposition stays with them; findings that it no longer makes stay on record but are not current.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from audit_service import clock
from audit_service.contacts.models import CeaseRequest, Channel, ContactAttempt, Message, Recording, Speaker
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.detection import Complaint, Conversation, Engine, FoundFinding, ScanResult
from audit_service.detection.cease_terms import CeaseTerms, terms_of
from audit_service.errors import NotFoundError
from audit_service.queue import DETECT, enqueue
from audit_service.review.conversations import conversation_of_message, conversation_of_transcript
from audit_service.review.history import contact_log
from audit_service.review.judging import Judge, with_opinions
from audit_service.review.models import DetectionRun, Finding, FindingKind, PackVersion, RunScope, Severity
from audit_service.review.packs import stored_version
from audit_service.review.speaking import spoken_only
from audit_service.transcription.models import Segment, Transcript


@dataclass(frozen=True)
class RunSummary:
    """What one run did: findings made anew, kept from before, and no longer made."""

    new: int
    kept: int
    gone: int


@dataclass(frozen=True)
class _Subject:
    """What a run looked at, and where in storage its turns stand."""

    scope: RunScope
    subject_id: int
    attempt_id: int | None = None
    transcript_id: int | None = None
    segments: Sequence[Segment] = ()
    message_id: int | None = None
    rules: dict[str, PackVersion] = field(default_factory=dict)


def run_transcript(session: Session, engine: Engine, recording_id: int, judge: Judge | None = None) -> RunSummary:
    """Run the packs over the newest transcript of a recording.

    Raises:
        NotFoundError: the recording has no transcript yet.
    """
    query = (
        select(Transcript)
        .where(Transcript.recording_id == recording_id)
        .order_by(Transcript.version.desc())
        .limit(1)
        .options(joinedload(Transcript.recording).joinedload(Recording.attempt))
    )
    transcript = session.scalar(query)
    if transcript is None:
        raise NotFoundError(f"Recording {recording_id} has no transcript.", remedy="Transcribe it first.")
    attempt = transcript.recording.attempt
    conversation = conversation_of_transcript(transcript)
    result = _scanned(engine, transcript, conversation)
    result = with_opinions(judge, engine, conversation, result)
    subject = _Subject(
        RunScope.CONVERSATION,
        attempt.id,
        attempt.id,
        transcript.id,
        segments=transcript.segments,
        rules=_pack_versions(session, engine),
    )
    summary = _keep(session, subject, result)
    _note_cease_requests(session, attempt, result.findings)
    return summary


def _scanned(engine: Engine, transcript: Transcript, conversation: Conversation) -> ScanResult:
    """Return what the rules say; nothing of a call in a language that was not listened to, absences least of all."""
    if transcript.options.get("unsupported_language"):
        return ScanResult()
    return spoken_only(engine.scan(conversation), transcript)


def run_messages(
    session: Session, engine: Engine, first_id: int, last_id: int, judge: Judge | None = None
) -> RunSummary:
    """Run the packs over the messages whose ids lie in the closed range; ids that do not exist are skipped."""
    query = (
        select(Message)
        .where(Message.id.between(first_id, last_id))
        .order_by(Message.id)
        .options(
            joinedload(Message.attempt).joinedload(ContactAttempt.agency),
            joinedload(Message.attempt).joinedload(ContactAttempt.institution),
        )
    )
    packs = _pack_versions(session, engine)
    total = RunSummary(0, 0, 0)
    messages = session.scalars(query).all()
    conversations = [conversation_of_message(message) for message in messages]
    results = engine.scan_many(conversations)
    for message, conversation, found in zip(messages, conversations, results, strict=True):
        result = with_opinions(judge, engine, conversation, found)
        subject = _Subject(
            RunScope.CONVERSATION, message.attempt_id, message.attempt_id, message_id=message.id, rules=packs
        )
        one = _keep(session, subject, result)
        total = RunSummary(total.new + one.new, total.kept + one.kept, total.gone + one.gone)
        _note_cease_requests(session, message.attempt, result.findings)
    return total


def run_contact_log(
    session: Session, engine: Engine, borrower_id: int, complaints: Sequence[Complaint] = ()
) -> RunSummary:
    """Run the event rules over all contact attempts that concern one borrower; ``complaints`` are those he filed."""
    log = contact_log(session, borrower_id)
    result = engine.scan_log(log.attempts, log.cease_requests, log.consents, complaints)
    subject = _Subject(RunScope.CONTACT_LOG, borrower_id, rules=_pack_versions(session, engine))
    return _keep(session, subject, result)


def _pack_versions(session: Session, engine: Engine) -> dict[str, PackVersion]:
    """Return, by rule id, the stored version of the pack it belongs to; stores packs seen for the first time."""
    versions: dict[str, PackVersion] = {}
    for pack in engine.packs:
        stored = stored_version(session, pack)
        versions.update(dict.fromkeys((rule.id for rule in pack.rules), stored))
    return versions


def _keep(session: Session, subject: _Subject, result: ScanResult) -> RunSummary:
    former = session.scalars(
        select(Finding)
        .join(DetectionRun, DetectionRun.id == Finding.run_id)
        .where(Finding.is_current, DetectionRun.scope == subject.scope, DetectionRun.subject_id == subject.subject_id)
    ).all()
    run = _begin_run(session, subject, result)
    remaining = {_stored_key(finding): finding for finding in former}
    made: list[Finding] = []
    kept: list[int] = []
    for found in result.findings:
        finding = _finding(run, subject, found)
        known = remaining.pop(_stored_key(finding), None)
        if known is None:
            made.append(finding)
        else:
            known.run_id = run.id
            kept.append(known.id)
    for gone in remaining.values():
        gone.is_current = False
    session.add_all(made)
    session.flush()
    run.finding_ids = sorted([*kept, *(finding.id for finding in made)])
    _flag_in_ledger(session, subject, run, made, len(remaining))
    return RunSummary(new=len(made), kept=len(kept), gone=len(remaining))


def _begin_run(session: Session, subject: _Subject, result: ScanResult) -> DetectionRun:
    session.execute(
        update(DetectionRun)
        .where(
            DetectionRun.scope == subject.scope, DetectionRun.subject_id == subject.subject_id, DetectionRun.is_current
        )
        .values(is_current=False)
    )
    run = DetectionRun(
        scope=subject.scope,
        subject_id=subject.subject_id,
        digests=sorted({version.digest for version in subject.rules.values()}),
        started_at=clock.now(),
        transcript_id=subject.transcript_id,
        undetermined=[
            {"rule": item.rule_id, "subject": item.subject, "missing": item.missing} for item in result.undetermined
        ],
    )
    session.add(run)
    session.flush()
    return run


def _stored_key(finding: Finding) -> tuple[Any, ...]:
    """What makes two findings the same: the rule, its version and pack, and the place."""
    return (
        finding.rule_id,
        finding.rule_version,
        finding.attempt_id,
        finding.transcript_id,
        finding.segment_id,
        finding.message_id,
        finding.start_offset,
        finding.end_offset,
        tuple(sorted(finding.related_attempt_ids)),
    )


def _finding(run: DetectionRun, subject: _Subject, found: FoundFinding) -> Finding:
    has_words = found.turn is not None
    segment = subject.segments[found.turn] if found.turn is not None and subject.segments else None
    return Finding(
        run_id=run.id,
        pack_version_id=subject.rules[found.rule_id].id,
        attempt_id=subject.attempt_id if subject.attempt_id is not None else int(found.subject),
        transcript_id=subject.transcript_id,
        segment_id=None if segment is None else segment.id,
        message_id=subject.message_id,
        rule_id=found.rule_id,
        rule_version=found.rule_version,
        rule_digest=found.rule_digest,
        category=found.category,
        kind=FindingKind(found.kind),
        severity=Severity(found.severity),
        points=found.points,
        is_fatal=found.is_fatal,
        needs_listening=found.needs_listening,
        speaker=Speaker(found.speaker),
        quote=found.quote,
        start_offset=found.start if has_words else None,
        end_offset=found.end if has_words else None,
        start_s=found.start_s,
        end_s=found.end_s,
        score=found.score,
        plane=found.plane,
        explanation=dict(found.explanation) | {"edits": found.edits},
        related_attempt_ids=[int(attempt) for attempt in found.related],
        found_at=run.started_at,
        is_current=True,
    )


def _flag_in_ledger(session: Session, subject: _Subject, run: DetectionRun, made: Sequence[Finding], gone: int) -> None:
    if not made and not gone:
        return
    detail: dict[str, str | int | bool] = {
        "run": run.id,
        "new": len(made),
        "gone": gone,
        "rules": ",".join(sorted({f.rule_id for f in made})),
    }
    custody.record(session, Act(Action.FLAGGED, subject.scope.value, str(subject.subject_id), detail=detail))


def _note_cease_requests(session: Session, attempt: ContactAttempt, findings: Sequence[FoundFinding]) -> None:
    """Turn a heard or read cease request into a dated fact that the event rules use from then on."""
    heard = [found for found in findings if found.category == "cease_request"]
    known = session.scalar(select(CeaseRequest.id).where(CeaseRequest.attempt_id == attempt.id).limit(1))
    if not heard or known is not None:
        return
    terms = cease_terms(heard[0])
    session.add(
        CeaseRequest(
            borrower_id=attempt.borrower_id,
            contact_person_id=attempt.contact_person_id,
            attempt_id=attempt.id,
            requested_at=attempt.started_at,
            scope=terms.scope,
            channel=None if terms.channel is None else Channel(terms.channel),
            words=heard[0].quote,
        )
    )
    session.flush()
    once = f"contact-log:{attempt.borrower_id}"
    enqueue(session, "detect_contact_log", queue=DETECT, once=once, borrower_id=attempt.borrower_id)


def cease_terms(found: FoundFinding) -> CeaseTerms:
    """Return what a cease request covers: as its rule says (``represented``), else as its words say."""
    stated = found.explanation.get("scope")
    return terms_of(found.quote) if stated is None else CeaseTerms(str(stated))
