"""The worker process: takes jobs from the queues, gives back what dead workers left, parks what keeps failing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import procrastinate
import structlog
from flask import Flask
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.middleware import SyncTaskMiddleware
from procrastinate.worker import Worker

from audit_service import clock
from audit_service.database import db, transaction
from audit_service.jobs import tasks
from audit_service.jobs.parking import park, park_after
from audit_service.jobs.patience import is_final
from audit_service.settings import Settings

log = structlog.get_logger()
SILENT_AFTER_S = 30.0


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker runs.

    Attributes:
        queues: which queues it serves.
        until_empty: end when nothing is left to do, instead of waiting for more.
        name: shown in logs.
    """

    queues: Sequence[str]
    until_empty: bool = False
    name: str = "worker"


def queue_app(flask_app: Flask) -> procrastinate.App:
    """Return the Procrastinate application of this instance, with all tasks registered."""
    with flask_app.app_context():
        uri = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=uri))
    tasks.register(app, flask_app)
    return app


def run_worker(flask_app: Flask, options: WorkerOptions) -> None:
    """Work until stopped by a signal, or until the queues are empty."""
    asyncio.run(_work(flask_app, options))


async def _work(flask_app: Flask, options: WorkerOptions) -> None:
    app = queue_app(flask_app)
    settings: Settings = flask_app.extensions["audit_settings"]
    async with app.open_async():
        await rescue_stalled(app, flask_app, settings.job_attempts)
        rescuer = asyncio.create_task(_rescue_for_ever(app, flask_app, settings.job_attempts))
        try:
            await app.run_worker_async(
                queues=list(options.queues),
                name=options.name,
                wait=not options.until_empty,
                concurrency=1,
                listen_notify=not options.until_empty,
                fetch_job_polling_interval=1.0,
                task_middleware=[_parking(flask_app, settings.job_attempts)],
            )
        finally:
            rescuer.cancel()


async def _rescue_for_ever(app: procrastinate.App, flask_app: Flask, attempts: int) -> None:
    while True:
        await asyncio.sleep(SILENT_AFTER_S)
        await rescue_stalled(app, flask_app, attempts)


async def rescue_stalled(app: procrastinate.App, flask_app: Flask, attempts: int) -> int:
    """Give back the jobs of workers that fell silent; park those that were tried ``attempts`` times.

    Returns:
        How many jobs were given back or parked.
    """
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_AFTER_S))
    for job in stalled:
        if job.attempts + 1 < attempts:
            await app.job_manager.retry_job(job, retry_at=clock.now())
            log.warning("job_given_back", task=job.task_name, attempts=job.attempts + 1)
        else:
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
            await asyncio.to_thread(_park_lost, flask_app, job)
    return len(stalled)


def _parking(flask_app: Flask, attempts: int) -> SyncTaskMiddleware:
    """Return a middleware that parks a job's item with its reason once the job is not tried again."""

    def middleware(call_next: Callable[[], Any], context: JobContext, _worker: Worker) -> Any:
        try:
            return call_next()
        except Exception as error:
            job = context.job
            log.warning("job_failed", task=job.task_name, attempts=job.attempts + 1, error=type(error).__name__)
            if is_final(error, job, attempts):
                with flask_app.app_context(), transaction() as session:
                    park_after(session, job, error)
            raise

    return middleware


def _park_lost(flask_app: Flask, job: Job) -> None:
    with flask_app.app_context(), transaction() as session:
        park(session, job, "worker_lost", "The worker process ended while it did this job.")
