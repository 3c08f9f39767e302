"""Fixtures of all tests: a real PostgreSQL of the session, a fresh database for each test that asks for one."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from audit_service import embedded_postgres
from audit_service.app import create_app
from audit_service.database import Session, db, transaction
from audit_service.settings import ROOT, Settings

SAMPLES = ROOT / "samples"


def _secret(length: int = 32) -> str:
    return base64.b64encode(os.urandom(length)).decode()


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """URI of a private PostgreSQL server of this test session, with a migrated template database."""
    folder = Path(tempfile.mkdtemp(prefix="audit-pg-"))
    uri = embedded_postgres.start(folder)
    yield uri
    shutil.rmtree(folder, ignore_errors=True)


def _database(uri: str, name: str, template: str) -> str:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return uri.replace("/audit", f"/{name}", 1)


@pytest.fixture(scope="session")
def secrets() -> dict[str, str]:
    names = ("AUDIT_SECRET_KEY", "AUDIT_PASSWORD_SALT", "AUDIT_RECEIPT_PEPPER", "AUDIT_MASTER_KEY", "AUDIT_SIGNING_KEY")
    return {name: _secret() for name in names}


@pytest.fixture(scope="session")
def migrated(cluster: str, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database at the newest migration, to be copied by each test."""
    from flask_migrate import upgrade

    uri = _database(cluster, "migrated", "template0")
    environment = secrets | {"DATABASE_URL": uri, "AUDIT_INSTANCE_DIR": str(tmp_path_factory.mktemp("template"))}
    app = create_app(Settings.from_environment(environment))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return "migrated"


@pytest.fixture
def environment(cluster: str, migrated: str, secrets: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment variables of an instance of its own: fresh migrated database, fresh instance folder."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    uri = _database(cluster, name, migrated)
    yield secrets | {
        "DATABASE_URL": uri,
        "AUDIT_INSTANCE_DIR": str(tmp_path / "instance"),
        "AUDIT_SECURE_COOKIES": "false",
        "AUDIT_LOG_LEVEL": "WARNING",
    }
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return Settings.from_environment(environment)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on its own database, with an application context pushed."""
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """An open transaction that is committed at the end, as in the service."""
    with transaction() as open_session:
        yield open_session


@pytest.fixture
def vault(app: Flask):
    return app.extensions["audit_vault"]
