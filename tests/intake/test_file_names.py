"""Names of recordings: what a pattern reads out of them, and what it never does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from audit_service.contacts.models import ContactAttempt
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.intake.models import ItemState
from tests.factories.contacts import tone_wav
from tests.intake.files import receive, registered

PATTERN = {
    "pattern": r"(?P<started_at>\d{14})_(?P<number>\d+)_(?P<borrower>[A-Z0-9-]+)",
    "defaults": {"institution": "anxin", "agency": "hengda", "recipient": "borrower", "timezone": "Asia/Shanghai"},
}


def recording(folder: Path, name: str, **pattern: object) -> Path:
    (folder / "filenames.json").write_text(json.dumps(PATTERN | pattern), encoding="utf-8")
    (folder / name).write_bytes(tone_wav())
    return folder / name


def test_a_name_says_when_and_with_whom(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    done = receive(session, vault, recording(tmp_path, "20260303144000_13900000001_B-1.wav"))
    (attempt,) = session.scalars(select(ContactAttempt))
    assert done.state is ItemState.RUNNING
    assert (attempt.started_at, attempt.number) == (datetime(2026, 3, 3, 6, 40, tzinfo=UTC), "+8613900000001")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("call.wav", "name.no_match"),
        ("20261303144000_13900000001_B-1.wav", "name.time"),
        ("20260303144000_13900000001_B-1.part.wav", "name.no_match"),
    ],
)
def test_a_name_that_cannot_be_read_waits_and_never_gets_the_present_as_its_time(
    session: Session, vault: Vault, tmp_path: Path, name: str, code: str
) -> None:
    registered(session)
    done = receive(session, vault, recording(tmp_path, name))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, code)
    assert session.scalars(select(ContactAttempt)).all() == []


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ({"pattern": "("}, "pattern"),
        ({"pattern": "no groups"}, "pattern"),
        ({"pattern": "(?P<colour>.*)"}, "colour"),
        ({"pattern": "(?P<number>(a+)+)"}, "pattern"),
        ({"defaults": {"colour": "x"}}, "defaults"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_by_field(
    session: Session, vault: Vault, tmp_path: Path, pattern: dict[str, object], named: str
) -> None:
    registered(session)
    done = receive(session, vault, recording(tmp_path, "20260303144000_13900000001_B-1.wav", **pattern))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, "name.pattern")
    assert named in done.reason
