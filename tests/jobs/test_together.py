"""Short recordings that wait are transcribed in company; each keeps its own job, outcome, failure and next try."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from procrastinate.jobs import Job
from sqlalchemy import text

from audit_service import clock, queue
from audit_service.app import create_app
from audit_service.contacts.models import Recording
from audit_service.custody.vault import Vault
from audit_service.database import Session, db, transaction
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.jobs import run_worker
from audit_service.jobs.together import Company, _taken, _Task
from audit_service.jobs.worker import WorkerOptions
from audit_service.queue import TRANSCRIBE, enqueue
from audit_service.settings import Settings
from audit_service.transcription import services as transcription
from audit_service.transcription.corrections import newest_transcript
from tests.conftest import SAMPLES
from tests.factories import contacts
from tests.factories.intake import waiting_recording
from tests.jobs.test_worker import start_worker, wait_until

HEAR = WorkerOptions(queues=[TRANSCRIBE], until_empty=True)
SHORT = ("zh-02", "zh-03", "en-02")


def waiting(session: Session, vault: Vault, audio: bytes, **values: object) -> int:
    """Store a recording that waits for its transcription and return its id."""
    return waiting_recording(session, vault, audio, **values).id


def call(name: str) -> bytes:
    return (SAMPLES / "calls" / f"{name}.wav").read_bytes()


def calls_that_wait(vault: Vault) -> list[int]:
    with transaction() as session:
        return [waiting(session, vault, call(name), language=name[:2]) for name in SHORT]


def words(session: Session, recording_id: int) -> str:
    newest = newest_transcript(session, recording_id)
    return "" if newest is None else "".join(segment.text for segment in newest.segments)


def state(session: Session, recording_id: int) -> tuple[str, int, ItemState]:
    """Return how a recording's job stands, how often it was tried, and how its item stands."""
    query = text(
        "SELECT status::text, attempts FROM procrastinate_jobs WHERE args->>'recording_id' = :id "
        "AND task_name = 'transcribe'"
    )
    status, attempts = session.execute(query, {"id": str(recording_id)}).one()
    exhibit_id = session.get_one(Recording, recording_id).exhibit_id
    return status, attempts, session.query(IntakeItem).filter_by(exhibit_id=exhibit_id).one().state


def instants(session: Session, kind: str) -> dict[int, datetime]:
    """Return when the job of each recording was first started, or succeeded."""
    query = text("""SELECT (args->>'recording_id')::bigint, min(at) FROM procrastinate_events AS event
                    JOIN procrastinate_jobs AS job ON job.id = job_id
                    WHERE type = CAST(:kind AS procrastinate_job_event_type) AND task_name = 'transcribe' GROUP BY 1""")
    return dict(session.execute(query, {"kind": kind}).all())


@contextmanager
def one_by_one(environment: dict[str, str]) -> Iterator[Flask]:
    app = create_app(Settings.from_environment(environment | {"AUDIT_TRANSCRIBE_TOGETHER": "1"}))
    with app.app_context():
        yield app
        db.engine.dispose()


def test_recordings_that_wait_are_heard_in_company_word_for_word_as_alone(
    app: Flask, environment: dict[str, str], vault: Vault
) -> None:
    recordings = calls_that_wait(vault)
    run_worker(app, HEAR)
    with transaction() as session:
        assert {state(session, number) for number in recordings} == {("succeeded", 1, ItemState.DONE)}
        started, ended = instants(session, "started"), instants(session, "succeeded")
        assert max(started.values()) < min(ended.values()), "they were taken together"
        in_company = [words(session, number) for number in recordings]
        for number in recordings:
            enqueue(session, "transcribe", queue=TRANSCRIBE, recording_id=number)
    with one_by_one(environment) as alone:
        run_worker(alone, HEAR)
    with transaction() as session:
        assert [words(session, number) for number in recordings] == in_company
        assert all(in_company)
        assert session.execute(text("SELECT count(*) FROM transcripts")).scalar_one() == 2 * len(recordings)
        assert session.execute(text("SELECT count(*) FROM transcript_parts")).scalar_one() == 0


@pytest.mark.parametrize("bad", [0, 1])
def test_a_recording_that_is_none_fails_alone_whether_it_leads_or_is_taken_along(
    app: Flask, vault: Vault, bad: int
) -> None:
    with transaction() as session:
        audio = [call("zh-02"), call("zh-03")]
        audio.insert(bad, b"this is not audio at all" * 100)
        recordings = [waiting(session, vault, one) for one in audio]
    run_worker(app, HEAR)
    with transaction() as session:
        assert state(session, recordings[bad]) == ("failed", 1, ItemState.FAILED)
        item = session.query(IntakeItem).filter_by(state=ItemState.FAILED).one()
        assert item.reason_code.startswith("media.")
        good = [number for number in recordings if number != recordings[bad]]
        assert {state(session, number) for number in good} == {("succeeded", 1, ItemState.DONE)}
        assert all(words(session, number) for number in good)
    assert list(app.extensions["audit_settings"].work_dir.iterdir()) == []


def test_what_fails_in_passing_is_tried_again_alone_and_holds_nobody_up(app: Flask, vault: Vault) -> None:
    recordings = calls_that_wait(vault)
    with transaction() as session:
        sealed = sealed_file(app, session.get_one(Recording, recordings[1]).exhibit.sha256)
    away = sealed.rename(sealed.with_suffix(".away"))
    run_worker(app, HEAR)
    with transaction() as session:
        assert state(session, recordings[1]) == ("todo", 1, ItemState.RUNNING)
        assert {state(session, number)[0] for number in (recordings[0], recordings[2])} == {"succeeded"}
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))
    away.rename(sealed)
    run_worker(app, HEAR)
    with transaction() as session:
        assert state(session, recordings[1]) == ("succeeded", 2, ItemState.DONE)
        assert words(session, recordings[1])


def sealed_file(app: Flask, sha256: str) -> Path:
    folder: Path = app.extensions["audit_settings"].evidence_dir
    files = [path for path in folder.rglob("*") if path.is_file() and sha256 in path.as_posix().replace("/", "")]
    return max(files, key=lambda path: path.stat().st_size)


def test_a_worker_killed_in_the_middle_loses_none_of_them_and_hears_each_once(
    app: Flask, environment: dict[str, str], vault: Vault
) -> None:
    recordings = calls_that_wait(vault)

    def count(query: str) -> Callable[[], int]:
        def counted() -> int:
            with transaction() as session:
                return int(session.execute(text(query)).scalar_one())

        return counted

    heard = count("SELECT count(*) FROM transcript_parts")
    worker = start_worker(environment)
    wait_until(heard, 120)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert count("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")() > 1
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    run_worker(app, HEAR)
    with transaction() as session:
        assert {state(session, number)[0] for number in recordings} == {"succeeded"}
        assert all(words(session, number) for number in recordings)
        assert session.execute(text("SELECT count(*) FROM transcripts")).scalar_one() == len(recordings)


def leading(session: Session) -> Job:
    (job,) = queue.waiting_like(
        session, Job(queue=TRANSCRIBE, lock=None, queueing_lock=None, task_name="transcribe"), 1
    )
    queue.take(session, [job], None)
    return job


def taken(session: Session, company: Company) -> list[_Task]:
    job = leading(session)
    return _taken(session, job, transcription.plan(session, int(str(job.task_kwargs["recording_id"]))), company)


@pytest.mark.parametrize(
    ("company", "expected"),
    [
        (Company(8, 600.0), [1, 3]),  # the second is too long for what is left, the last expects other words
        (Company(2, 600.0), [1]),
        (Company(8, 130.0), [1]),
        (Company(8, 50.0), []),
        (Company(1, 600.0), []),
    ],
)
def test_no_more_is_taken_along_than_fits(
    session: Session, vault: Vault, company: Company, expected: list[int]
) -> None:
    from audit_service.transcription.models import WordList

    lengths = (30.0, 30.0, 400.0, 20.0, 1.0)
    numbers = [
        waiting(session, vault, contacts.tone_wav(hertz=300 + 10 * place), duration_s=seconds)
        for place, seconds in enumerate(lengths)
    ]
    last = session.get_one(Recording, numbers[-1]).attempt
    session.add(
        WordList(
            institution_id=last.institution_id,
            version=1,
            words=["逾期"],
            actor="test",
            created_at=clock.now(),
            is_used=True,
        )
    )
    session.flush()
    found = taken(session, company)
    assert [numbers.index(task.planned.recording_id) for task in found] == expected
    doing = session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")).scalar_one()
    assert doing == 1 + len(expected)


def test_a_recording_that_was_tried_before_is_not_taken_along(session: Session, vault: Vault) -> None:
    for place in range(3):
        waiting(session, vault, contacts.tone_wav(hertz=300 + 10 * place))
    session.execute(
        text("UPDATE procrastinate_jobs SET attempts = 1 WHERE id = (SELECT max(id) FROM procrastinate_jobs)")
    )
    assert len(taken(session, Company(8, 600.0))) == 1
