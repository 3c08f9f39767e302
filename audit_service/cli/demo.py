"""``demo``: the main job from end to end on the sample data, through real worker processes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from flask import Flask
from flask_migrate import upgrade
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from audit_service import embedded_postgres
from audit_service.cli import demo_results
from audit_service.cli.complaints import file_document
from audit_service.cli.context import application, hash_password, settings_of, vault_of
from audit_service.cli.evidence import say_verdict
from audit_service.cli.instance import create_secrets
from audit_service.cli.intake import print_received, receive
from audit_service.cli.output import console
from audit_service.cli.reports import write_pdf
from audit_service.complaints.values import FiledComplaint
from audit_service.contacts import services as contacts
from audit_service.custody import services as custody
from audit_service.database import transaction
from audit_service.errors import AuditError, InputRefusedError
from audit_service.intake.discovery import discover
from audit_service.organizations import services as organizations
from audit_service.organizations.values import NewUser
from audit_service.queue import REPORT, enqueue, waiting_jobs
from audit_service.reports.queries import report_list
from audit_service.settings import ROOT

SAMPLES = ROOT / "samples"
OFFICER = "officer@demo.example"
PERIOD = ("2026-02-15", "2026-03-16")


@dataclass
class Stages:
    """The wall time of each stage, in seconds, in the order they ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage and time it."""
        click.echo(f"\n== {name}")
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("instance/demo"),
    show_default=True,
    help="Instance folder of the demo; made anew.",
)
def demo(folder: Path) -> None:
    """Run the main job on the sample data: intake, transcription, detection, complaints, reports, verification.

    Example: audit-service demo
    """
    began = time.monotonic()
    stages = Stages()
    with stages.stage("Set up a fresh instance"):
        set_up_environment(folder.resolve())
    with application(must_be_ready=False) as app:
        with stages.stage("Migrate the database and register the sample organisations"):
            password = set_up_organisations(app)
        with worker_process():
            run_pipeline(app, stages)
            filed = run_complaints(app, stages)
            reports = run_reports(app, stages, filed, folder.resolve() / "reports")
        with stages.stage("Verify the evidence store and the ledger"), transaction() as session:
            custody.sign_checkpoint(session, vault_of(app))
            verdict = custody.verify(session, vault_of(app))
            say_verdict(verdict)
        demo_results.print_results()
        demo_results.print_complaints(filed)
    print_ending(folder, stages, password, reports, time.monotonic() - began)
    raise SystemExit(0 if verdict.holds else 5)


def set_up_environment(folder: Path) -> None:
    """Empty the demo's instance folder and create its secrets; refuses a folder that is in use or not a demo's."""
    marker = folder / ".demo"
    if folder.exists() and any(folder.iterdir()):
        if not marker.exists():
            raise InputRefusedError(
                f"{folder} is not empty and was not made by the demo.", remedy="Choose another --folder."
            )
        if embedded_postgres.is_used(folder):
            raise InputRefusedError(f"{folder} is in use.", remedy="Stop `make serve` first.")
        embedded_postgres.stop_left_over(folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    marker.touch()
    os.environ |= {"AUDIT_INSTANCE_DIR": str(folder), "AUDIT_SECURE_COOKIES": "false", "AUDIT_LOG_LEVEL": "WARNING"}
    os.environ.pop("DATABASE_URL", None)
    made = create_secrets(folder)
    click.echo(f"The demo made its own {len(made)} secrets in {folder / 'secrets'}: never use them elsewhere.")


def set_up_organisations(app: Flask) -> str:
    """Migrate, register the sample organisations and create the demo's officer; return the officer's password."""
    upgrade()
    registry = json.loads((SAMPLES / "registry.json").read_text(encoding="utf-8"))
    password = secrets.token_urlsafe(12)
    with transaction() as session:
        done = organizations.register(session, registry) | contacts.register(session, registry)
        organizations.create_user(
            session,
            NewUser(
                email=OFFICER,
                password_hash=hash_password(app, password),
                display_name="演示合规专员",
                roles=("officer", "lead"),
                institution_code=None,
                agency_code=None,
            ),
        )
    click.echo(", ".join(f"{number} {name}" for name, number in done.items()))
    (settings_of(app).instance_dir / "officer-password").write_text(password, encoding="ascii")
    return password


@contextmanager
def worker_process() -> Iterator[None]:
    """Run a real worker in another process for as long as the block lasts."""
    command = [sys.executable, "-m", "audit_service.cli", "worker"]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own program
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def run_pipeline(app: Flask, stages: Stages) -> None:
    """Bring all sample files in, one of them twice, and wait until they are transcribed and checked."""
    files = [file for folder in ("calls", "logs", "broken") for file in discover(SAMPLES / folder)]
    files.append(files[0])
    with stages.stage("Intake: seal recordings, call log and message log"):
        with bar("Files") as step:
            received = []
            for file in files:
                received.append(receive(app, file, "cli"))
                step(len(received), len(files))
        print_received(received)
    with stages.stage("Transcription and detection in the worker process"):
        wait_for_jobs("Jobs")


def run_complaints(app: Flask, stages: Stages) -> list[FiledComplaint]:
    """File the sample complaints through the portal's own use-case and wait until they are linked."""
    with stages.stage("Complaints: file two, link them to findings"):
        documents = [
            json.loads(file.read_text(encoding="utf-8")) for file in sorted((SAMPLES / "complaints").glob("*.json"))
        ]
        filed = [file_document(app, document) for document in documents]
        wait_for_jobs("Linking")
    return filed


def run_reports(app: Flask, stages: Stages, filed: list[FiledComplaint], target: Path) -> list[Path]:
    """Have the worker make one report for each complaint and one for each institution's period, in two languages."""
    with stages.stage("Reports: PDF for each complaint and for the period"):
        with transaction() as session:
            for locale in ("zh_CN", "en"):
                for complaint in filed:
                    enqueue(session, "report_complaint", queue=REPORT, number=complaint.number, locale=locale)
                for institution in organizations.institution_codes(session):
                    enqueue(
                        session,
                        "report_period",
                        queue=REPORT,
                        institution=institution,
                        from_on=PERIOD[0],
                        to_on=PERIOD[1],
                        locale=locale,
                    )
        wait_for_jobs("Reports")
        with transaction() as session:
            made = report_list(session)
            paths = []
            for report in made:
                subject = report.complaint.number if report.complaint else report.institution_code
                paths.append(target / f"{report.number}-{report.kind.value}-{subject}-{report.locale}.pdf")
                write_pdf(app, report.row, paths[-1])
    return paths


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; the block gets a function that takes how many are done and how many there are."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console()) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def wait_for_jobs(title: str) -> None:
    """Show how the worker gets on until no job waits or runs.

    Raises:
        AuditError: a job was parked as failed.
    """
    with transaction() as session:
        before = waiting_jobs(session)
    ended_before = before.get("succeeded", 0) + before.get("failed", 0)
    with bar(title) as step:
        while True:
            with transaction() as session:
                jobs = waiting_jobs(session)
            ended = jobs.get("succeeded", 0) + jobs.get("failed", 0) - ended_before
            left = jobs.get("todo", 0) + jobs.get("doing", 0)
            step(ended, ended + left)
            if not left:
                break
            time.sleep(0.3)
    if jobs.get("failed", 0) > before.get("failed", 0):
        raise AuditError(f"{jobs['failed']} jobs failed; the worker's log above says why.")


def print_ending(folder: Path, stages: Stages, password: str, reports: list[Path], total_s: float) -> None:
    """Say where everything is, how long each stage took, and how to open the pages."""
    click.echo("\nReports (PDF)")
    for path in reports:
        click.echo(f"  {path}")
    click.echo(f"Evidence store: {folder.resolve() / 'evidence'}")
    click.echo("\nTime of each stage")
    for name, seconds in stages.seconds.items():
        click.echo(f"  {seconds:6.1f} s  {name}")
    click.echo(f"  {total_s:6.1f} s  in all")
    click.echo(
        "\nOpen the pages: make serve\n  officers   http://127.0.0.1:8000/officer/\n  borrowers  http://127.0.0.1:8000/"
    )
    click.echo(
        f"Sign in as {OFFICER} with the password {password} (made for this demo, kept in {folder}/officer-password)"
    )


COMMANDS = (demo,)
