"""Who is the agent, guessed with too little certainty: rules name nobody, people are told, an officer settles it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from audit_service.app import create_app
from audit_service.contacts.models import Recording, Speaker
from audit_service.database import Session, db, transaction
from audit_service.errors import InputRefusedError
from audit_service.intake.models import IntakeItem
from audit_service.jobs import run_worker
from audit_service.jobs.worker import WorkerOptions
from audit_service.queue import QUEUES
from audit_service.review.listening import must_be_heard
from audit_service.review.models import Finding
from audit_service.settings import Settings
from audit_service.transcription.corrections import correct_speakers, newest_transcript
from audit_service.transcription.edits import transcript_lines
from tests.jobs.test_together import call, waiting

UNTIL_EMPTY = WorkerOptions(queues=QUEUES, until_empty=True)


@pytest.fixture
def doubting(environment: dict[str, str]) -> Iterator[Flask]:
    """An instance that takes no guess of who is the agent for sure."""
    app = create_app(Settings.from_environment(environment | {"AUDIT_ROLE_THRESHOLD": "1"}))
    with app.app_context():
        yield app
        db.engine.dispose()


def worked(app: Flask) -> int:
    """Have a call transcribed and judged of which nobody said who the agent is; return its recording."""
    with transaction() as session:
        vault = app.extensions["audit_vault"]
        number = waiting(session, vault, call("zh-02"), agent_channel=None, duration_s=30.0)
    run_worker(app, UNTIL_EMPTY)
    return number


def current(session: Session) -> dict[str, Finding]:
    found = session.query(Finding).filter(Finding.is_current, Finding.segment_id.is_not(None)).all()
    return {finding.category: finding for finding in found}


def test_a_guess_that_is_sure_names_the_agent(app: Flask) -> None:
    number = worked(app)
    with transaction() as session:
        transcript = newest_transcript(session, number)
        assert transcript.options["roles"] == "sure"
        assert 0.8 <= transcript.options["agent_score"] <= 1.0
        assert {one.channel for one in transcript.segments if one.speaker is Speaker.AGENT} == {0}
        assert current(session)["impersonation_authority"].speaker is Speaker.AGENT
        assert session.query(IntakeItem).one().reason_code == ""


def test_an_uncertain_guess_names_nobody_until_an_officer_settles_it(doubting: Flask) -> None:
    number = worked(doubting)
    with transaction() as session:
        transcript = newest_transcript(session, number)
        assert transcript.are_roles_uncertain
        assert session.query(IntakeItem).one().reason_code == "roles.uncertain"
        unsettled = current(session)["impersonation_authority"]
        assert unsettled.speaker is Speaker.UNKNOWN
        assert must_be_heard(unsettled)
        lines = transcript_lines(session, transcript.recording.attempt.reference)
        assert not any(line.is_speaker_sure for line in lines)
        score = unsettled.score
        correct_speakers(session, number, "as_told", user_id=7, reason="listened: channel 0 asks for the money")
    run_worker(doubting, UNTIL_EMPTY)
    with transaction() as session:
        settled = current(session)["impersonation_authority"]
        assert (settled.speaker, settled.transcript.version) == (Speaker.AGENT, 2)
        assert settled.score > score
        assert not settled.transcript.are_roles_uncertain
        with pytest.raises(InputRefusedError, match="changes nothing"):
            correct_speakers(session, number, "as_told", user_id=7, reason="again")


def test_a_wrong_guess_is_swapped_and_judged_anew(doubting: Flask) -> None:
    number = worked(doubting)
    with transaction() as session:
        correct_speakers(session, number, "swap", user_id=7, reason="the other way round")
    run_worker(doubting, UNTIL_EMPTY)
    with transaction() as session:
        transcript = newest_transcript(session, number)
        assert {one.channel for one in transcript.segments if one.speaker is Speaker.AGENT} == {1}
        assert "impersonation_authority" not in current(session)
        jobs = text("SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'")
        assert session.execute(jobs).scalar_one() == 0
        assert session.get_one(Recording, number).agent_channel is None
