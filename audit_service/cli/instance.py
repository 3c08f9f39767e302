"""Commands that set an instance up: ``init``, ``migrate``, ``register``."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import click
from flask_migrate import upgrade

from audit_service.cli.context import application
from audit_service.cli.output import emit, json_option, print_facts
from audit_service.contacts import services as contacts
from audit_service.database import transaction
from audit_service.errors import InputRefusedError
from audit_service.organizations import services as organizations
from audit_service.settings import setting_from_environment
from evidence_store import MasterKey, SigningKey

GENERATORS: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(48),
    "password_salt": lambda: secrets.token_urlsafe(24),
    "receipt_pepper": lambda: secrets.token_urlsafe(48),
    "master_key": lambda: MasterKey.generate().to_base64(),
    "signing_key": lambda: SigningKey.generate().to_base64(),
}


def create_secrets(instance_dir: Path) -> list[Path]:
    """Create the secrets that ``instance_dir`` lacks, readable by the owner only; return the files made."""
    folder = instance_dir / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    for name, generate in GENERATORS.items():
        file = folder / name
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(generate())
            made.append(file)
    return made


@click.command()
@json_option
def init(*, as_json: bool) -> None:
    """Create secrets for a new instance under its instance folder.

    Existing secrets are never replaced. For production keep them in the environment or a secret store instead, and
    back the master key up: without it no exhibit can be opened.

    Example: AUDIT_INSTANCE_DIR=/srv/audit audit-service init
    """
    instance_dir: Path = setting_from_environment("instance_dir")
    made = create_secrets(instance_dir)
    document = {"folder": str(instance_dir / "secrets"), "created": [file.name for file in made]}
    emit(document, as_json=as_json, text=lambda: print_facts(document))


@click.command()
@json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database to the newest schema.

    Example: audit-service migrate
    """
    with application(must_be_ready=False):
        upgrade()
    emit({"migrated": True}, as_json=as_json, text=lambda: click.echo("The database is at the newest schema."))


@click.command()
@click.argument("registry", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def register(registry: Path, *, as_json: bool) -> None:
    """Register institutions, agencies, agents, borrowers and accounts from a JSON file; safe to repeat.

    Example: audit-service register samples/registry.json
    """
    try:
        document = json.loads(registry.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputRefusedError(
            f"{registry.name} is not JSON: {error}.", remedy="Compare it with samples/registry.json."
        ) from error
    with application(), transaction() as session:
        done = organizations.register(session, document) | contacts.register(session, document)
    emit(done, as_json=as_json, text=lambda: print_facts(done))


COMMANDS = (init, migrate, register)
