"""Commands about the keys of the lender's systems: ``key create``, ``key list``, ``key revoke``."""

from __future__ import annotations

from dataclasses import asdict

import click

from audit_service.cli.context import application
from audit_service.cli.output import console, emit, json_option, table
from audit_service.database import transaction
from audit_service.organizations import keys

OPERATOR = "cli:operator"


@click.group()
def key() -> None:
    """Manage the keys with which the lender's systems hand files in (docs/api.md)."""


@key.command()
@click.argument("name")
@click.option("--institution", default=None, help="Code of the institution whose system it is.")
@json_option
def create(name: str, institution: str | None, *, as_json: bool) -> None:
    """Create a key; its secret is shown this once and only its digest is kept.

    Example: audit-service key create dialler-export --institution anxin
    """
    with application(), transaction() as session:
        made = keys.create_key(session, name, institution_code=institution, actor=OPERATOR)
    emit(asdict(made), as_json=as_json, text=lambda: click.echo(f"{made.secret}\nKeep it now: it is not shown again."))


@key.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """Show the keys, and when each was last used.

    Example: audit-service key list
    """
    with application(), transaction() as session:
        rows = [(one.id, one.name, one.created_at, one.last_used_at, one.revoked_at) for one in keys.keys(session)]
    columns = ("id", "name", "created_at", "last_used_at", "revoked_at")
    document = {"keys": [dict(zip(columns, row, strict=True)) for row in rows]}
    emit(document, as_json=as_json, text=lambda: console().print(table("Keys", columns, rows)))


@key.command()
@click.argument("name")
@json_option
def revoke(name: str, *, as_json: bool) -> None:
    """Make a key unusable at once.

    Example: audit-service key revoke dialler-export
    """
    with application(), transaction() as session:
        revoked = keys.revoke_key(session, name, actor=OPERATOR)
        document = {"id": revoked.id, "name": revoked.name, "revoked_at": revoked.revoked_at}
    emit(document, as_json=as_json, text=lambda: click.echo(f"{name} is no longer in use."))


COMMANDS = (key,)
