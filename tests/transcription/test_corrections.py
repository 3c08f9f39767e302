"""An officer corrects who speaks: a new version, judged anew, and the old one kept."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from audit_service.contacts.models import Recipient, Recording
from audit_service.custody.models import Action, CustodyEvent
from audit_service.custody.vault import Vault
from audit_service.database import Session, transaction
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.transcription.corrections import correct_speakers
from audit_service.transcription.models import Transcript
from tests.factories import contacts, findings, organizations

TURNS = [("agent", 0.5, 1.5, "喂？"), ("borrower", 1.6, 1.9, "法警马上到你家")]


@pytest.fixture
def recording_id(app: Flask, vault: Vault) -> int:
    with transaction() as session:
        lender = organizations.institution(session)
        agency = organizations.agency(session, lender)
        attempt = contacts.attempt(session, contacts.borrower(session, lender), agency)
        recording = contacts.recording(session, vault, attempt)
        recording.agent_channel = 0
        findings.transcript(session, recording, TURNS)
        return recording.id


def versions(session: Session, recording_id: int) -> list[list[tuple[str, str]]]:
    rows = session.query(Transcript).filter_by(recording_id=recording_id).order_by(Transcript.version)
    return [[(segment.speaker.value, segment.text) for segment in row.segments] for row in rows]


def test_swapped_sides_are_a_new_version_that_is_judged_anew(app: Flask, recording_id: int) -> None:
    with transaction() as session:
        correct_speakers(session, recording_id, "swap", user_id=7, reason=" 听过录音 ")
    with transaction() as session:
        before, after = versions(session, recording_id)
        assert before == [("agent", "喂？"), ("borrower", "法警马上到你家")]
        assert after == [("borrower", "喂？"), ("agent", "法警马上到你家")]
        assert session.get_one(Recording, recording_id).agent_channel == 1
        event = session.query(CustodyEvent).filter_by(action=Action.CORRECTED).one()
        assert (event.actor, event.detail["reason"]) == ("user:7", "听过录音")
        jobs = session.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'detect_transcript'"))
        assert [job.args["recording_id"] for job in jobs] == [recording_id]


def test_all_words_can_go_to_one_side_and_the_other_side_is_who_was_reached(app: Flask, recording_id: int) -> None:
    with transaction() as session:
        session.get_one(Recording, recording_id).attempt.recipient = Recipient.THIRD_PARTY
        made = correct_speakers(session, recording_id, "all_other", user_id=7, reason="voicemail")
        assert {segment.speaker.value for segment in made.segments} == {"third_party"}
        made = correct_speakers(session, recording_id, "all_agent", user_id=7, reason="one-sided")
        assert {segment.speaker.value for segment in made.segments} == {"agent"}
        assert made.version == 3


@pytest.mark.parametrize(
    ("correction", "reason", "message"),
    [("mute", "x", "no correction"), ("swap", "  ", "reason")],
)
def test_a_correction_without_sense_or_reason_is_refused(
    app: Flask, recording_id: int, correction: str, reason: str, message: str
) -> None:
    with pytest.raises(InputRefusedError, match=message), transaction() as session:
        correct_speakers(session, recording_id, correction, user_id=7, reason=reason)


def test_a_correction_that_changes_nothing_is_refused(app: Flask, recording_id: int) -> None:
    with transaction() as session:
        correct_speakers(session, recording_id, "all_agent", user_id=7, reason="x")
    with pytest.raises(InputRefusedError, match="nothing"), transaction() as session:
        correct_speakers(session, recording_id, "all_agent", user_id=7, reason="x")


def test_a_recording_without_a_transcript_is_named(app: Flask, vault: Vault) -> None:
    with transaction() as session:
        lender = organizations.institution(session)
        attempt = contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))
        number = contacts.recording(session, vault, attempt).id
    for missing in (number, 999_999):
        with pytest.raises(NotFoundError), transaction() as session:
            correct_speakers(session, missing, "swap", user_id=7, reason="x")
