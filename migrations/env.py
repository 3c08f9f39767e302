"""Alembic's environment: runs migrations on the application's engine, with time limits on locks and statements."""

from alembic import context
from flask import current_app
from sqlalchemy import text

# Importing the models fills the metadata that autogenerate compares with the database.
from audit_service.complaints import models as _complaints  # noqa: F401 - imported for its tables
from audit_service.exports import models as _exports  # noqa: F401 - imported for its tables
from audit_service.intake import models as _intake  # noqa: F401 - imported for its tables
from audit_service.reports import models as _reports  # noqa: F401 - imported for its tables


def _is_ours(name, type_, _parent_names):
    """Leave the job queue's own tables to its own schema."""
    return not (type_ == "table" and name is not None and name.startswith("procrastinate"))


def run() -> None:
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '4s'"))
        context.configure(
            connection=connection, target_metadata=database.metadata, include_name=_is_ours, compare_type=True
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
