"""The database handle, the base of all models, and the one place where a transaction begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Enum, MetaData, TypeDecorator, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session

from audit_service.errors import NotFoundError

__all__ = [
    "JSON",
    "Base",
    "Session",
    "UtcInstant",
    "choice",
    "db",
    "existing",
    "is_ready",
    "migrate",
    "request_session",
    "transaction",
]

JSON = JSONB


class UtcInstant(TypeDecorator[datetime]):
    """An instant: stored as ``timestamptz``, always aware and in UTC in Python; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse a datetime without zone, convert the rest to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the instant in UTC whatever the server's zone is."""
        return None if value is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all models; names of constraints follow one pattern so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcInstant(), dict[str, Any]: JSONB, list[Any]: JSONB}  # noqa: RUF012 - SQLAlchemy's class attribute


Row = TypeVar("Row", bound=Base)


def choice(kinds: type[StrEnum]) -> Enum:
    """Return a column type for the members of ``kinds``: text with a check constraint, readable in plain SQL."""
    return Enum(
        kinds,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=kinds.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate()


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a session in a transaction: leaving the block commits, raising rolls everything back.

    Needs an application context, which names the engine.
    """
    with Session(db.engine, expire_on_commit=False) as session, session.begin():
        yield session


def request_session() -> scoped_session[Any]:
    """Return the session that lives as long as a request; only the sign-in library uses it, for users and roles."""
    return db.session


def is_ready() -> bool:
    """Tell whether the database answers and has been migrated."""
    with transaction() as session:
        return session.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one() is True


def existing(session: Session, model: type[Row], key: int, *, remedy: str = "") -> Row:
    """Return the row of ``model`` with this primary key.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(model, key)
    if row is None:
        raise NotFoundError(f"There is no {model.__name__.lower()} {key}.", remedy=remedy)
    return row
