"""Commands that bring files in, work them off, and compare what came by different ways."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask
from rich.progress import Progress as Bar
from rich.progress import track

from audit_service.cli.context import application, settings_of, vault_of
from audit_service.cli.output import console, emit, json_option, table
from audit_service.custody import services as custody
from audit_service.database import transaction
from audit_service.intake import queries, reconciliation, retrying
from audit_service.intake import services as intake
from audit_service.intake.discovery import WatchState, discover, is_log, poll
from audit_service.intake.errors import FileRefusedError
from audit_service.intake.file_names import FOLDER_PATTERNS, pattern_for
from audit_service.intake.models import ItemState, ReconciliationAlert
from audit_service.intake.values import IntakeBalance, Received
from audit_service.jobs import run_worker
from audit_service.jobs.tasks import source_of
from audit_service.jobs.worker import WorkerOptions
from audit_service.queue import QUEUES, waiting_jobs
from audit_service.transcription.progress import Progress, under_way

SOME_REFUSED = 3


def receive(app: Flask, path: Path, route: str) -> Received:
    """Bring one file in, in a transaction of its own: it is kept whole, or nothing of it is."""
    source = source_of(settings_of(app), route, f"{route}:operator")
    with transaction() as session:
        return intake.receive_file(session, vault_of(app), path, source)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def ingest(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Bring files or folders in: recordings, call logs and message logs.

    Recordings need a sidecar JSON or a pattern for names. Logs may be CSV, XLSX, JSON, JSON Lines, SMS Backup & Restore
    XML, WhatsApp or WeChat text, or EML.

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
        with Bar(console=console(), disable=as_json) as bar:
            bar.add_task("Working", total=None)
            work_off(app)
        with transaction() as session:
            balance = queries.balance(session)
    emit(asdict(balance), as_json=as_json, text=lambda: click.echo(str(balance)))


@click.command()
@click.option("--from", "begin", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC).")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Day after the last (UTC).")
@click.option("--agency", help="Code of one agency.")
@click.option("--alert", "raises", is_flag=True, help="Keep an alert for each day above AUDIT_RECONCILE_TOLERATED.")
@json_option
def reconcile(begin: datetime | None, end: datetime | None, agency: str | None, *, raises: bool, as_json: bool) -> None:
    """Compare call logs with recordings, both ways, per agency and day; exit code 3 if they disagree.

    Names answered calls without a recording, recordings without a line in a log, and recordings more than five seconds
    shorter than the talk time, or much longer. Workers raise alerts every night; they stand on the intake page.

    Example: audit-service reconcile --from 2026-03-01 --to 2026-04-01 --agency hengda
    """
    with application() as app, transaction() as session:
        found = reconciliation.reconcile(
            session,
            begin=None if begin is None else begin.replace(tzinfo=UTC),
            end=None if end is None else end.replace(tzinfo=UTC),
            agency=agency,
        )
        if raises:
            reconciliation.raise_alerts(session, found, settings_of(app).reconcile_tolerated)
        alerts = [alert_line(alert) for alert in reconciliation.open_alerts(session)]
    rows = [{**asdict(sheet), "day": sheet.day.isoformat(), "coverage": sheet.coverage} for sheet in found]
    emit({"sheets": rows, "alerts": alerts}, as_json=as_json, text=lambda: _print_sheets(found))
    if not as_json:
        click.echo("\n".join(f"ALERT {alert}" for alert in alerts), nl=bool(alerts))
    raise SystemExit(0 if all(sheet.is_clean for sheet in found) else SOME_REFUSED)


def alert_line(alert: ReconciliationAlert) -> str:
    """Return an alert as one line."""
    share = f"{alert.share:.0%} of the calls disagree, {alert.tolerated:.0%} are tolerated"
    return f"{alert.day.isoformat()} {alert.agency.name}: {share}"


@click.command()
@click.argument("items", nargs=-1, type=int)
@click.option("--reason", "code", default="", help="All that failed or wait with this reason code.")
@click.option("--all", "everything", is_flag=True, help="All that failed or wait in quarantine.")
@json_option
def retry(items: tuple[int, ...], code: str, *, everything: bool, as_json: bool) -> None:
    """Try failed recordings and files in quarantine again, from their sealed bytes; exit code 3 if some still wait.

    Nothing has to be sent again: register the missing borrower or raise the limit, then retry.

    Example: audit-service retry --reason recording.contradicts
    """
    with application() as app:
        if not items and (code or everything):
            with transaction() as session:
                items = tuple(retrying.waiting_items(session, code))
        rows = [_retried(app, item) for item in items]
    emit({"items": rows}, as_json=as_json, text=lambda: _print_retried(rows))
    raise SystemExit(SOME_REFUSED if any(row["state"] == ItemState.QUARANTINED.value for row in rows) else 0)


def _retried(app: Flask, item_id: int) -> dict[str, Any]:
    settings = settings_of(app)
    source = source_of(settings, "cli", "cli:operator")
    with transaction() as session:
        item = retrying.retry(session, vault_of(app), item_id, source, settings.work_dir)
        return {"item": item.id, "name": item.name, "state": item.state.value, "reason": item.reason}


def _print_retried(rows: Sequence[Mapping[str, Any]]) -> None:
    columns = ("item", "name", "state", "reason")
    console().print(table("Tried again", columns, [[row[column] for column in columns] for row in rows]))


def _print_sheets(sheets: Sequence[reconciliation.DaySheet]) -> None:
    rows = [
        (
            sheet.day.isoformat(),
            sheet.institution,
            sheet.agency,
            sheet.answered,
            sheet.recorded,
            ", ".join(sheet.without_recording),
            ", ".join(sheet.without_log_line),
            ", ".join(f"{gap.reference} ({gap.talk_s:.0f}/{gap.recorded_s:.0f} s)" for gap in sheet.gaps),
        )
        for sheet in sheets
    ]
    columns = ("day", "lender", "agency", "answered", "recorded", "no recording", "no log line", "talk/recorded")
    console().print(table("Call log and recordings", columns, rows))
    answered, recorded = reconciliation.totals(sheets)
    click.echo(f"{recorded} of {answered} answered calls are recorded.")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def names(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Try how the names of recordings would be read by the filenames.json of their folder; nothing is stored.

    Shows for each file what its name says, or why it would go to quarantine (exit code 3).

    Example: audit-service names /srv/dropbox/2026-03
    """
    tried = [_tried(file) for path in paths for file in discover(path) if not is_log(file)]
    emit({"files": tried}, as_json=as_json, text=lambda: _print_names(tried))
    raise SystemExit(SOME_REFUSED if any("refused" in item for item in tried) else 0)


def _tried(file: Path) -> dict[str, str]:
    try:
        pattern = pattern_for(file)
        if pattern is None:
            return {"file": file.name, "refused": f"There is no {FOLDER_PATTERNS} in its folder."}
        return {"file": file.name, **pattern.values(file.name)}
    except FileRefusedError as error:
        return {"file": file.name, "refused": str(error)}


def _print_names(tried: Sequence[Mapping[str, str]]) -> None:
    columns = list(dict.fromkeys(column for item in tried for column in item))
    console().print(table("Names", columns, [[item.get(column, "") for column in columns] for item in tried]))


def work_off(app: Flask) -> None:
    """Run a worker in this process until no job waits, those put off for a retry included."""
    while True:
        run_worker(app, WorkerOptions(queues=QUEUES, until_empty=True, name="process"))
        with transaction() as session:
            if not waiting_jobs(session).get("todo"):
                return
        time.sleep(1.0)


@click.command()
@json_option
def progress(*, as_json: bool) -> None:
    """Show how many files came in and where they stand, and how far the transcriptions under way are.

    Example: audit-service progress
    """
    with application(), transaction() as session:
        balance, running = queries.balance(session), under_way(session)
    rows = [{**asdict(item), "percent": item.percent} for item in running]
    emit(
        {"intake": asdict(balance), "transcriptions": rows},
        as_json=as_json,
        text=lambda: _print_progress(balance, running),
    )


def _print_progress(balance: IntakeBalance, running: Sequence[Progress]) -> None:
    click.echo(str(balance))
    if running:
        rows = [(item.reference, f"{item.percent} %", f"{item.left_s / 60:.0f}") for item in running]
        console().print(table("Being transcribed", ("call", "done", "minutes left"), rows))


COMMANDS = (ingest, watch, process, progress, reconcile, names, retry)
