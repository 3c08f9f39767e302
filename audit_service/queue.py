"""Hand work to the workers: a job is stored in the very transaction that stores what it is about.

Parts call ``enqueue`` with the *name* of a task, so that a lower part can start a higher one without importing it.
Neither can the item exist without its job, nor the job without its item.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import procrastinate
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.sql import queries
from sqlalchemy import text
from sqlalchemy.orm import Session

TRANSCRIBE = "transcribe"
DETECT = "detect"
REPORT = "report"
QUEUES = (TRANSCRIBE, DETECT, REPORT)

# The connector is never opened: every job goes in over the connection of the caller's own transaction.
_manager = JobManager(procrastinate.SyncPsycopgConnector())


def enqueue(session: Session, task: str, *, queue: str, once: str | None = None, **arguments: str | int) -> int:
    """Store a job in the session's transaction and return its id.

    Args:
        session: the open transaction that also stores the item.
        task: name of the task, as registered by ``audit_service.jobs``.
        queue: one of ``QUEUES``; machines may serve only some of them.
        once: while a job with this key waits, no second one is stored (the id of nothing, 0, is returned).
        **arguments: what the task receives; ids only, never personal data.
    """
    if once is not None and _is_waiting(session, once):
        return 0
    job = Job(
        id=None,
        status=None,
        queue=queue,
        lock=None,
        queueing_lock=once,
        task_name=task,
        task_kwargs=dict(arguments),
    )
    connection = session.connection().connection.driver_connection
    return int(_manager.defer_job(job, connection=connection).id or 0)


def _is_waiting(session: Session, key: str) -> bool:
    # Two transactions must not both find nothing: the queue's unique index would fail the second one's work.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))"), {"key": key})
    query = text("SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :key AND status = 'todo' LIMIT 1")
    return session.execute(query, {"key": key}).first() is not None


def waiting_like(session: Session, job: Job, most: int) -> list[Job]:
    """Return jobs of the same task and queue as ``job`` that wait and were never tried, the next first, locked.

    Others who ask meanwhile do not see them; whoever takes none of them leaves them as they were.
    """
    query = """
        SELECT * FROM procrastinate_jobs
        WHERE status = 'todo' AND attempts = 0 AND lock IS NULL AND (scheduled_at IS NULL OR scheduled_at <= now())
          AND queue_name = :queue AND task_name = :task
        ORDER BY priority DESC, id LIMIT :most FOR UPDATE SKIP LOCKED"""
    return _jobs(session, query, queue=job.queue, task=job.task_name, most=most)


def take(session: Session, jobs: Sequence[Job], worker_id: int | None) -> None:
    """Mark locked jobs as being done by a worker, who must ``finish`` each or ``give_back`` it."""
    query = text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker WHERE id = ANY(:ids)")
    session.execute(query, {"worker": worker_id, "ids": [job.id for job in jobs]})


def taken_beside(session: Session, job: Job) -> list[Job]:
    """Return the other jobs of its task that the worker of ``job`` took and has not finished."""
    query = """
        SELECT * FROM procrastinate_jobs
        WHERE status = 'doing' AND worker_id = :worker AND task_name = :task AND id <> :id ORDER BY id FOR UPDATE"""
    return _jobs(session, query, worker=job.worker_id, task=job.task_name, id=job.id)


def _jobs(session: Session, query: str, **given: str | int | None) -> list[Job]:
    return [Job.from_row(dict(row)) for row in session.execute(text(query), given).mappings()]


def finish(session: Session, job: Job, status: Status) -> None:
    """Note in the session's transaction how a job that was taken ended."""
    given = {"job_id": job.id, "status": status.value, "delete_job": False}
    session.connection().exec_driver_sql(queries["finish_job"], given)


def give_back(session: Session, job: Job, at: datetime) -> None:
    """Let a job that was taken wait again, until ``at``; it counts as tried."""
    given = {"job_id": job.id, "retry_at": at, "new_priority": None, "new_queue_name": None, "new_lock": None}
    session.connection().exec_driver_sql(queries["retry_job"], given)


def waiting_jobs(session: Session) -> dict[str, int]:
    """Return how many jobs are waiting or running, by state (``todo``, ``doing``, ``failed``, ``succeeded``)."""
    rows = session.execute(text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status"))
    return {status: int(number) for status, number in rows}
