"""Migrations: the newest equals the models, each goes up, down and up again, and keeps the ledger unchangeable."""

from __future__ import annotations

from datetime import date

import flask_migrate
import psycopg
import pytest
from flask import Flask
from sqlalchemy import inspect, select

from audit_service import clock
from audit_service.custody import services as custody
from audit_service.custody.models import Action
from audit_service.custody.values import Act
from audit_service.database import db, transaction
from audit_service.review.models import Disposition, Finding, RuleStanding, RuleVersion, Verdict
from audit_service.review.standings import wilson
from tests.factories import contacts, findings, organizations


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


def test_stored_findings_get_points_and_their_dispositions_a_standing(app: Flask) -> None:
    with transaction() as session:
        lender = organizations.institution(session)
        attempt = contacts.attempt(session, contacts.borrower(session, lender), organizations.agency(session, lender))
        flagged = [findings.finding(session, attempt, quote="") for _ in range(4)]
        reviewer = organizations.user(session)
        for finding, verdict in zip(flagged, ("confirmed", "confirmed", "dismissed", "needs_information"), strict=True):
            session.add(
                Disposition(
                    finding_id=finding.id, verdict=Verdict(verdict), user_id=reviewer.id, decided_at=clock.now()
                )
            )
    flask_migrate.downgrade(revision="0004")
    flask_migrate.upgrade()
    with transaction() as session:
        assert {(found.points, found.is_fatal) for found in session.scalars(select(Finding))} == {(10, True)}
        (standing,) = session.scalars(select(RuleStanding)).all()
        assert (standing.rule_id, standing.confirmed, standing.dismissed) == (findings.RULE, 2, 1)
        assert standing.upper == pytest.approx(wilson(2, 3)[1], abs=1e-4)


@pytest.mark.parametrize(
    "statement", ["UPDATE rule_versions SET author = 'x'", "DELETE FROM rule_versions", "TRUNCATE rule_versions"]
)
def test_the_database_refuses_to_change_a_published_rule_version(app: Flask, statement: str) -> None:
    with transaction() as session:
        session.add(
            RuleVersion(
                pack_version_id=findings.pack_version(session).id,
                rule_id=findings.RULE,
                version=1,
                digest="0" * 64,
                in_force_from=date(2026, 1, 1),
                author="rules-cn",
            )
        )
    uri = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(uri) as connection,
        pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="immutable"),
    ):
        connection.execute(statement)
