"""Read stored contacts of a range of days, to judge them by other rules than those that judged them; writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session, joinedload, selectinload

from audit_service.contacts.models import CeaseRequest, Consent, ContactAttempt, Message, Recording
from audit_service.detection import Conversation, Engine
from audit_service.detection.comparing import Comparison, compare, compare_logs
from audit_service.detection.contact_log import Log
from audit_service.review.conversations import (
    attempt_value,
    cease_value,
    consent_value,
    conversation_of_message,
    conversation_of_transcript,
)
from audit_service.review.queries import midnight
from audit_service.transcription.models import Transcript

AT_ONCE = 200
_PARTIES = (joinedload(ContactAttempt.agency), joinedload(ContactAttempt.institution))


def compare_history(session: Session, old: Engine, new: Engine, days: tuple[date, date]) -> Comparison:
    """Judge all contacts of a closed range of civil days by both engines; the database refuses any write meanwhile."""
    session.execute(text("SET TRANSACTION READ ONLY"))
    return compare(old, new, conversations(session, _within(days))).with_others(
        compare_logs(old, new, _logs(session, days))
    )


def conversations_of(session: Session, attempt_id: int) -> list[Conversation]:
    """Return what is stored of one contact as conversations: its call as last written down, or its messages."""
    return list(conversations(session, [ContactAttempt.id == attempt_id]))


def conversations(session: Session, wanted: Collection[ColumnElement[bool]]) -> Iterator[Conversation]:
    """Yield the calls, each in its newest transcript, and then the messages of the contacts that are ``wanted``."""
    newest = (
        select(func.max(Transcript.version))
        .where(Transcript.recording_id == Recording.id)
        .correlate(Recording)
        .scalar_subquery()
    )
    calls = (
        select(Transcript)
        .join(Transcript.recording)
        .join(Recording.attempt)
        .where(Transcript.version == newest, *wanted)
        .order_by(Transcript.id)
        .options(
            joinedload(Transcript.recording).joinedload(Recording.attempt).options(*_PARTIES),
            selectinload(Transcript.segments),
        )
    )
    for transcript in session.scalars(calls.execution_options(yield_per=AT_ONCE)):
        yield conversation_of_transcript(transcript)
    messages = (
        select(Message)
        .join(Message.attempt)
        .where(*wanted)
        .order_by(Message.id)
        .options(joinedload(Message.attempt).options(*_PARTIES))
    )
    for message in session.scalars(messages.execution_options(yield_per=AT_ONCE)):
        yield conversation_of_message(message)


def contact_log(session: Session, borrower_id: int) -> Log:
    """Return all contact attempts that concern one borrower, with the requests and consents that bear on them."""
    attempts = session.scalars(
        select(ContactAttempt)
        .where(ContactAttempt.borrower_id == borrower_id)
        .order_by(ContactAttempt.started_at, ContactAttempt.id)
        .options(joinedload(ContactAttempt.institution), joinedload(ContactAttempt.contact_person))
    ).all()
    recorded = set(
        session.scalars(
            select(Recording.attempt_id)
            .join(ContactAttempt, ContactAttempt.id == Recording.attempt_id)
            .where(ContactAttempt.borrower_id == borrower_id)
        )
    )
    ceases = session.scalars(
        select(CeaseRequest).where(CeaseRequest.borrower_id == borrower_id).order_by(CeaseRequest.id)
    )
    consents = session.scalars(select(Consent).where(Consent.borrower_id == borrower_id).order_by(Consent.id))
    return Log(
        tuple(attempt_value(attempt, has_recording=attempt.id in recorded) for attempt in attempts),
        tuple(cease_value(request) for request in ceases),
        tuple(consent_value(consent) for consent in consents),
    )


def _logs(session: Session, days: tuple[date, date]) -> Iterator[tuple[Log, Collection[str]]]:
    """Yield the contact log of each borrower with an attempt in the range, and which attempts lie in it."""
    query = (
        select(ContactAttempt.borrower_id, func.array_agg(ContactAttempt.id))
        .where(*_within(days))
        .group_by(ContactAttempt.borrower_id)
        .order_by(ContactAttempt.borrower_id)
    )
    for borrower_id, ids in session.execute(query).all():
        yield contact_log(session, borrower_id), {str(attempt_id) for attempt_id in ids}


def _within(days: tuple[date, date]) -> list[ColumnElement[bool]]:
    begin, end = days
    return [
        ContactAttempt.started_at >= midnight(begin),
        ContactAttempt.started_at < midnight(end + timedelta(days=1)),
    ]
