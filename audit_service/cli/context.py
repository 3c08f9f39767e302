"""The application behind the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask_security import hash_password as hash_as_configured

from audit_service.app import create_app
from audit_service.custody.vault import Vault
from audit_service.database import is_ready
from audit_service.errors import SettingsError
from audit_service.settings import Settings


@contextmanager
def application(*, must_be_ready: bool = True) -> Iterator[Flask]:
    """Open the application of the environment's settings with its context.

    Raises:
        SettingsError: a setting is missing or unreadable, or the database has not been migrated.
    """
    app = create_app(Settings.from_environment())
    with app.app_context():
        if must_be_ready and not is_ready():
            raise SettingsError("The database has not been set up.", remedy="Run `audit-service migrate`.")
        yield app


def vault_of(app: Flask) -> Vault:
    """Return the vault that ``create_app`` opened."""
    vault: Vault = app.extensions["audit_vault"]
    return vault


def settings_of(app: Flask) -> Settings:
    """Return the settings that ``create_app`` was given."""
    settings: Settings = app.extensions["audit_settings"]
    return settings


def hash_password(app: Flask, password: str) -> str:
    """Return the Argon2 hash of ``password``, salted as the application is set to."""
    with app.app_context():
        return str(hash_as_configured(password))
