"""Translate stored contacts into the plain values that the rule engine reads."""

from __future__ import annotations

from audit_service import detection
from audit_service.contacts.models import CeaseRequest, Channel, Consent, ContactAttempt, Message, Outcome
from audit_service.transcription.models import Transcript
from audit_service.transcription.speakers import UNKNOWN


def conversation_of_transcript(transcript: Transcript) -> detection.Conversation:
    """Return a recorded call as a conversation of turns; one turn is one segment.

    Where it is uncertain who is the agent, nobody is named as the speaker: rules then do what they do with strangers.
    """
    attempt = transcript.recording.attempt
    is_named = not transcript.are_roles_uncertain
    turns = tuple(
        detection.Turn(
            speaker=segment.speaker.value if is_named else UNKNOWN,
            text=segment.read_text,
            start_s=segment.start_s,
            end_s=segment.end_s,
            confidence=segment.confidence,
        )
        for segment in transcript.segments
    )
    return _conversation(attempt, turns, source="asr", language=transcript.language)


def conversation_of_message(message: Message) -> detection.Conversation:
    """Return one message as a conversation of one turn."""
    turn = detection.Turn(speaker=message.sender.value, text=message.text)
    return _conversation(message.attempt, (turn,), source="typed", language=None)


def _conversation(
    attempt: ContactAttempt, turns: tuple[detection.Turn, ...], *, source: str, language: str | None
) -> detection.Conversation:
    return detection.Conversation(
        id=str(attempt.id),
        turns=turns,
        source=source,
        channel=attempt.channel.value,
        recipient=attempt.recipient.value,
        at=attempt.started_at,
        timezone=attempt.timezone,
        language=language,
        jurisdictions=(attempt.institution.jurisdiction,),
        known_agencies=(attempt.institution.name, attempt.agency.name),
        direction=attempt.direction.value,
        is_in_log=True,
    )


def attempt_value(attempt: ContactAttempt, *, has_recording: bool) -> detection.Attempt:
    """Return a contact attempt as the event rules read it."""
    return detection.Attempt(
        id=str(attempt.id),
        borrower_id=str(attempt.borrower_id),
        contact_person_id=None if attempt.contact_person_id is None else str(attempt.contact_person_id),
        is_related=None if attempt.contact_person is None else attempt.contact_person.is_related,
        number=attempt.number,
        agency_id=str(attempt.agency_id),
        institution_id=str(attempt.institution_id),
        channel=attempt.channel.value,
        direction=attempt.direction.value,
        started_at=attempt.started_at,
        timezone=attempt.timezone,
        is_answered=attempt.is_answered,
        talk_s=attempt.talk_s,
        recipient=attempt.recipient.value,
        has_recording=has_recording if attempt.channel is Channel.CALL else None,
        jurisdiction=attempt.institution.jurisdiction,
        outcome=None if attempt.outcome is Outcome.UNKNOWN else attempt.outcome.value,
    )


def cease_value(request: CeaseRequest) -> detection.CeaseRequest:
    """Return a cease request as the event rules read it."""
    return detection.CeaseRequest(
        borrower_id=str(request.borrower_id),
        contact_person_id=None if request.contact_person_id is None else str(request.contact_person_id),
        at=request.requested_at,
        scope=request.scope,
        channel=None if request.channel is None else request.channel.value,
        attempt_id=None if request.attempt_id is None else str(request.attempt_id),
    )


def consent_value(consent: Consent) -> detection.Consent:
    """Return a consent as the event rules read it."""
    return detection.Consent(
        borrower_id=str(consent.borrower_id), kind=consent.kind, from_at=consent.from_at, to_at=consent.to_at
    )
