"""Commands about evidence: ``verify`` and ``export``."""

from __future__ import annotations

from pathlib import Path

import click

from audit_service.cli.context import application, vault_of
from audit_service.cli.output import emit, json_option, print_facts
from audit_service.custody import services as custody
from audit_service.database import transaction
from audit_service.exports import services as exports
from audit_service.exports.values import ExportRequest
from evidence_store import Outcome, Verdict, verify_package

EXIT = {Outcome.HOLDS: 0, Outcome.DOES_NOT_HOLD: 5, Outcome.COULD_NOT_CHECK: 6}


@click.command()
@click.argument("package", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def verify(package: Path | None, *, as_json: bool) -> None:
    """Check that nothing was altered, dropped or reordered; exit code 5 if something was, 6 if it cannot be told.

    Without PACKAGE all sealed exhibits, the ledger and its checkpoints of this instance are checked. With PACKAGE, an
    exported package is checked from its own contents alone, offline.

    Example: audit-service verify    ·    audit-service verify /media/usb/export-2026-03
    """
    if package is not None:
        verdict = verify_package(package)
    else:
        with application() as app, transaction() as session:
            verdict = custody.verify(session, vault_of(app))
    document = {
        "outcome": verdict.outcome.value,
        "checked": dict(verdict.checked),
        "problems": [str(problem) for problem in verdict.problems],
    }
    emit(document, as_json=as_json, text=lambda: say_verdict(verdict))
    raise SystemExit(EXIT[verdict.outcome])


def say_verdict(verdict: Verdict) -> None:
    """Print a verdict for people: the outcome, what was checked, and what is wrong, the first first."""
    click.echo(f"Verification: {verdict.outcome.value.replace('_', ' ')}")
    for thing, number in verdict.checked.items():
        click.echo(f"  {thing} checked: {number}")
    for problem in verdict.problems:
        click.echo(f"  - {problem}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--recipient", required=True, help="To whom the package is handed.")
@click.option("--purpose", required=True, help="Why; goes into the ledger.")
@click.option("--complaint", "complaints", multiple=True, help="Only what concerns this complaint; may be repeated.")
@json_option
def export(folder: Path, recipient: str, purpose: str, complaints: tuple[str, ...], *, as_json: bool) -> None:
    """Write a sealed package that its recipient can verify offline; FOLDER must not exist or be empty.

    Example: audit-service export /media/usb/export --recipient "NFRA Shanghai" --purpose "inspection 2026-11"
    """
    with application() as app, transaction() as session:
        request = ExportRequest(recipient=recipient, purpose=purpose, complaints=complaints)
        made = exports.export(session, vault_of(app), folder, request)
        document = {
            "number": made.number,
            "folder": str(folder),
            "exhibits": made.exhibits,
            "ledger_size": made.ledger_size,
        }
    emit(document, as_json=as_json, text=lambda: print_facts(document))


COMMANDS = (verify, export)
