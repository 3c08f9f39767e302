"""Uploads: a broken one goes on, a damaged one is noticed, and no name of a sender becomes a path."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.errors import InputRefusedError, NotFoundError
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.intake.uploads import ABANDONED_S, Described, OffsetConflictError, Staging
from audit_service.jobs.tasks import receive_batch
from tests.factories import contacts, organizations
from tests.factories.contacts import tone_wav

USER = "user:3"


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "uploads", max_bytes=1_000_000)


def send(staging: Staging, batch: str, name: str, content: bytes, sha256: str = "") -> str:
    token = staging.create(batch, USER, Described(name, len(content), sha256))
    staging.append(batch, token, USER, 0, io.BytesIO(content))
    return token


def test_a_broken_upload_goes_on_where_it_stopped(staging: Staging) -> None:
    batch = staging.open_batch(USER)
    content = b"0123456789"
    token = staging.create(batch, USER, Described("a.wav", 10, hashlib.sha256(content).hexdigest()))
    assert staging.append(batch, token, USER, 0, io.BytesIO(content[:4])) == 4
    assert staging.standing(batch, token, USER) == (4, 10)
    with pytest.raises(OffsetConflictError, match="Go on at byte 4"):
        staging.append(batch, token, USER, 6, io.BytesIO(content[6:]))
    assert staging.append(batch, token, USER, 4, io.BytesIO(content[4:])) == 10


def test_a_damaged_file_is_taken_away_and_can_be_sent_again(staging: Staging) -> None:
    batch = staging.open_batch(USER)
    token = staging.create(batch, USER, Described("a.wav", 3, hashlib.sha256(b"abc").hexdigest()))
    with pytest.raises(InputRefusedError, match="damaged"):
        staging.append(batch, token, USER, 0, io.BytesIO(b"abd"))
    assert staging.standing(batch, token, USER) == (0, 3)
    assert staging.append(batch, token, USER, 0, io.BytesIO(b"abc")) == 3


def test_more_bytes_than_announced_are_not_kept(staging: Staging) -> None:
    batch = staging.open_batch(USER)
    token = staging.create(batch, USER, Described("a.wav", 3))
    with pytest.raises(InputRefusedError, match="More bytes"):
        staging.append(batch, token, USER, 0, io.BytesIO(b"abcdef"))
    assert staging.standing(batch, token, USER)[0] == 0


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (Described("", 1), "no name"),
        (Described("..", 1), "no name"),
        (Described("a.wav", 0), "0 bytes"),
        (Described("a.wav", 1_000_001), "1000001 bytes"),
        (Described("a.wav", 1, "abc"), "SHA-256"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_before_it_is_sent(
    staging: Staging, described: Described, message: str
) -> None:
    with pytest.raises(InputRefusedError, match=message):
        staging.create(staging.open_batch(USER), USER, described)


def test_another_user_and_an_invented_token_find_nothing(staging: Staging) -> None:
    batch = staging.open_batch(USER)
    token = send(staging, batch, "a.wav", b"abc")
    for wrong in (
        (batch, token, "user:4"),
        (batch, token, "key:3"),
        (batch, "../../etc", USER),
        ("0" * 32, token, USER),
        (batch, "f" * 32, USER),
    ):
        with pytest.raises(NotFoundError):
            staging.standing(*wrong)


def test_a_batch_that_is_not_whole_is_not_handed_over(app: Flask, staging: Staging) -> None:
    batch = staging.open_batch(USER)
    staging.create(batch, USER, Described("a.wav", 3))
    with pytest.raises(InputRefusedError, match=r"a\.wav"), transaction() as session:
        staging.finish(session, batch, USER)
    with pytest.raises(InputRefusedError, match="no file"), transaction() as session:
        staging.finish(session, staging.open_batch(USER), USER)
    assert staging.waiting() == 0


def test_names_of_senders_stay_text_and_sidecars_stay_beside_their_recordings(app: Flask, staging: Staging) -> None:
    batch = staging.open_batch(USER)
    for name in ("../../call one.WAV", "call one.json", "b.wav", "b.wav.json", "columns.json", "x.exe", "x.dll"):
        send(staging, batch, name, name.encode())
    with transaction() as session:
        assert staging.finish(session, batch, USER) == 7
    with transaction() as session:
        assert staging.finish(session, batch, USER) == 7
        jobs = session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'receive_upload'"))
        assert jobs.scalar_one() == 1
    user, files = staging.staged(batch)
    assert user == USER
    by_name = {file.name: file.path for file in files}
    assert {path.parent.parent.name for path in by_name.values()} == {batch}
    assert by_name["call one.WAV"].with_suffix(".json") == by_name["call one.json"]
    assert by_name["b.wav.json"].name == by_name["b.wav"].name + ".json"
    assert by_name["columns.json"].name == "columns.json"
    assert by_name["x.exe"].name != by_name["x.dll"].name
    assert "call" not in "".join(path.name for path in by_name.values())
    assert by_name["call one.WAV"].read_bytes() == b"../../call one.WAV"


def test_one_name_twice_in_a_batch_is_refused(staging: Staging) -> None:
    batch = staging.open_batch(USER)
    send(staging, batch, "a.wav", b"abc")
    with pytest.raises(InputRefusedError, match="already"):
        send(staging, batch, "a.wav", b"abd")


def test_what_nobody_goes_on_with_is_dropped(staging: Staging) -> None:
    batch = staging.open_batch(USER)
    old = time.time() - ABANDONED_S - 1
    os.utime(staging.folder / batch, (old, old))
    staging.open_batch(USER)
    with pytest.raises(NotFoundError):
        staging.create(batch, USER, Described("a.wav", 3))


def test_a_batch_becomes_exhibits_under_the_senders_names_and_leaves_nothing_staged(app: Flask, vault: Vault) -> None:
    settings = app.extensions["audit_settings"]
    staging = Staging(settings.uploads_dir, settings.upload_max_bytes)
    with transaction() as session:
        lender = organizations.institution(session)
        agency = organizations.agency(session, lender)
        debtor = contacts.borrower(session, lender)
        sidecar = {
            "call_id": "u-1",
            "institution": lender.code,
            "agency": agency.code,
            "borrower": debtor.reference,
            "callee": "borrower",
            "started_at": "2026-03-03T10:00:00+08:00",
        }
    batch = staging.open_batch(USER)
    send(staging, batch, "录音 1.wav", tone_wav(seconds=1))
    send(staging, batch, "录音 1.json", json.dumps(sidecar).encode())
    send(staging, batch, "notes.exe", b"MZ")
    with transaction() as session:
        staging.finish(session, batch, USER)
    receive_batch(settings, vault, batch)
    receive_batch(settings, vault, batch)
    with transaction() as session:
        items = {item.name: (item.state, item.route) for item in session.query(IntakeItem)}
    assert items == {
        "录音 1.wav": (ItemState.RUNNING, "upload"),
        "notes.exe": (ItemState.QUARANTINED, "upload"),
    }
    assert staging.waiting() == 0
    assert not (staging.folder / batch).exists()
