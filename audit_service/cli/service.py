"""Commands that keep running: ``worker`` and ``serve``."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import FrameType

import click

from audit_service.cli.context import application
from audit_service.jobs import run_worker
from audit_service.jobs.worker import WorkerOptions
from audit_service.queue import QUEUES
from audit_service.settings import ROOT

STOP_WITHIN_S = 20.0


@click.command()
@click.option(
    "--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Serve only this queue; may be repeated."
)
@click.option("--until-empty", is_flag=True, help="End when nothing is left to do.")
def worker(queues: tuple[str, ...], *, until_empty: bool) -> None:
    """Do the jobs of the queues until stopped. Run as many as there are machines; all share the database.

    Example: audit-service worker --queue transcribe
    """
    with application() as app:
        run_worker(app, WorkerOptions(queues=queues or QUEUES, until_empty=until_empty))


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; put a TLS proxy before any other."
)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Worker processes beside the web server.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the web pages and run workers until stopped.

    Example: audit-service serve --port 8080
    """
    with application():
        web = [
            sys.executable,
            "-m",
            "gunicorn",
            "--bind",
            f"{host}:{port}",
            "--threads",
            "8",
            "--chdir",
            str(ROOT),
            "wsgi:app",
        ]
        work = [sys.executable, "-m", "audit_service.cli", "worker"]
        children = [subprocess.Popen(command) for command in (web, *([work] * workers))]  # noqa: S603 - our own programs
        click.echo(f"Officers: http://{host}:{port}/officer/   Borrowers: http://{host}:{port}/   (Ctrl-C stops)")
        signal.signal(signal.SIGTERM, _as_interrupt)
        try:
            while all(child.poll() is None for child in children):
                time.sleep(0.5)
        except KeyboardInterrupt:
            click.echo("Stopping.")
        finally:
            _stop(children)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()


COMMANDS = (worker, serve)
