"""Commands that make reports: ``report complaint`` and ``report period``."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path

import click
from flask import Flask

from audit_service.cli.context import application, vault_of
from audit_service.cli.output import emit, json_option, print_facts
from audit_service.custody import services as custody
from audit_service.database import transaction
from audit_service.i18n import LOCALES
from audit_service.reports import services as reports
from audit_service.reports.models import Report

locale_option = click.option(
    "--locale", type=click.Choice(LOCALES), default="zh_CN", show_default=True, help="Language of the report."
)
output_option = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Also write the PDF here."
)


@click.group()
def report() -> None:
    """Make an evidence-backed PDF report; it is sealed as an exhibit."""


@report.command("complaint")
@click.argument("number")
@locale_option
@output_option
@json_option
def complaint_command(number: str, locale: str, output: Path | None, *, as_json: bool) -> None:
    """Report on one complaint.

    Example: audit-service report complaint C-2026-000001 --locale en --output complaint.pdf
    """
    with application() as app:
        with transaction() as session:
            made = reports.complaint_report(session, vault_of(app), number, locale)
        _tell(app, made, output, as_json=as_json)


@report.command("period")
@click.argument("institution")
@click.argument("from_on", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("to_on", type=click.DateTime(["%Y-%m-%d"]))
@locale_option
@output_option
@json_option
def period_command(
    institution: str, from_on: datetime, to_on: datetime, locale: str, output: Path | None, *, as_json: bool
) -> None:
    """Report on all contacts of an institution in a period; both civil days are included.

    Example: audit-service report period anxin 2026-03-01 2026-03-31 --output march.pdf
    """
    first, last = civil(from_on), civil(to_on)
    with application() as app:
        with transaction() as session:
            made = reports.period_report(session, vault_of(app), institution, first, last, locale)
        _tell(app, made, output, as_json=as_json)


def civil(moment: datetime) -> date:
    """Return the civil day of a parsed command-line date."""
    return moment.date()


def _tell(app: Flask, made: Report, output: Path | None, *, as_json: bool) -> None:
    if output is not None:
        write_pdf(app, made, output)
    document = {
        "number": made.number,
        "exhibit": made.exhibit.number,
        "sha256": made.exhibit.sha256,
        "file": str(output or ""),
    }
    emit(document, as_json=as_json, text=lambda: print_facts(document))


def write_pdf(app: Flask, made: Report, target: Path) -> None:
    """Write the sealed PDF of a report to ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with custody.open_exhibit(vault_of(app), made.exhibit) as sealed, target.open("wb") as plain:
        shutil.copyfileobj(sealed, plain)


COMMANDS = (report,)
