"""Recordings: sealed once, told apart by their sidecar, quarantined with the reason, transcribed by a job."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from audit_service.contacts.models import ContactAttempt, Outcome, Recipient, Recording
from audit_service.custody.models import Action, CustodyEvent, Exhibit, ExhibitKind
from audit_service.custody.vault import Vault
from audit_service.database import Session, transaction
from audit_service.intake import queries
from audit_service.intake.models import IntakeItem, ItemState
from audit_service.intake.services import display_name, fail_item, finish_item
from audit_service.intake.values import Source
from tests.intake.files import CALL, calls, log, receive, recording, registered


def jobs(session: Session) -> list[tuple[str, dict[str, Any]]]:
    rows = session.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
    return [(name, args) for name, args in rows]


def count(session: Session, table: type) -> int:
    """Count rows; of exhibits, the files themselves and not the JSON that speaks of them."""
    query = select(func.count()).select_from(table)
    if table is Exhibit:
        query = query.where(Exhibit.kind != ExhibitKind.SIDECAR)
    return session.scalar(query) or 0


def test_a_recording_becomes_an_exhibit_an_attempt_and_a_job(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    done = receive(session, vault, recording(tmp_path, sidecar={"language": "zh", "agent_channel": 0}))
    stored = session.scalars(select(Recording)).one()
    assert (done.state, done.is_new, done.kind, done.problems) == (ItemState.RUNNING, True, "recording", ())
    assert done.exhibit_number == stored.exhibit.number
    assert stored.exhibit.media_type == "audio/wav"
    assert (stored.channels, stored.agent_channel, stored.language) == (2, 0, "zh")
    assert stored.duration_s == pytest.approx(2.0, abs=0.05)
    assert stored.attempt.started_at == datetime(2026, 3, 3, 6, 40, tzinfo=UTC)
    assert stored.attempt.timezone == "Asia/Shanghai"
    assert stored.attempt.outcome is Outcome.ANSWERED
    assert jobs(session) == [
        ("transcribe", {"recording_id": stored.id}),
        ("detect_contact_log", {"borrower_id": stored.attempt.borrower_id}),
    ]


def test_the_same_bytes_under_another_name_are_one_exhibit(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    first = receive(session, vault, recording(tmp_path))
    again = receive(session, vault, recording(tmp_path, "copy.wav"))
    assert (again.is_new, again.exhibit_number, again.item_id) == (False, first.exhibit_number, first.item_id)
    assert (count(session, Exhibit), count(session, Recording), count(session, IntakeItem)) == (1, 1, 1)
    query = select(CustodyEvent.action).join(Exhibit, Exhibit.id == CustodyEvent.exhibit_id)
    of_recording = query.where(Exhibit.kind == ExhibitKind.RECORDING).order_by(CustodyEvent.seq)
    assert list(session.scalars(of_recording)) == [Action.SEALED, Action.RECOGNISED]
    assert [name for name, _ in jobs(session)].count("transcribe") == 1


def test_a_rollback_leaves_neither_item_nor_exhibit_nor_job(app: Flask, vault: Vault, tmp_path: Path) -> None:
    with transaction() as session:
        registered(session)
    with pytest.raises(ZeroDivisionError), transaction() as session:
        receive(session, vault, recording(tmp_path))
        assert len(jobs(session)) == 2
        raise ZeroDivisionError
    with transaction() as session:
        assert jobs(session) == []
        assert [count(session, table) for table in (IntakeItem, Exhibit, ContactAttempt, Recording)] == [0] * 4


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("started_at", None, "is empty"),
        ("started_at", "2026-03-03T14:40:00", "no offset"),
        ("started_at", "03/04/2026 14:40", "day from month"),
        ("started_at", "2026-03-03", "no time of day"),
        ("started_at", "2026-02-30T10:00:00+08:00", "exists"),
        ("started_at", "2126-03-03T14:40:00+08:00", "future"),
        ("timezone", "Asia/Peking", "not a time zone"),
        ("borrower", None, "is empty"),
        ("borrower", "B-404", "not registered"),
        ("agency", "nobody", "not registered"),
        ("institution", "nobody", "not registered"),
        ("account", "L-404", "not registered"),
        ("recipient", "cat", "not known"),
        ("number", "12ab", "not a telephone number"),
        ("language", "fr", "not supported"),
        ("agent_channel", 2, "no channel 2"),
        ("agent_channel", "left", "not the index"),
        ("contact_person", "赵同事", "recipient is the borrower"),
        ("reference", "x" * 81, "longer than 80"),
        ("agent", "88\u000060", "control characters"),
    ],
)
def test_a_sidecar_at_fault_quarantines_the_recording_and_names_the_field(
    session: Session, vault: Vault, tmp_path: Path, field: str, value: object, reason: str
) -> None:
    registered(session)
    done = receive(session, vault, recording(tmp_path, sidecar={field: value}))
    assert done.state is ItemState.QUARANTINED
    assert done.reason_code in {"sidecar.fields", "recording.contradicts"}
    [problem] = done.problems
    assert (problem.file, problem.field) == ("call-1.wav", field)
    assert reason in problem.reason
    assert problem.remedy
    assert done.exhibit_number
    assert count(session, ContactAttempt) == 0
    assert jobs(session) == []
    [kept] = queries.problems(session, done.item_id)
    assert (kept.field, kept.reason, kept.remedy) == (problem.field, problem.reason, problem.remedy)


def test_a_recording_without_sidecar_is_sealed_and_taken_once_the_sidecar_is_there(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    path = recording(tmp_path)
    sidecar = path.with_suffix(".json").read_text(encoding="utf-8")
    path.with_suffix(".json").unlink()
    waiting = receive(session, vault, path)
    assert (waiting.state, waiting.reason_code) == (ItemState.QUARANTINED, "sidecar.missing")
    assert count(session, Exhibit) == 1
    path.with_name("call-1.wav.json").write_text(sidecar, encoding="utf-8")
    taken = receive(session, vault, path)
    assert (taken.state, taken.item_id, taken.exhibit_number) == (
        ItemState.RUNNING,
        waiting.item_id,
        waiting.exhibit_number,
    )
    assert (taken.reason, taken.problems, queries.problems(session, taken.item_id)) == ("", (), [])
    assert [name for name, _ in jobs(session)] == ["transcribe", "detect_contact_log"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_sidecar_that_is_no_object_is_named(session: Session, vault: Vault, tmp_path: Path, content: bytes) -> None:
    registered(session)
    path = recording(tmp_path)
    path.with_suffix(".json").write_bytes(content)
    done = receive(session, vault, path)
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, "sidecar.not_json")
    assert "call-1.json" in done.reason


def test_bytes_that_are_no_audio_are_sealed_and_quarantined_with_the_reason(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    path = recording(tmp_path)
    path.write_bytes(b"this is not audio at all" * 50)
    done = receive(session, vault, path)
    exhibit = session.scalars(select(Exhibit).where(Exhibit.kind == ExhibitKind.RECORDING)).one()
    assert done.state is ItemState.QUARANTINED
    assert done.reason_code.startswith("media.")
    assert (exhibit.kind, exhibit.media_type) == (ExhibitKind.RECORDING, "application/octet-stream")
    with vault.store.open(exhibit.sha256) as sealed:
        assert sealed.read() == path.read_bytes()


@pytest.mark.parametrize(("content", "code"), [(b"", "file.empty"), (b"RIFF" * 100, "file.too_large")])
def test_a_file_with_no_bytes_or_too_many_is_an_item_without_exhibit(
    session: Session, vault: Vault, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(content)
    done = receive(session, vault, path, Source(route="cli", max_bytes=100))
    assert (done.state, done.reason_code, done.exhibit_number) == (ItemState.QUARANTINED, code, "")
    assert count(session, Exhibit) == 0
    assert receive(session, vault, path, Source(route="cli", max_bytes=100)).is_new is False


@pytest.mark.parametrize("log_first", [True, False])
def test_a_call_log_and_a_recording_of_the_same_call_make_one_attempt(
    session: Session, vault: Vault, tmp_path: Path, *, log_first: bool
) -> None:
    registered(session)
    audio = recording(tmp_path, sidecar={"started_at": "2026-03-03T14:41:30+08:00", "agent": None})
    rows = log(tmp_path, calls(1, account="L-100"))
    done = [receive(session, vault, path) for path in ((rows, audio) if log_first else (audio, rows))]
    attempt = session.scalars(select(ContactAttempt)).one()
    assert [item.problems for item in done] == [(), ()]
    assert session.scalars(select(Recording)).one().attempt_id == attempt.id
    assert attempt.agent is not None
    assert attempt.agent.staff_number == "8860"
    assert (attempt.talk_s, attempt.number, attempt.source_row) == (62.0, "+8613900000001", 1)
    assert attempt.account_id is not None
    assert session.get_one(Exhibit, attempt.exhibit_id).kind is ExhibitKind.CALL_LOG
    minute = 40 if log_first else 41
    assert attempt.started_at.minute == minute


def test_a_recording_that_contradicts_the_log_about_the_agent_is_taken_and_says_so(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    receive(session, vault, log(tmp_path, calls(1)))
    done = receive(session, vault, recording(tmp_path, sidecar={"agent": "7001"}))
    assert done.state is ItemState.RUNNING
    assert [problem.field for problem in done.problems] == ["agent"]
    agent = session.scalars(select(ContactAttempt)).one().agent
    assert agent is not None
    assert agent.staff_number == "8860"


@pytest.mark.parametrize(("field", "value"), [("started_at", "2026-03-03T14:46:00+08:00"), ("borrower", "B-2")])
def test_a_recording_of_another_time_or_borrower_under_a_known_reference_is_quarantined(
    session: Session, vault: Vault, tmp_path: Path, field: str, value: str
) -> None:
    registered(session)
    receive(session, vault, log(tmp_path, calls(1)))
    done = receive(session, vault, recording(tmp_path, sidecar={field: value}))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, "recording.contradicts")
    assert [problem.field for problem in done.problems] == [field]
    assert count(session, Recording) == 0


def test_a_second_recording_of_a_call_waits_in_quarantine_and_changes_nothing(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    first = receive(session, vault, recording(tmp_path))
    done = receive(session, vault, recording(tmp_path, "other.wav", {"account": "L-100"}, hertz=300))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, "recording.second")
    assert first.exhibit_number in done.reason
    assert session.scalars(select(ContactAttempt)).one().account_id is None
    assert count(session, Exhibit) == 2


def test_a_contact_person_nobody_registered_is_kept_as_unrelated(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    receive(session, vault, recording(tmp_path, sidecar={"recipient": "third_party", "contact_person": "孙邻居"}))
    attempt = session.scalars(select(ContactAttempt)).one()
    assert attempt.contact_person is not None
    assert (attempt.contact_person.name, attempt.contact_person.is_related) == ("孙邻居", False)
    assert attempt.recipient is Recipient.THIRD_PARTY
    assert attempt.timezone is None


def test_a_json_file_without_recording_is_quarantined(session: Session, vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "orphan.json"
    path.write_text(json.dumps(CALL), encoding="utf-8")
    assert receive(session, vault, path).reason_code == "sidecar.without_recording"


def test_every_item_is_counted_once_whatever_becomes_of_it(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    empty = tmp_path / "empty.csv"
    empty.touch()
    paths = [recording(tmp_path, f"{n}.wav", {"reference": f"call-{n}"}, hertz=300 + n) for n in (11, 12, 13)]
    done = [receive(session, vault, path) for path in [*paths, empty, log(tmp_path, calls(2))]]
    exhibits = [session.scalars(select(Exhibit).where(Exhibit.number == item.exhibit_number)).first() for item in done]
    assert exhibits[0] is not None
    assert exhibits[1] is not None
    finish_item(session, exhibits[0].id)
    fail_item(session, exhibits[1].id, "media.damaged", "The recording is damaged.")
    balance = queries.balance(session)
    assert (balance.received, balance.done, balance.failed, balance.running, balance.quarantined) == (5, 2, 1, 1, 1)
    assert balance.holds
    assert str(balance) == "5 received = 2 done + 1 failed + 1 running + 1 quarantined"
    [failed] = queries.items(session, state=ItemState.FAILED)
    assert (failed.reason_code, failed.finished_at is not None) == ("media.damaged", True)
    newest = queries.items(session, limit=2)
    assert [item.id for item in queries.items(session, before_id=newest[-1].id)] == [
        done[2].item_id,
        done[1].item_id,
        done[0].item_id,
    ]


def test_hostile_names_are_shown_plainly_and_never_used_as_paths(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    source = Source(route="upload", name="../../etc/\u202ecron\n.wav")
    done = receive(session, vault, recording(tmp_path), source)
    assert done.name == "../../etc/\ufffdcron\ufffd.wav"
    assert done.state is ItemState.RUNNING
    assert display_name("a" * 300 + ".wav") == "a" * 255
    assert display_name("bad-\udcff.wav") == "bad-?.wav"
