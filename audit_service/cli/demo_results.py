"""What the demo found, beside what the sample data are known to contain."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from audit_service.cli.complaints import complaint_document
from audit_service.cli.output import console, table
from audit_service.complaints import queries as complaints
from audit_service.complaints.values import FiledComplaint
from audit_service.database import transaction
from audit_service.intake import queries as intake
from audit_service.review.tallies import categories_by_reference
from audit_service.settings import ROOT

TRUTH = ROOT / "samples" / "truth"


@dataclass(frozen=True)
class Comparison:
    """The categories found for one contact, split by what is known of it."""

    reference: str
    right: tuple[str, ...]
    missed: tuple[str, ...]
    extra: tuple[str, ...]


def compare(found: Mapping[str, set[str]], truth: Mapping[str, set[str]]) -> list[Comparison]:
    """Compare found with true categories, contact by contact, for the contacts whose truth is known."""
    return [
        Comparison(
            reference=reference,
            right=tuple(sorted(truth[reference] & found.get(reference, set()))),
            missed=tuple(sorted(truth[reference] - found.get(reference, set()))),
            extra=tuple(sorted(found.get(reference, set()) - truth[reference])),
        )
        for reference in sorted(truth)
    ]


def true_categories(truth: Path = TRUTH) -> dict[str, dict[str, set[str]]]:
    """Return the known categories of the sample data: by kind of sample, then by the contact's reference."""
    logs = json.loads((truth / "call_log.json").read_text(encoding="utf-8"))
    messages = json.loads((truth / "message_log.json").read_text(encoding="utf-8"))
    calls = {}
    for file in sorted(truth.glob("*-[0-9][0-9].json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        labels = {label for turn in document["turns"] for label in turn["labels"]} | set(document["call_labels"])
        calls[document["id"]] = labels | set(logs.get(document["id"], ()))
    return {
        "calls": calls,
        "call log": {key: set(value) for key, value in logs.items() if key not in calls},
        "messages": {key: set(value) for key, value in messages.items()},
    }


def print_results() -> None:
    """Print findings by category, each recorded call against its labels, and the totals of all samples."""
    with transaction() as session:
        found = categories_by_reference(session)
        balance = intake.balance(session)
    tally = Counter(category for categories in found.values() for category in categories)
    console().print(table("\nContacts with findings, by category", ("category", "contacts"), tally.most_common()))
    truth = true_categories()
    rows = [
        (c.reference, ", ".join(c.right), ", ".join(c.missed), ", ".join(c.extra))
        for c in compare(found, truth["calls"])
    ]
    console().print(
        table(
            "\nRecorded calls against their labels", ("call", "found and true", "missed", "found, not labelled"), rows
        )
    )
    for kind, known in truth.items():
        compared = compare(found, known)
        right, missed, extra = (sum(len(getattr(c, part)) for c in compared) for part in ("right", "missed", "extra"))
        click.echo(
            f"{kind}: {right} true positives, {extra} false positives, {missed} misses over {len(compared)} contacts"
        )
    click.echo(f"Intake: {balance}")


def print_complaints(filed: Iterable[FiledComplaint]) -> None:
    """Print each complaint with what the records say about its allegations, and why."""
    for receipt in filed:
        with transaction() as session:
            document = complaint_document(complaints.complaint_page(session, receipt.number).complaint)
        rows = [
            (
                a["category"],
                a["words"],
                a["result"],
                "; ".join(reason["en"] for link in a["links"][:1] for reason in link["reasons"]),
            )
            for a in document["allegations"]
        ]
        title = f"\nComplaint {receipt.number} (receipt code {receipt.receipt_code}, shown once)"
        console().print(table(title, ("allegation", "words", "records say", "why the best link"), rows))
