"""Migrations: the newest equals the models, each goes up, down and up again, and keeps the ledger unchangeable."""

from __future__ import annotations

import flask_migrate
import psycopg
import pytest
from flask import Flask
from sqlalchemy import inspect

from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import db, transaction


def tables() -> set[str]:
    return {name for name in inspect(db.engine).get_table_names() if name != "alembic_version"}


def test_the_newest_migration_equals_the_models(app: Flask) -> None:
    flask_migrate.check()


def test_down_leaves_nothing_and_up_restores_all(app: Flask) -> None:
    before = tables()
    flask_migrate.downgrade(revision="base")
    assert tables() == set()
    flask_migrate.upgrade()
    assert tables() == before


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger SET actor = 'x'", "DELETE FROM ledger", "TRUNCATE ledger CASCADE"]
)
def test_the_database_refuses_to_change_the_ledger(app: Flask, statement: str) -> None:
    with transaction() as session:
        custody.record(session, Act(Action.VIEWED, "contact", "1", actor="user:1"))
    uri = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(uri) as connection,
        pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"),
    ):
        connection.execute(statement)
