"""Files at the moment they arrive: changed under way, unreadable, or the same bytes twice at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select, text

from audit_service.custody.models import Exhibit, ExhibitKind
from audit_service.custody.vault import Vault
from audit_service.database import Session, db, transaction
from audit_service.intake.errors import FileChangedError, FileUnreadableError
from audit_service.intake.models import IntakeItem
from audit_service.intake.values import Received
from tests.intake.files import calls, log, receive, recording, registered
from tests.intake.test_recordings import count, jobs


def test_a_file_that_changes_while_it_is_read_is_refused_and_nothing_stays(
    app: Flask, vault: Vault, tmp_path: Path
) -> None:
    with transaction() as session:
        registered(session)
    path = log(tmp_path, calls(2))

    def append(*args: object) -> None:
        if "INSERT INTO exhibits" in str(args[2]):
            with path.open("a", encoding="utf-8") as stream:
                stream.write("one more line\n")

    event.listen(db.engine, "before_cursor_execute", append)
    with pytest.raises(FileChangedError, match="changed while it was read"), transaction() as session:
        receive(session, vault, path)
    with transaction() as session:
        assert [count(session, table) for table in (IntakeItem, Exhibit)] == [0, 0]


def test_a_file_that_is_gone_is_named(session: Session, vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match=r"gone\.wav"):
        receive(session, vault, tmp_path / "gone.wav")


def test_the_same_bytes_twice_at_once_are_one_item(app: Flask, vault: Vault, tmp_path: Path) -> None:
    with transaction() as session:
        registered(session)
    paths = [recording(tmp_path), recording(tmp_path, "copy.wav")]
    first_is_stored = threading.Event()

    def first() -> Received:
        with app.app_context(), transaction() as session:
            done = receive(session, vault, paths[0])
            first_is_stored.set()
            # Commit only once the second arrival waits for the lock of these bytes.
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while not session.scalar(waiting):
                session.execute(text("SELECT pg_sleep(0.02)"))
            return done

    def second() -> Received:
        assert first_is_stored.wait(30)
        with app.app_context(), transaction() as session:
            return receive(session, vault, paths[1])

    with ThreadPoolExecutor(2) as pool:
        done = [future.result(60) for future in (pool.submit(first), pool.submit(second))]
    assert [item.is_new for item in done] == [True, False]
    assert done[0].item_id == done[1].item_id
    with transaction() as session:
        assert session.scalars(select(Exhibit.number).where(Exhibit.kind == ExhibitKind.RECORDING)).all() == [
            done[0].exhibit_number
        ]
        assert [name for name, _ in jobs(session)] == ["transcribe", "detect_contact_log"]
