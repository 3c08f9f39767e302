"""Commands about the people who sign in: ``user create``."""

from __future__ import annotations

import sys

import click

from audit_service.cli.context import application, hash_password
from audit_service.cli.output import emit, json_option
from audit_service.database import transaction
from audit_service.errors import InputRefusedError
from audit_service.organizations import services as organizations
from audit_service.organizations.models import RoleName
from audit_service.organizations.values import NewUser

SHORTEST_PASSWORD = 12


@click.group()
def user() -> None:
    """Manage the people who sign in."""


@user.command()
@click.argument("email")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in RoleName]),
    help="May be given more than once.",
)
@click.option("--name", "display_name", default="", help="Shown on pages and in reports.")
@click.option("--institution", default=None, help="Code of the institution the user belongs to.")
@click.option("--agency", default=None, help="Code of the agency, for the role agency.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@json_option
def create(  # noqa: PLR0913 - one parameter for each option
    email: str,
    roles: tuple[str, ...],
    display_name: str,
    institution: str | None,
    agency: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Create a user who may sign in.

    Example: audit-service user create lin@example.org --role officer --name 林静
    """
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    if len(password) < SHORTEST_PASSWORD:
        raise InputRefusedError(
            f"The password is shorter than {SHORTEST_PASSWORD} characters.", remedy="Choose a longer one."
        )
    with application() as app, transaction() as session:
        new = NewUser(
            email=email,
            password_hash=hash_password(app, password),
            display_name=display_name,
            roles=roles,
            institution_code=institution,
            agency_code=agency,
        )
        made = organizations.create_user(session, new)
        document = {"id": made.id, "email": made.email, "roles": list(roles)}
    emit(document, as_json=as_json, text=lambda: click.echo(f"{email} may now sign in as {', '.join(roles)}."))


COMMANDS = (user,)
