"""Where facts come from is evidence too: sidecars are sealed, zones say how they are known, malware is never read."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from audit_service.contacts.models import ContactAttempt, Recording, ZoneSource
from audit_service.custody.models import Action, Exhibit, ExhibitKind, LedgerRow
from audit_service.custody.vault import Vault
from audit_service.database import Session, transaction
from audit_service.detection import Engine, load_packs
from audit_service.errors import InputRefusedError
from audit_service.intake import queries
from audit_service.intake.malware import EICAR, Scanner, ScannerUnreachableError
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.intake.retrying import retry, waiting_items
from audit_service.intake.services import fail_item
from audit_service.intake.values import Source
from audit_service.jobs.patience import is_final
from audit_service.organizations import services as organizations
from audit_service.queue import waiting_jobs
from audit_service.review import running
from audit_service.review.models import Finding
from audit_service.settings import ROOT
from tests.intake.files import CLI, REGISTRY, calls, log, receive, recording, registered


@pytest.fixture(autouse=True)
def registry(app: Flask) -> None:
    with transaction() as session:
        registered(session)


def item_of(session: Session) -> IntakeItem:
    return session.scalars(select(IntakeItem)).one()


def test_a_sidecar_is_an_exhibit_of_its_own(session: Session, vault: Vault, tmp_path: Path) -> None:
    file = recording(tmp_path)
    receive(session, vault, file)
    beside = item_of(session).beside
    assert beside is not None
    assert (beside.kind, beside.original_name) == (ExhibitKind.SIDECAR, "call-1.json")
    with vault.store.open(beside.sha256) as stream:
        assert stream.read() == file.with_suffix(".json").read_bytes()


def test_a_map_of_columns_and_a_pattern_for_names_are_sealed_too(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    file = log(tmp_path, calls(1))
    (tmp_path / "columns.json").write_text('{"defaults": {"timezone": "Asia/Shanghai"}}', encoding="utf-8")
    receive(session, vault, file)
    assert item_of(session).beside.original_name == "columns.json"
    folder = tmp_path / "named"
    folder.mkdir()
    named = recording(folder, "unreadable.wav")
    named.with_suffix(".json").unlink()
    (folder / "filenames.json").write_text('{"pattern": "(?P<reference>[0-9]+)"}', encoding="utf-8")
    item_id = receive(session, vault, named).item_id
    assert session.get_one(IntakeItem, item_id).beside.original_name == "filenames.json"


def test_another_sidecar_of_known_bytes_is_kept(session: Session, vault: Vault, tmp_path: Path) -> None:
    file = recording(tmp_path)
    receive(session, vault, file)
    recording(tmp_path, sidecar={"agent": "9999"})
    assert not receive(session, vault, file).is_new
    kinds = list(session.scalars(select(Exhibit.kind).order_by(Exhibit.id)))
    assert kinds == [ExhibitKind.RECORDING, ExhibitKind.SIDECAR, ExhibitKind.SIDECAR]


def test_what_waits_for_a_borrower_is_taken_from_its_sealed_bytes(app: Flask, vault: Vault, tmp_path: Path) -> None:
    file = recording(tmp_path, sidecar={"borrower": "B-new"})
    with transaction() as session:
        received = receive(session, vault, file)
        assert received.state is ItemState.QUARANTINED
    file.unlink()
    file.with_suffix(".json").unlink()
    work = tmp_path / "work"
    document = json.loads(json.dumps(REGISTRY))
    document["borrowers"].append({"institution": "anxin", "reference": "B-new", "name": "新"})
    with transaction() as session:
        from audit_service.contacts import services as contacts

        contacts.register(session, document)
        assert waiting_items(session, received.reason_code) == [received.item_id]
        assert waiting_items(session, "other.code") == []
        item = retry(session, vault, received.item_id, CLI, work)
        assert (item.state, item.name) == (ItemState.RUNNING, "call-1.wav")
        assert session.scalars(select(Recording)).one().exhibit_id == item.exhibit_id
        assert queries.balance(session).holds
    assert list(work.iterdir()) == []


def test_a_failed_recording_is_transcribed_again_and_the_balance_holds(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    received = receive(session, vault, recording(tmp_path))
    item = item_of(session)
    fail_item(session, item.exhibit_id, "internal", "x")
    session.refresh(item)
    assert (queries.balance(session).failed, queries.balance(session).holds) == (1, True)
    before = waiting_jobs(session)["todo"]
    retry(session, vault, received.item_id, CLI, tmp_path)
    assert (item.state, item.reason_code) == (ItemState.RUNNING, "")
    assert waiting_jobs(session)["todo"] == before + 1
    assert session.scalars(select(LedgerRow.action).order_by(LedgerRow.seq.desc())).first() is Action.RETRIED
    with pytest.raises(InputRefusedError, match="is running"):
        retry(session, vault, received.item_id, CLI, tmp_path)


def test_the_eicar_file_is_quarantined_whatever_it_is_called(session: Session, vault: Vault, tmp_path: Path) -> None:
    for name, before in (("a.wav", b""), ("b.csv", b"reference,text\n"), ("c.wav", bytes((1 << 20) - 30))):
        (tmp_path / name).write_bytes(before + EICAR)
        received = receive(session, vault, tmp_path / name)
        assert (received.state, received.reason_code) == (ItemState.QUARANTINED, "file.malware")
        assert received.exhibit_number
    last = session.scalars(select(LedgerRow).order_by(LedgerRow.seq.desc())).first()
    assert '"reason_code":"file.malware"' in last.canonical.replace(" ", "")


@pytest.fixture
def clamd() -> Iterator[str]:
    """A server that speaks ClamAV's protocol and finds the word VIRUS."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack(">I", stream.read(4))[0]:
                    content += stream.read(size)
                found = b"Toy.Virus FOUND" if b"VIRUS" in content else b"OK"
                connection.sendall(b"stream: " + found + b"\0")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_the_operators_scanner_is_asked_about_every_file(
    session: Session, vault: Vault, tmp_path: Path, clamd: str
) -> None:
    source = Source("cli", scanner=Scanner(clamd))
    (tmp_path / "bad.wav").write_bytes(b"RIFF VIRUS")
    received = receive(session, vault, tmp_path / "bad.wav", source)
    assert (received.reason_code, "Toy.Virus" in received.reason) == ("file.malware", True)
    assert receive(session, vault, recording(tmp_path), source).state is ItemState.RUNNING


def test_while_the_scanner_does_not_answer_nothing_is_taken_and_jobs_try_again(
    app: Flask, vault: Vault, tmp_path: Path
) -> None:
    from procrastinate.jobs import Job

    with pytest.raises(ScannerUnreachableError) as caught, transaction() as session:
        receive(session, vault, recording(tmp_path), Source("cli", scanner=Scanner(str(tmp_path / "none.sock"))))
    with transaction() as session:
        assert session.scalars(select(IntakeItem)).all() == []
    job = Job(queue="detect", lock=None, queueing_lock=None, task_name="receive_upload", attempts=0)
    assert not is_final(caught.value, job, attempts=3)


def test_both_zones_and_how_they_are_known_are_kept(session: Session, vault: Vault, tmp_path: Path) -> None:
    document = json.loads(json.dumps(REGISTRY))
    document["agencies"][0] |= {"timezone": "Asia/Urumqi", "agent_channel": 1}
    organizations.register(session, document)
    stated = calls(1, timezone="Asia/Tokyo", reference="stated")[0] | {"reference": "stated"}
    registered_zone = calls(1)[0] | {"reference": "registered", "timezone": ""}
    unknown = calls(1)[0] | {"reference": "unknown", "timezone": "", "borrower": "B-2"}
    receive(session, vault, log(tmp_path, [stated, registered_zone, unknown]))
    zones = {one.reference: (one.timezone, one.zone_source) for one in session.scalars(select(ContactAttempt))}
    assert zones == {
        "stated": ("Asia/Tokyo", ZoneSource.STATED),
        "registered": ("Asia/Shanghai", ZoneSource.REGISTERED),
        "unknown": (None, ZoneSource.UNKNOWN),
    }
    assert {one.site_timezone for one in session.scalars(select(ContactAttempt))} == {"Asia/Urumqi"}
    receive(session, vault, recording(tmp_path, sidecar={"reference": "registered", "timezone": "Asia/Tokyo"}))
    joined = session.scalars(select(ContactAttempt).where(ContactAttempt.reference == "registered")).one()
    assert (joined.timezone, joined.zone_source) == ("Asia/Tokyo", ZoneSource.STATED)
    assert session.scalars(select(Recording)).one().agent_channel == 1


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-03-08 07:59", ["outside_hours"]),  # the clocks went forward at 2:00: 12:59 UTC, not 13:59
        ("2026-03-08 08:00", []),
        ("2026-11-01 07:59", ["outside_hours"]),  # and back at 2:00: 13:59 UTC, not 12:59
        ("2026-11-01 08:00", []),
        ("2026-11-01 20:59", []),
        ("2026-11-01 21:01", ["outside_hours"]),
    ],
)
def test_a_call_on_the_day_the_clocks_change_lands_on_the_right_side_of_the_line(
    session: Session, vault: Vault, tmp_path: Path, written: str, found: list[str]
) -> None:
    row = calls(1)[0] | {"institution": "lakeside", "agency": "northfield", "agent": "7", "number": "312-555-0100"}
    receive(session, vault, log(tmp_path, [row | {"started_at": written, "timezone": "America/Chicago"}]))
    attempt = session.scalars(select(ContactAttempt)).one()
    engine = Engine(load_packs((ROOT / "rules" / "cn", ROOT / "rules" / "us")))
    running.run_contact_log(session, engine, attempt.borrower_id)
    found = session.scalars(select(Finding.category)).all()
    categories = session.scalars(select(Finding.category)).all()
    assert [category for category in categories if category == "outside_hours"] == found
