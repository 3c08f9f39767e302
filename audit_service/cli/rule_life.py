"""Commands about the life of rules here: ``rules publish``, ``approve``, ``versions``, ``precision`` and ``replay``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from audit_service.cli.context import application, settings_of
from audit_service.cli.output import console, emit, json_option, table
from audit_service.cli.rule_folders import folders_argument, rule_folders
from audit_service.database import Session, transaction
from audit_service.errors import NotFoundError
from audit_service.organizations.models import User
from audit_service.organizations.queries import user_by_email
from audit_service.review import publication
from audit_service.review.models import PackVersion
from audit_service.review.replaying import Replay, replay_contact
from audit_service.review.standings import RulePrecision, rule_precisions

by_option = click.option("--by", "email", required=True, help="E-mail address of the user who does it.")


@click.command("publish")
@folders_argument
@by_option
@json_option
def publish_command(folders: tuple[Path, ...], email: str, *, as_json: bool) -> None:
    """Hand in the packs in FOLDERS for approval: checked, kept with all their files, and not judging yet.

    Example: audit-service rules publish /srv/rules/own --by lin@example.org
    """
    packs = publication.checked_packs(rule_folders(folders))
    with application(), transaction() as session:
        user = _user(session, email)
        document = [_version_document(publication.publish(session, pack, user)) for pack in packs]
    emit(document, as_json=as_json, text=lambda: _say_versions(document))


@click.command("approve")
@click.argument("pack")
@click.argument("version")
@by_option
@json_option
def approve_command(pack: str, version: str, email: str, *, as_json: bool) -> None:
    """Approve a published version of a pack, as a lead who neither wrote nor published it; from then on it judges.

    Example: audit-service rules approve own 2026.1.0 --by chen@example.org
    """
    with application(), transaction() as session:
        approved = publication.approve(session, pack, version, _user(session, email))
        document = [_version_document(approved)]
    emit(document, as_json=as_json, text=lambda: _say_versions(document))


@click.command("versions")
@json_option
def versions_command(*, as_json: bool) -> None:
    """List the published pack versions with the rule versions that each brought.

    Example: audit-service rules versions --json
    """
    with application(), transaction() as session:
        document = [_version_document(version) for version in publication.published_versions(session)]
    emit(document, as_json=as_json, text=lambda: _say_versions(document))


@click.command("precision")
@json_option
def precision_command(*, as_json: bool) -> None:
    """Say how right each rule version is, by what reviewers said of its findings, with a Wilson interval at 95 %.

    A version whose interval lies wholly under AUDIT_RULE_FLOOR is under review: its findings are marked and come last.

    Example: audit-service rules precision --json
    """
    with application() as app, transaction() as session:
        rows = rule_precisions(session, settings_of(app).rule_floor)
    document = [asdict(row) | {"unreviewed": row.unreviewed} for row in rows]
    emit(document, as_json=as_json, text=lambda: _say_precisions(rows))


@click.command("replay")
@click.argument("contact", type=int)
@json_option
def replay_command(contact: int, *, as_json: bool) -> None:
    """Judge the words of a contact again by the packs of each run over them; exit code 5 if a flag differs.

    The number of a contact stands in its address on the officers' pages. Nothing is stored.

    Example: audit-service rules replay 17
    """
    with application(), transaction() as session:
        replays = replay_contact(session, contact)
    document = [asdict(one) | {"is_same": one.is_same} for one in replays]
    emit(document, as_json=as_json, text=lambda: _say_replays(replays))
    if any(one.missing or one.added for one in replays):
        raise SystemExit(5)
    raise SystemExit(6 if any(one.obstacle for one in replays) else 0)


def _user(session: Session, email: str) -> User:
    user = user_by_email(session, email)
    if user is None:
        raise NotFoundError(f"There is no user {email}.", remedy="Create the user first: `user create`.")
    return user


def _version_document(version: PackVersion) -> dict[str, object]:
    return {
        "pack": version.pack,
        "version": version.version,
        "digest": version.digest,
        "approver": version.approver,
        "approved_at": version.approved_at,
        "new_rules": [
            {
                "rule": rule.rule_id,
                "version": rule.version,
                "digest": rule.digest,
                "from": rule.in_force_from,
                "to": rule.in_force_to,
                "author": rule.author,
            }
            for rule in version.rule_versions
        ],
    }


def _say_versions(document: list[dict[str, object]]) -> None:
    rows = [
        (one["pack"], one["version"], str(one["digest"])[:12], one["approver"] or "waits for approval", _count(one))
        for one in document
    ]
    console().print(table("Pack versions", ("pack", "version", "digest", "approver", "new rules"), rows))


def _count(version: dict[str, object]) -> int:
    rules = version["new_rules"]
    return len(rules) if isinstance(rules, list) else 0


def _say_precisions(rows: list[RulePrecision]) -> None:
    columns = ("rule", "findings", "confirmed", "dismissed", "open", "not reviewed", "precision", "95 %", "")
    console().print(table("Precision of rule versions", columns, [_precision_cells(row) for row in rows]))


def _precision_cells(row: RulePrecision) -> tuple[object, ...]:
    return (
        f"{row.rule_id} v{row.version}",
        row.findings,
        row.confirmed,
        row.dismissed,
        row.needs_information + row.dismissal_proposed,
        row.unreviewed,
        "" if row.precision is None else f"{row.precision:.2f}",
        "" if row.precision is None else f"{row.low:.2f}-{row.high:.2f}",
        "under review" if row.is_under_review else "",
    )


def _say_replays(replays: list[Replay]) -> None:
    for one in replays:
        outcome = one.obstacle or f"{one.same} the same, {len(one.missing)} missing, {len(one.added)} added"
        click.echo(f"run {one.run_id} of {one.started_at:%Y-%m-%d %H:%M}: {outcome}")


COMMANDS = (publish_command, approve_command, versions_command, precision_command, replay_command)
