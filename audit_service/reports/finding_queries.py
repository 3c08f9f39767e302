"""Reads findings with all that supports them, in a number of queries that does not grow with the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FunctionElement, Over, case, func, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from audit_service.contacts.models import ContactAttempt, Message, Recording
from audit_service.custody.models import Exhibit
from audit_service.organizations.models import Institution, User
from audit_service.reports.masking import masked_name, masked_phone
from audit_service.reports.values import (
    AttemptLine,
    Authority,
    DispositionLine,
    ExhibitLine,
    FindingEntry,
    Passage,
    RuleText,
    Turn,
)
from audit_service.review.models import Disposition, Finding, FindingKind, Severity
from audit_service.review.packs import rule_on
from audit_service.transcription.certainty import unsure_spans
from audit_service.transcription.models import Segment

RELATED_SHOWN = 30
GRAVITY = case({severity.value: place for place, severity in enumerate(Severity)}, value=Finding.severity)


@dataclass
class _Support:
    """What the findings of one report lean on, by key."""

    recordings: dict[int, Exhibit] = field(default_factory=dict)
    exhibits: dict[int, Exhibit] = field(default_factory=dict)
    attempts: dict[int, ContactAttempt] = field(default_factory=dict)
    segments: dict[tuple[int, int], Segment] = field(default_factory=dict)
    neighbours: dict[int, tuple[Turn | None, Turn | None]] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)


def finding_entries(
    session: Session, scope: ColumnElement[bool], kind: FindingKind, lender: Institution, limit: int
) -> tuple[FindingEntry, ...]:
    """Return at most ``limit`` findings of ``scope``, gravest first, then oldest contact first."""
    findings = session.scalars(
        select(Finding)
        .join(ContactAttempt, Finding.attempt_id == ContactAttempt.id)
        .where(scope, Finding.kind == kind)
        .order_by(GRAVITY, ContactAttempt.started_at, Finding.id)
        .limit(limit)
        .options(
            selectinload(Finding.pack_version),
            selectinload(Finding.dispositions),
            joinedload(Finding.segment),
            joinedload(Finding.transcript),
            joinedload(Finding.message),
        )
    ).all()
    support = _support(session, findings)
    return tuple(_entry(finding, support, lender) for finding in findings)


def attempts_by_id(session: Session, ids: Iterable[int]) -> dict[int, ContactAttempt]:
    """Return contact attempts with their borrower, agency and agent, by id."""
    rows = session.scalars(
        select(ContactAttempt)
        .where(ContactAttempt.id.in_(set(ids)))
        .options(
            joinedload(ContactAttempt.borrower), joinedload(ContactAttempt.agency), joinedload(ContactAttempt.agent)
        )
    )
    return {row.id: row for row in rows}


def exhibits_by_id(session: Session, ids: Iterable[int]) -> dict[int, Exhibit]:
    """Return exhibits by id."""
    return {row.id: row for row in session.scalars(select(Exhibit).where(Exhibit.id.in_(set(ids))))}


def recordings_by_attempt(session: Session, attempt_ids: Iterable[int]) -> dict[int, Exhibit]:
    """Return the sealed recording of each attempt that has one, by the attempt's id."""
    rows = session.execute(
        select(Recording.attempt_id, Exhibit)
        .join(Exhibit, Recording.exhibit_id == Exhibit.id)
        .where(Recording.attempt_id.in_(set(attempt_ids)))
    )
    return dict(rows.all())


def user_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the display name of users by id; one who has none is named by the account's number."""
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(set(ids))))
    return {user_id: name or f"#{user_id}" for user_id, name in rows}


def exhibit_line(exhibit: Exhibit) -> ExhibitLine:
    """Return the line of the annex for an exhibit."""
    return ExhibitLine(
        number=exhibit.number,
        kind=exhibit.kind.value,
        media_type=exhibit.media_type,
        size_bytes=exhibit.size_bytes,
        sha256=exhibit.sha256,
        route=exhibit.route,
        received_at=exhibit.received_at,
    )


def attempt_line(attempt: ContactAttempt, exhibits: Mapping[int, Exhibit], lender: Institution) -> AttemptLine:
    """Return a contact attempt as it is printed, the person masked."""
    log = exhibits.get(attempt.exhibit_id) if attempt.exhibit_id else None
    return AttemptLine(
        id=attempt.id,
        reference=attempt.reference,
        started_at=attempt.started_at,
        zone=attempt.timezone or lender.timezone,
        zone_is_known=attempt.timezone is not None,
        channel=attempt.channel.value,
        direction=attempt.direction.value,
        recipient=attempt.recipient.value,
        outcome=attempt.outcome.value,
        talk_s=attempt.talk_s,
        agency=attempt.agency.name,
        staff_number=attempt.agent.staff_number if attempt.agent else "",
        borrower=masked_name(attempt.borrower.name),
        borrower_reference=attempt.borrower.reference,
        number=masked_phone(attempt.number),
        exhibit_number=log.number if log else "",
        source_row=attempt.source_row,
    )


def rule_text(finding: Finding, attempt: ContactAttempt, lender: Institution) -> RuleText:
    """Return a rule as its pack's snapshot has it, with the authorities of the contact's day; missing: its id only."""
    pack = finding.pack_version
    rule = rule_on(pack.rules.get(finding.rule_id, {}), attempt.started_at, attempt.timezone or lender.timezone)
    return RuleText(
        id=finding.rule_id,
        version=finding.rule_version,
        title=dict(rule.get("title", {})),
        explanation=dict(rule.get("explanation", {})),
        authorities=tuple(_authority(item) for item in rule.get("authorities", ())),
        pack=pack.pack,
        pack_version=pack.version,
    )


def _authority(item: Mapping[str, Any]) -> Authority:
    return Authority(
        title=dict(item.get("title", {})),
        number=str(item.get("number") or ""),
        clause=str(item.get("clause") or item.get("article") or ""),
        weight=str(item.get("weight") or ""),
    )


def _support(session: Session, findings: Sequence[Finding]) -> _Support:
    if not findings:
        return _Support()
    shown = {attempt_id for finding in findings for attempt_id in finding.related_attempt_ids[:RELATED_SHOWN]}
    attempts = attempts_by_id(session, shown | {finding.attempt_id for finding in findings})
    return _Support(
        recordings=recordings_by_attempt(session, attempts),
        exhibits=exhibits_by_id(session, (row.exhibit_id for row in attempts.values() if row.exhibit_id)),
        attempts=attempts,
        segments=_segments_around(session, findings),
        neighbours=_messages_around(session, findings),
        users=user_names(session, (item.user_id for finding in findings for item in finding.dispositions)),
    )


def _segments_around(session: Session, findings: Iterable[Finding]) -> dict[tuple[int, int], Segment]:
    places = {
        (finding.segment.transcript_id, finding.segment.position + step)
        for finding in findings
        if finding.segment is not None
        for step in (-1, 1)
    }
    rows = session.scalars(select(Segment).where(tuple_(Segment.transcript_id, Segment.position).in_(places)))
    return {(row.transcript_id, row.position): row for row in rows}


def _messages_around(session: Session, findings: Iterable[Finding]) -> dict[int, tuple[Turn | None, Turn | None]]:
    """Return the message before and the one after in the same thread, by message id."""
    cited = {finding.message.id: finding.message.thread for finding in findings if finding.message is not None}
    columns = (Message.sender, Message.text, ContactAttempt.started_at)
    threads = (
        select(
            Message.id,
            *(_in_thread(func.lag(column)).label(f"before_{place}") for place, column in enumerate(columns)),
            *(_in_thread(func.lead(column)).label(f"after_{place}") for place, column in enumerate(columns)),
        )
        .join(ContactAttempt, Message.attempt_id == ContactAttempt.id)
        .where(Message.thread.in_(set(cited.values())))
        .subquery()
    )
    rows = session.execute(select(threads).where(threads.c.id.in_(cited)))
    return {row[0]: (_message_turn(row[1:4]), _message_turn(row[4:7])) for row in rows}


def _in_thread(neighbour: FunctionElement[Any]) -> Over[Any]:
    return neighbour.over(partition_by=Message.thread, order_by=(ContactAttempt.started_at, Message.id))


def _message_turn(columns: Sequence[Any]) -> Turn | None:
    sender, text, sent_at = columns
    return None if sender is None else Turn(speaker=str(sender), text=text, sent_at=sent_at)


def _segment_turn(segment: Segment, *, is_guess: bool) -> Turn:
    return Turn(
        speaker=segment.speaker.value,
        text=segment.read_text,
        start_s=segment.start_s,
        unsure=unsure_spans(segment),
        is_guess=is_guess,
        machine_text="" if segment.edit is None else segment.text,
        corrected_by="" if segment.edit is None else segment.edit.actor,
    )


def _entry(finding: Finding, support: _Support, lender: Institution) -> FindingEntry:
    attempt = support.attempts[finding.attempt_id]
    exhibit = support.recordings.get(attempt.id) if finding.transcript_id else None
    exhibit = exhibit or (support.exhibits.get(attempt.exhibit_id) if attempt.exhibit_id else None)
    related = [support.attempts[key] for key in finding.related_attempt_ids[:RELATED_SHOWN] if key in support.attempts]
    return FindingEntry(
        id=finding.id,
        kind=finding.kind.value,
        severity=finding.severity.value,
        category=finding.category,
        rule=rule_text(finding, attempt, lender),
        attempt=attempt_line(attempt, support.exhibits, lender),
        quote=finding.quote,
        score=finding.score,
        plane=finding.plane,
        explanation=finding.explanation,
        is_current=finding.is_current,
        passage=_passage(finding, attempt, support),
        start_s=finding.start_s,
        exhibit=exhibit_line(exhibit) if exhibit else None,
        transcript=_transcript_name(finding),
        related=tuple(attempt_line(row, support.exhibits, lender) for row in related),
        related_total=len(finding.related_attempt_ids),
        disposition=_last_disposition(finding.dispositions, support.users),
    )


def _passage(finding: Finding, attempt: ContactAttempt, support: _Support) -> Passage | None:
    if finding.segment is not None:
        segment = finding.segment
        is_guess = finding.transcript is not None and finding.transcript.are_roles_uncertain
        turn = _segment_turn(segment, is_guess=is_guess)
        around = (support.segments.get((segment.transcript_id, segment.position + step)) for step in (-1, 1))
        before, after = (None if beside is None else _segment_turn(beside, is_guess=is_guess) for beside in around)
    elif finding.message is not None:
        message = finding.message
        turn = Turn(speaker=message.sender.value, text=message.text, sent_at=attempt.started_at)
        before, after = support.neighbours.get(message.id, (None, None))
    else:
        return None
    start, end = _place(finding, turn.text)
    return Passage(turn=turn, start=start, end=end, before=before, after=after)


def _place(finding: Finding, text: str) -> tuple[int, int]:
    """Return the offsets of the quote in ``text``; nothing is highlighted where the quote does not stand."""
    start, end = finding.start_offset, finding.end_offset
    if start is not None and end is not None and text[start:end] == finding.quote:
        return start, end
    found = text.find(finding.quote) if finding.quote else -1
    return (found, found + len(finding.quote)) if found >= 0 else (0, 0)


def _transcript_name(finding: Finding) -> str:
    transcript = finding.transcript
    return "" if transcript is None else f"{transcript.engine} {transcript.model}, v{transcript.version}"


def _last_disposition(dispositions: Sequence[Disposition], users: Mapping[int, str]) -> DispositionLine | None:
    if not dispositions:
        return None
    last = dispositions[-1]
    return DispositionLine(
        verdict=last.verdict.value,
        reason=last.reason,
        reviewer=users.get(last.user_id, ""),
        decided_at=last.decided_at,
    )
