"""Workers: jobs share the fate of their item, dead workers lose nothing, what keeps failing is parked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from audit_service.contacts.models import Recording
from audit_service.custody.vault import Vault
from audit_service.database import Session, transaction
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.jobs import run_worker
from audit_service.jobs.patience import is_final
from audit_service.jobs.worker import WorkerOptions
from audit_service.media.errors import MediaRefusedError
from audit_service.queue import DETECT, QUEUES, TRANSCRIBE, enqueue, waiting_jobs
from audit_service.review.models import Finding
from tests.factories import contacts, organizations
from tests.factories.intake import waiting_recording

UNTIL_EMPTY = WorkerOptions(queues=QUEUES, until_empty=True)


def test_a_job_vanishes_with_the_transaction_of_its_item(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        enqueue(session, "transcribe", queue=TRANSCRIBE, recording_id=1)
        raise ZeroDivisionError
    with transaction() as session:
        assert waiting_jobs(session) == {}


def test_a_job_that_waits_already_is_not_stored_twice(app: Flask) -> None:
    with transaction() as session:
        assert enqueue(session, "detect_contact_log", queue=DETECT, once="log:1", borrower_id=1) > 0
        assert enqueue(session, "detect_contact_log", queue=DETECT, once="log:1", borrower_id=1) == 0
        assert waiting_jobs(session) == {"todo": 1}


def test_a_worker_flags_a_message(app: Flask) -> None:
    with transaction() as session:
        lender = organizations.institution(session)
        agency = organizations.agency(session, lender)
        message = contacts.message(
            session, contacts.borrower(session, lender), agency, "今天不还钱，法警马上到你家抓人。"
        )
        enqueue(session, "detect_messages", queue=DETECT, first_id=message.id, last_id=message.id)
    run_worker(app, UNTIL_EMPTY)
    with transaction() as session:
        found = session.query(Finding).all()
        assert waiting_jobs(session)["succeeded"] >= 1
        assert "threat_unlawful_action" in {finding.category for finding in found}
        quoted = next(finding for finding in found if finding.category == "threat_unlawful_action")
        assert message.text[quoted.start_offset : quoted.end_offset] == quoted.quote


def broken_recording(session: Session, vault: Vault) -> Recording:
    """Store a recording whose sealed bytes are no audio, as if it had slipped through intake."""
    return waiting_recording(session, vault, b"this is not audio at all" * 100)


def test_a_recording_that_cannot_be_decoded_is_parked_with_its_reason(app: Flask, vault: Vault) -> None:
    with transaction() as session:
        broken_recording(session, vault)
    run_worker(app, UNTIL_EMPTY)
    with transaction() as session:
        item = session.query(IntakeItem).one()
        assert item.state is ItemState.FAILED
        assert item.reason_code.startswith("media.")
        assert waiting_jobs(session)["failed"] == 1
    assert list(app.extensions["audit_settings"].work_dir.iterdir()) == []


def test_refused_input_is_not_tried_again() -> None:
    from procrastinate.jobs import Job

    job = Job(queue="transcribe", lock=None, queueing_lock=None, task_name="transcribe", attempts=0)
    assert is_final(MediaRefusedError("media.not_audio", "no audio"), job, attempts=3)
    assert not is_final(OSError("disk"), job, attempts=3)
    assert is_final(OSError("disk"), job.evolve(attempts=2), attempts=3)


def start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "audit_service.cli", "worker"], env=os.environ | environment, stderr=subprocess.DEVNULL
    )


def wait_until(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


def test_a_killed_worker_loses_no_job(app: Flask, environment: dict[str, str], vault: Vault) -> None:
    """Kill a worker with SIGKILL in the middle of a transcription; the next worker finishes it, once."""
    from tests.conftest import SAMPLES

    uri = environment["DATABASE_URL"]
    with transaction() as session:
        lender = organizations.institution(session)
        attempt = contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))
        audio = Path(SAMPLES / "calls" / "zh-08.wav").read_bytes()
        recording = contacts.recording(session, vault, attempt, audio=audio)
        enqueue(session, "transcribe", queue=TRANSCRIBE, recording_id=recording.id)

    def is_doing() -> bool:
        with transaction() as session:
            return waiting_jobs(session).get("doing") == 1

    worker = start_worker(environment)
    wait_until(is_doing, 60)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    with psycopg.connect(uri, autocommit=True) as connection:
        # The heartbeat's patience is half a minute; the test does not wait for it.
        connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    run_worker(app, UNTIL_EMPTY)
    with transaction() as session:
        jobs = waiting_jobs(session)
        assert jobs.get("doing", 0) == 0
        assert jobs.get("failed", 0) == 0
        transcripts = session.execute(text("SELECT count(*) FROM transcripts")).scalar_one()
        assert transcripts == 1
