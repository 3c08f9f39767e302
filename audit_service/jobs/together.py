"""Transcribe waiting recordings in company: one job of the queue leads, and takes short ones that wait along.

Each recording keeps its own job, outcome and next try. A recording that was tried before goes alone, so that one that
fells its worker harms its neighbours once at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from procrastinate.jobs import Job, Status

from audit_service import clock, queue
from audit_service.database import Session, transaction
from audit_service.errors import NotFoundError
from audit_service.intake import services as intake
from audit_service.jobs.parking import park_after
from audit_service.jobs.patience import Patience
from audit_service.transcription import services as transcription
from audit_service.transcription.engines.protocol import Engine
from audit_service.transcription.services import Heard, Plan
from audit_service.transcription.speakers import Certainty
from audit_service.transcription.together import Room, listening

log = structlog.get_logger()
LOOKED_AT = 4
"""So many times as many waiting jobs are looked at as may be taken: some are too long, or another lender's."""


@dataclass(frozen=True)
class Company:
    """How many recordings are transcribed at once at most, and how many seconds of sound they may have together."""

    most: int
    most_s: float


@dataclass(frozen=True)
class Desk:
    """What a worker transcribes with, and how patient it is."""

    engine: Engine
    room: Room
    company: Company
    patience: Patience


@dataclass(frozen=True)
class _Task:
    job: Job
    planned: Plan


def transcribe(desk: Desk, job: Job, recording_id: int) -> None:
    """Transcribe the recording of ``job`` and those that are taken along; each is stored, or fails, on its own.

    Raises:
        Exception: what went wrong with the recording of ``job`` itself; that of the others is settled here.
    """
    with transaction() as session:
        _release(session, job)
        planned = transcription.plan(session, recording_id)
        company = [] if job.attempts else _taken(session, job, planned, desk.company)
    try:
        with listening([planned, *(task.planned for task in company)], desk.engine, desk.room) as (own, *others):
            for task, outcome in zip(company, others, strict=True):
                _settle(desk, task, outcome)
            if isinstance(own, Exception):
                raise own
            with transaction() as session:
                _store(session, desk, planned, own)
    finally:
        with transaction() as session:
            _release(session, job)


def _taken(session: Session, job: Job, lead: Plan, company: Company) -> list[_Task]:
    """Take recordings along that wait, expect the same words of the trade as the first one, and are short enough."""
    found: list[_Task] = []
    left_s = company.most_s - lead.sound_s
    for waiting in queue.waiting_like(session, job, LOOKED_AT * (company.most - 1)):
        try:
            planned = transcription.plan(session, int(str(waiting.task_kwargs["recording_id"])))
        except NotFoundError:
            continue  # its own job will say so
        if len(found) + 1 < company.most and planned.sound_s <= left_s and planned.words == lead.words:
            found.append(_Task(waiting, planned))
            left_s -= planned.sound_s
    queue.take(session, [task.job for task in found], job.worker_id)
    return found


def _settle(desk: Desk, task: _Task, outcome: Heard | Exception) -> None:
    """Store what was heard and end its job in one transaction; or have it tried again, or parked."""
    if isinstance(outcome, Exception):
        _fail(desk, task.job, outcome)
        return
    try:
        with transaction() as session:
            _store(session, desk, task.planned, outcome)
            queue.finish(session, task.job, Status.SUCCEEDED)
    except Exception as error:  # noqa: BLE001 - the failure of one recording, as the worker handles it where it leads
        _fail(desk, task.job, error)


def _fail(desk: Desk, job: Job, error: Exception) -> None:
    log.warning("job_failed", task=job.task_name, attempts=job.attempts + 1, error=type(error).__name__)
    decision = desk.patience.get_retry_decision(exception=error, job=job)
    with transaction() as session:
        if decision is None:
            queue.finish(session, job, Status.FAILED)
            park_after(session, job, error)
        else:
            queue.give_back(session, job, decision.retry_at or clock.now())


def _store(session: Session, desk: Desk, planned: Plan, heard: Heard) -> None:
    """Store the words of a recording, mark its intake item as done and hand it to detection."""
    transcript = transcription.store(session, desk.room.vault, planned, heard)
    intake.finish_item(session, planned.exhibit_id, *_note(heard))
    queue.enqueue(session, "detect_transcript", queue=queue.DETECT, recording_id=planned.recording_id)
    log.info("transcribed", recording_id=planned.recording_id, version=transcript.version, took_s=transcript.took_s)


def _note(heard: Heard) -> tuple[str, str]:
    """Return what people must look at: a code and its text, both empty where there is nothing."""
    result = heard.result
    if result.unsupported_language:
        return "language.unsupported", f"The language spoken ({result.unsupported_language}) is not read here."
    if result.roles == Certainty.UNCERTAIN:
        score = result.options["agent_score"]
        return (
            "roles.uncertain",
            f"Who is the agent was guessed with a score of {score} of 1; an officer must settle it.",
        )
    return "", ""


def _release(session: Session, job: Job) -> None:
    """Give back what was taken along and not settled, because something broke on the way."""
    for left in queue.taken_beside(session, job):
        queue.give_back(session, left, clock.now())
