"""Commands about what was heard: correct words, channels and word lists; what people must listen to."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask

from audit_service.cli.context import application, settings_of
from audit_service.cli.output import console, emit, json_option, table
from audit_service.database import Session, transaction
from audit_service.detection import Engine
from audit_service.errors import InputRefusedError
from audit_service.jobs.tasks import speech_engine
from audit_service.organizations.queries import agency_by_code, institution_by_code
from audit_service.review import words as corrections
from audit_service.review.models import Finding
from audit_service.review.publication import engine_in_force
from audit_service.transcription import channels, referrals, word_lists
from audit_service.transcription.edits import Editor, transcript_lines

OPERATOR = "cli:operator"
reason_option = click.option("--reason", required=True, help="How it is known; kept in the ledger.")


@click.group()
def words() -> None:
    """Show and correct the words of a call; the machine's words always stay on record."""


@words.command()
@click.argument("reference")
@json_option
def show(reference: str, *, as_json: bool) -> None:
    """Show the words of the call REFERENCE as they are read now, with the number of each segment.

    Example: audit-service words show call-17
    """
    with application(), transaction() as session:
        lines = [asdict(line) for line in transcript_lines(session, reference)]
    columns = ("segment", "speaker", "start_s", "text", "machine_text", "corrections")
    shown = [line | {"speaker": f"{line['speaker']}{'' if line['is_speaker_sure'] else ' ?'}"} for line in lines]
    rows = [[line[column] for column in columns] for line in shown]
    emit({"segments": lines}, as_json=as_json, text=lambda: console().print(table(reference, columns, rows)))


@words.command()
@click.argument("segment", type=int)
@click.argument("text")
@reason_option
@json_option
def correct(segment: int, text: str, reason: str, *, as_json: bool) -> None:
    """Lay TEXT over the words of SEGMENT and judge the call again; prints which findings come and go.

    Example: audit-service words correct 812 "我们会依法起诉" --reason "listened twice"
    """
    with application() as app, transaction() as session:
        judged = corrections.correct_words(session, _rules(app, session), segment, text, Editor(OPERATOR, reason))
        document = _document(judged)
    emit(document, as_json=as_json, text=lambda: _print_judged(document))


@words.command()
@click.argument("segment", type=int)
@reason_option
@json_option
def revert(segment: int, reason: str, *, as_json: bool) -> None:
    """Give SEGMENT the machine's words back and judge the call again.

    Example: audit-service words revert 812 --reason "the machine was right"
    """
    with application() as app, transaction() as session:
        judged = corrections.revert_words(session, _rules(app, session), segment, Editor(OPERATOR, reason))
        document = _document(judged)
    emit(document, as_json=as_json, text=lambda: _print_judged(document))


def _rules(app: Flask, session: Session) -> Engine:
    return engine_in_force(session, settings_of(app).rule_folders)


def _document(judged: corrections.Judged) -> dict[str, Any]:
    return {
        "segment": judged.segment.id,
        "text": judged.segment.read_text,
        "machine_text": judged.segment.text,
        "came": [_finding(found) for found in judged.came],
        "went": [_finding(found) for found in judged.went],
        "kept": judged.kept,
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {"finding": found.id, "rule": found.rule_id, "quote": found.quote}


def _print_judged(document: dict[str, Any]) -> None:
    click.echo(f"reads: {document['text']}\nmachine: {document['machine_text']}")
    for sign, name in (("+", "came"), ("-", "went")):
        for found in document[name]:
            click.echo(f"{sign} {found['rule']} “{found['quote']}” (finding {found['finding']})")
    click.echo(f"{document['kept']} findings stay.")


@click.command("agent-channel")
@click.argument("institution")
@click.argument("agency")
@click.argument("channel", type=click.IntRange(min=0))
@click.option("--from", "begin", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC).")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Day after the last (UTC).")
@reason_option
@json_option
def agent_channel(  # noqa: PLR0913 - one parameter for each option
    institution: str,
    agency: str,
    channel: int,
    begin: datetime | None,
    end: datetime | None,
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Say on which channel AGENCY's recorder has the agents, and put all its calls of the days right in one act.

    Calls whose speakers are otherwise get a new version of their transcript and are judged anew by the workers.

    Example: audit-service agent-channel anxin hengda 1 --from 2026-03-01 --to 2026-03-08 --reason "new recorder"
    """
    first, last = (None if day is None else day.replace(tzinfo=UTC) for day in (begin, end))
    with application(), transaction() as session:
        owner = agency_by_code(session, institution_by_code(session, institution), agency)
        batch = channels.Batch(owner, first, last)
        done = channels.set_agent_channel(session, batch, channel, actor=OPERATOR, reason=reason)
    emit(
        asdict(done),
        as_json=as_json,
        text=lambda: click.echo(
            f"{done.corrected} of {done.looked_at} calls were the wrong way round and are put right."
        ),
    )


@click.group()
def hotwords() -> None:
    """Keep the words that a lender wants expected in its calls: versions, measured before they are used."""


@hotwords.command()
@click.argument("institution")
@click.argument("texts", nargs=-1, required=True)
@json_option
def add(institution: str, texts: tuple[str, ...], *, as_json: bool) -> None:
    """Store the next version of the words of INSTITUTION; it is not used before it was measured.

    Example: audit-service hotwords add anxin 征信 减免 协商还款
    """
    with application(), transaction() as session:
        owner = institution_by_code(session, institution)
        version = word_lists.add_words(session, owner, texts, actor=OPERATOR).version
    emit({"version": version}, as_json=as_json, text=lambda: click.echo(f"Version {version} is kept. Measure it now."))


@hotwords.command("list")
@click.argument("institution")
@json_option
def list_words(institution: str, *, as_json: bool) -> None:
    """Show all versions of the words of INSTITUTION with what was measured.

    Example: audit-service hotwords list anxin
    """
    with application(), transaction() as session:
        found = word_lists.word_lists(session, institution_by_code(session, institution))
        rows = [(one.version, one.is_used, " ".join(one.words), one.measured) for one in found]
    columns = ("version", "used", "words", "measured")
    document = {"versions": [dict(zip(columns, row, strict=True)) for row in rows]}
    emit(document, as_json=as_json, text=lambda: console().print(table("Word lists", columns, rows)))


@hotwords.command()
@click.argument("institution")
@click.argument("version", type=int)
@click.option(
    "--on",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Test set: calls/NAME.wav with truth/NAME.json.",
)
@json_option
def measure(institution: str, version: int, folder: Path, *, as_json: bool) -> None:
    """Hear a fixed test set without and with a version of the words, and keep both error rates.

    Example: audit-service hotwords measure anxin 2 --on samples
    """
    with application() as app:
        with transaction() as session:
            chosen = word_lists.word_list(session, institution_by_code(session, institution), version).words
        found = word_lists.measure(speech_engine(settings_of(app)), chosen, folder)
        document = {**asdict(found), "change": round(found.change, 5), "test_set": folder.name}
        with transaction() as session:
            owner = institution_by_code(session, institution)
            word_lists.word_list(session, owner, version).measured = document
    emit(document, as_json=as_json, text=lambda: _print_measured(found))


def _print_measured(found: word_lists.Measured) -> None:
    for name, errors, right in (
        ("without", found.errors_without, found.words_without),
        ("with", found.errors_with, found.words_with),
    ):
        share = errors / found.characters if found.characters else 0.0
        click.echo(
            f"{name}: {share:.2%} of {found.characters} characters wrong, {right} of {found.words_said} words written"
        )


@hotwords.command()
@click.argument("institution")
@click.argument("version", type=int)
@json_option
def use(institution: str, version: int, *, as_json: bool) -> None:
    """Use VERSION for the calls of INSTITUTION from now on; 0 uses none.

    Example: audit-service hotwords use anxin 2
    """
    with application(), transaction() as session:
        owner = institution_by_code(session, institution)
        word_lists.use_words(session, owner, version, actor=OPERATOR)
    emit({"version": version}, as_json=as_json, text=lambda: click.echo(f"Version {version} is used from now on."))


@click.group("referrals")
def referral() -> None:
    """Recordings that people must listen to, in named queues: unsupported_language, hard_to_hear."""


@referral.command("list")
@click.option("--queue", type=click.Choice(referrals.QUEUES), default=None, help="One queue only.")
@json_option
def list_referrals(queue: str | None, *, as_json: bool) -> None:
    """Show what waits, the oldest first.

    Example: audit-service referrals list --queue unsupported_language
    """
    with application(), transaction() as session:
        rows = [
            (one.id, one.queue, one.recording.attempt.reference, one.detail, one.referred_at)
            for one in referrals.waiting(session, queue or "")
        ]
    columns = ("id", "queue", "call", "detail", "referred_at")
    document = {"referrals": [dict(zip(columns, row, strict=True)) for row in rows]}
    emit(document, as_json=as_json, text=lambda: console().print(table("Waiting for people", columns, rows)))


@referral.command()
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who listened.")
@json_option
def settle(number: int, by: str, *, as_json: bool) -> None:
    """Note that a person listened to the recording of referral NUMBER.

    Example: audit-service referrals settle 3 --by lin@example.org
    """
    if not by.strip():
        raise InputRefusedError("Nobody is named.", remedy="Name who listened.")
    with application(), transaction() as session:
        done = referrals.settle(session, number, actor=f"cli:{by.strip()}"[:100])
        document = {"id": done.id, "settled_at": done.settled_at, "settled_by": done.settled_by}
    emit(document, as_json=as_json, text=lambda: click.echo(f"Referral {number} is settled."))


COMMANDS = (words, agent_channel, hotwords, referral)
