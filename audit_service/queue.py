"""Hand work to the workers: a job is stored in the very transaction that stores what it is about.

Parts call ``enqueue`` with the *name* of a task, so that a lower part can start a higher one without importing it.
Neither can the item exist without its job, nor the job without its item.
"""

from __future__ import annotations

import procrastinate
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
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


def waiting_jobs(session: Session) -> dict[str, int]:
    """Return how many jobs are waiting or running, by state (``todo``, ``doing``, ``failed``, ``succeeded``)."""
    rows = session.execute(text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status"))
    return {status: int(number) for status, number in rows}
