"""Commands that bring files in and work them off: ``ingest``, ``watch``, ``process``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from flask import Flask
from rich.progress import Progress, track

from audit_service.cli.context import application, settings_of, vault_of
from audit_service.cli.output import console, emit, json_option, table
from audit_service.custody import services as custody
from audit_service.database import transaction
from audit_service.intake import queries
from audit_service.intake import services as intake
from audit_service.intake.discovery import WatchState, discover, poll
from audit_service.intake.models import ItemState
from audit_service.intake.values import Received, Source
from audit_service.jobs import run_worker
from audit_service.jobs.tasks import media_limits
from audit_service.jobs.worker import WorkerOptions
from audit_service.queue import QUEUES, waiting_jobs

SOME_REFUSED = 3


def receive(app: Flask, path: Path, route: str) -> Received:
    """Bring one file in, in a transaction of its own: it is kept whole, or nothing of it is."""
    source = Source(
        route=route,
        actor=f"{route}:operator",
        limits=media_limits(settings_of(app)),
        max_bytes=settings_of(app).upload_max_bytes,
    )
    with transaction() as session:
        return intake.receive_file(session, vault_of(app), path, source)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def ingest(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Bring files or folders in: recordings with their sidecar JSON, call logs and message logs (CSV).

    Each file becomes one sealed exhibit; the same bytes again are recognised. Rows and files that cannot be used are
    named with the reason while the rest goes in (exit code 3). `audit-service process` or a worker does the rest.

    Example: audit-service ingest samples/calls samples/logs
    """
    files = [file for path in paths for file in discover(path)]
    with application() as app:
        received = [receive(app, file, "cli") for file in track(files, "Intake", console=console(), disable=as_json)]
        with transaction() as session:
            custody.sign_checkpoint(session, vault_of(app))
    emit([asdict(item) for item in received], as_json=as_json, text=lambda: print_received(received))
    raise SystemExit(SOME_REFUSED if any(is_refused(item) for item in received) else 0)


def is_refused(item: Received) -> bool:
    """Tell whether the file or any row of it was refused."""
    return item.state is ItemState.QUARANTINED or bool(item.problems)


def print_received(received: Sequence[Received]) -> None:
    """Print what became of each file, and every refusal with file, row, field, reason and remedy."""
    rows = [
        (
            item.name,
            item.kind,
            item.exhibit_number,
            "" if item.is_new else "known",
            item.state.value,
            item.rows_stored or "",
            item.reason,
        )
        for item in received
    ]
    console().print(
        table("Files received", ("file", "kind", "exhibit", "before?", "state", "rows stored", "reason"), rows)
    )
    for item in received:
        for problem in item.problems:
            click.echo(f"refused: {problem}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--stable-for", default=5.0, show_default=True, help="Seconds a file must not have changed before it is taken."
)
@click.option("--once", is_flag=True, help="Take what is there and stable, then end.")
@json_option
def watch(folder: Path, stable_for: float, *, once: bool, as_json: bool) -> None:
    """Take files from FOLDER as they arrive; files still being written are left until they are stable.

    Example: audit-service watch /srv/dropbox
    """
    state = WatchState(stable_for_s=stable_for)
    with application() as app:
        while True:
            for file in poll(folder, state):
                _tell(receive(app, file, "watch"), as_json=as_json)
            if once and not state.is_waiting:
                return
            time.sleep(min(1.0, stable_for))


def _tell(item: Received, *, as_json: bool) -> None:
    line = f"{item.name}: {item.state.value} {item.exhibit_number} {item.reason}"
    emit(asdict(item), as_json=as_json, text=lambda: click.echo(line))


@click.command()
@json_option
def process(*, as_json: bool) -> None:
    """Work off everything that is pending, then end: transcription, detection, linking, reports.

    Example: audit-service ingest samples/calls && audit-service process
    """
    with application() as app:
        with Progress(console=console(), disable=as_json) as progress:
            progress.add_task("Working", total=None)
            work_off(app)
        with transaction() as session:
            balance = queries.balance(session)
    emit(asdict(balance), as_json=as_json, text=lambda: click.echo(str(balance)))


def work_off(app: Flask) -> None:
    """Run a worker in this process until no job waits, those put off for a retry included."""
    while True:
        run_worker(app, WorkerOptions(queues=QUEUES, until_empty=True, name="process"))
        with transaction() as session:
            if not waiting_jobs(session).get("todo"):
                return
        time.sleep(1.0)


COMMANDS = (ingest, watch, process)
