"""Commands about complaints: ``complaint new`` and ``complaint show``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from flask import Flask

from audit_service.cli.context import application, settings_of, vault_of
from audit_service.cli.output import console, emit, json_option, print_facts, table
from audit_service.complaints import queries
from audit_service.complaints import services as complaints
from audit_service.complaints.documents import from_document
from audit_service.complaints.models import Complaint
from audit_service.complaints.values import FiledComplaint
from audit_service.database import transaction
from audit_service.errors import InputRefusedError


@click.group()
def complaint() -> None:
    """File and read complaints."""


def file_document(app: Flask, document: dict[str, Any]) -> FiledComplaint:
    """File a complaint from a document, exactly as the portal does; needs the application's context."""
    with transaction() as session:
        return complaints.file(session, vault_of(app), settings_of(app).receipt_pepper, from_document(document))


@complaint.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def new(document: Path, *, as_json: bool) -> None:
    """File a complaint from a JSON file; prints its number and, this once, its receipt code.

    Example: audit-service complaint new samples/complaints/complaint-1.json
    """
    try:
        content = json.loads(document.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputRefusedError(
            f"{document.name} is not JSON: {error}.", remedy="Compare it with samples/complaints."
        ) from error
    with application() as app:
        filed = file_document(app, content)
    facts = {"number": filed.number, "receipt_code": filed.receipt_code}
    emit(facts, as_json=as_json, text=lambda: print_facts(facts))


@complaint.command()
@click.argument("number")
@json_option
def show(number: str, *, as_json: bool) -> None:
    """Show a complaint: its status, clocks, and what the records say about each allegation.

    Example: audit-service complaint show C-2026-000001
    """
    with application(), transaction() as session:
        document = complaint_document(queries.complaint_page(session, number).complaint)
    emit(document, as_json=as_json, text=lambda: _print(document))


def complaint_document(filed: Complaint) -> dict[str, Any]:
    """Return a complaint with its allegations as plain values."""
    return {
        "number": filed.number,
        "status": filed.status.value,
        "submitted_at": filed.submitted_at.isoformat(),
        "due": {clock.kind: clock.due_at.isoformat() for clock in filed.clocks},
        "allegations": [
            {
                "category": allegation.category,
                "words": allegation.words,
                "result": allegation.corroboration.result.value if allegation.corroboration else None,
                "links": [
                    {"finding": link.finding_id, "score": link.score, "reasons": link.reasons}
                    for link in allegation.links
                ],
            }
            for allegation in filed.allegations
        ],
    }


def _print(document: dict[str, Any]) -> None:
    print_facts({key: document[key] for key in ("number", "status", "submitted_at", "due")})
    rows = [(a["category"], a["words"], a["result"] or "", len(a["links"])) for a in document["allegations"]]
    console().print(table("Allegations", ("category", "words", "records say", "linked findings"), rows))


COMMANDS = (complaint,)
