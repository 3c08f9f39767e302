"""Call logs and message logs: good rows go in, each row at fault is named by file, row, field and remedy."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select

from audit_service.contacts.models import ContactAttempt, Direction, Message, Outcome, Recipient, Speaker
from audit_service.custody.models import Exhibit, ExhibitKind
from audit_service.custody.vault import Vault
from audit_service.database import Session, db, transaction
from audit_service.intake import queries
from audit_service.intake.models import IntakeItem, ItemState
from tests.intake.files import CALL_ROW, MESSAGE_ROW, calls, log, messages, receive, registered
from tests.intake.test_recordings import count, jobs


def test_a_call_log_becomes_attempts_that_point_at_their_row(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    rows = calls(3)
    rows[1] |= {"outcome": "无人接听", "talk_s": "", "borrower": "B-2", "number": ""}
    rows[2] |= {"outcome": "busy", "talk_s": "0", "agent": "9001", "recipient": "第三方"}
    done = receive(session, vault, log(tmp_path, rows))
    attempts = session.scalars(select(ContactAttempt).order_by(ContactAttempt.id)).all()
    assert (done.state, done.kind, done.rows_total, done.rows_stored) == (ItemState.DONE, "call_log", 3, 3)
    assert done.problems == ()
    assert [attempt.source_row for attempt in attempts] == [1, 2, 3]
    assert {attempt.exhibit_id for attempt in attempts} == {session.scalars(select(Exhibit.id)).one()}
    assert [attempt.outcome for attempt in attempts] == [Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY]
    assert [attempt.talk_s for attempt in attempts] == [62.0, None, 0.0]
    assert attempts[2].agent is not None
    assert attempts[2].agent.staff_number == "9001"
    touched = sorted({attempt.borrower_id for attempt in attempts})
    assert jobs(session) == [("detect_contact_log", {"borrower_id": borrower}) for borrower in touched]


def test_a_message_log_keeps_raw_line_sender_and_zoned_time(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    rows = messages(2)
    rows[0]["text"] = '请还款，\n否则"后果自负"'
    rows[1] |= {"sender": "borrower", "text": "=cmd|' /C calc'!A0", "started_at": "2026-03-03 15:00:00", "timezone": ""}
    rows = [{"timezone": "America/New_York"} | row for row in rows]
    rows[1]["timezone"] = "Asia/Shanghai"
    path = log(tmp_path, rows)
    done = receive(session, vault, path)
    first, second = session.scalars(select(Message).order_by(Message.id)).all()
    assert (done.kind, done.rows_stored, done.problems) == ("message_log", 2, ())
    assert first.text == rows[0]["text"]
    assert first.raw_line in path.read_bytes().decode()
    assert first.raw_line.count("\n") == 1
    assert (first.sender, first.attempt.direction, first.attempt.outcome) == (
        Speaker.AGENT,
        Direction.OUTBOUND,
        Outcome.SENT,
    )
    assert (second.sender, second.attempt.direction, second.attempt.outcome) == (
        Speaker.BORROWER,
        Direction.INBOUND,
        Outcome.RECEIVED,
    )
    assert second.text == "=cmd|' /C calc'!A0"
    assert (second.attempt.started_at, second.attempt.timezone) == (
        datetime(2026, 3, 3, 7, 0, tzinfo=UTC),
        "Asia/Shanghai",
    )
    assert first.thread == second.thread
    assert jobs(session) == [
        ("detect_messages", {"first_id": first.id, "last_id": second.id}),
        ("detect_contact_log", {"borrower_id": first.attempt.borrower_id}),
    ]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("reference", "", "is empty"),
        ("institution", "nobody", "not registered"),
        ("agency", "nobody", "not registered"),
        ("borrower", "B-404", "not registered"),
        ("recipient", "", "is empty"),
        ("started_at", "2026-03-03 14:40:00", "no offset"),
        ("started_at", "yesterday", "not a date and time"),
        ("started_at", "1999-12-31T23:59:59Z", "before 2000"),
        ("outcome", "perhaps", "not known"),
        ("talk_s", "-1", "between 0 and 86400"),
        ("talk_s", "nan", "between 0 and 86400"),
        ("talk_s", "one", "not a length"),
        ("number", "+86", "not a telephone number"),
    ],
)
def test_a_row_at_fault_is_named_and_the_others_go_in(
    session: Session, vault: Vault, tmp_path: Path, field: str, value: str, reason: str
) -> None:
    registered(session)
    rows = calls(3)
    rows[1][field] = value
    done = receive(session, vault, log(tmp_path, rows, "一月.csv"))
    [problem] = done.problems
    assert (done.state, done.rows_total, done.rows_stored) == (ItemState.DONE, 3, 2)
    assert (problem.file, problem.row, problem.field) == ("一月.csv", 2, field)
    assert reason in problem.reason
    assert problem.remedy
    [kept] = queries.problems(session, done.item_id)
    assert (kept.row, kept.field, kept.reason) == (2, field, problem.reason)


def test_every_field_at_fault_of_a_row_is_named_as_the_file_calls_it(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    chinese = {
        "通话编号": "call-1",
        "机构": "anxin",
        "催收机构": "hengda",
        "工号": "8860",
        "借款人编号": "B-1",
        "对象": "本人",
        "通话时间": "2026/03/03 14:40",
        "时区": "Asia/Shanghai",
        "通话结果": "接通",
        "通话时长": "1:02",
    }
    bad = chinese | {"通话编号": "call-2", "通话时间": "2026-13-03 14:40", "通话结果": "也许"}
    done = receive(session, vault, log(tmp_path, [chinese, bad]))
    stored = session.scalars(select(ContactAttempt)).one()
    assert [(problem.row, problem.field) for problem in done.problems] == [(2, "通话时间"), (2, "通话结果")]
    assert stored.started_at == datetime(2026, 3, 3, 6, 40, tzinfo=UTC)
    assert (stored.talk_s, stored.recipient) == (62.0, Recipient.BORROWER)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("call-9,anxin,hengda", "agent"),
        ('call-9,"anxin,hengda,8860,B-1,borrower,2026-03-03T14:40:00+08:00,answered,1,2', ""),
        ('call-9,"anxin"x,hengda,8860,B-1,borrower,2026-03-03T14:40:00+08:00,answered,1,2', ""),
        ("call-9" + ",x" * 30, "number"),
        ("x" * 400_000, ""),
    ],
)
def test_a_row_that_cannot_be_split_costs_no_other_row(
    session: Session, vault: Vault, tmp_path: Path, line: str, field: str
) -> None:
    registered(session)
    path = log(tmp_path, calls(4))
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:3], line, "", *lines[3:]]), encoding="utf-8")
    done = receive(session, vault, path)
    [problem] = done.problems
    assert (done.rows_total, done.rows_stored) == (5, 4)
    assert (problem.row, problem.field) == (3, field)
    assert problem.remedy


def test_a_log_of_rows_that_are_all_at_fault_is_quarantined_and_each_is_named(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    path = log(tmp_path, calls(2, borrower="B-3"))
    done = receive(session, vault, path)
    assert (done.state, done.reason_code, done.rows_stored) == (ItemState.QUARANTINED, "log.no_usable_row", 0)
    assert [(problem.row, problem.field) for problem in done.problems] == [(1, "borrower"), (2, "borrower")]
    assert jobs(session) == []
    assert done.exhibit_number


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"\xff\xfe\xff\xff", "log.not_text", "neither UTF-8 nor GB18030"),
        ("reference,结果\n".encode("utf-16"), "log.not_text", ""),
        (b"reference\x00,a\n", "log.not_text", "zero bytes"),
        (b"\n\n", "log.empty", "no rows"),
        (b'"reference\n', "log.header", "quotes"),
        (b"reference,call_id,institution,agency,borrower,recipient,started_at,outcome\n", "log.header", "call_id"),
        (b"a,b,c\n1,2,3\n", "log.header", "started_at"),
        (b"reference,institution,agency,borrower,channel,sender,text\n", "log.header", "message log"),
        (",".join(CALL_ROW).encode(), "log.no_usable_row", "None of its rows"),
    ],
)
def test_a_file_that_is_no_log_is_sealed_and_quarantined_with_the_reason(
    session: Session, vault: Vault, tmp_path: Path, content: bytes, code: str, words: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    done = receive(session, vault, path)
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, code)
    assert words in done.reason
    with vault.store.open(done.sha256) as sealed:
        assert sealed.read() == content


def test_a_log_in_gb18030_is_read_and_says_so(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    done = receive(session, vault, log(tmp_path, messages(1), encoding="gb18030"))
    assert session.scalars(select(Message.text)).one() == MESSAGE_ROW["text"]
    assert (done.state, done.reason_code) == (ItemState.DONE, "log.encoding")
    assert "GB18030" in done.reason


def test_a_log_with_a_byte_order_mark_is_read(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    done = receive(session, vault, log(tmp_path, calls(1), encoding="utf-8-sig"))
    assert (done.state, done.rows_stored, done.reason) == (ItemState.DONE, 1, "")


def test_an_unknown_column_is_named_and_left_out(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    done = receive(session, vault, log(tmp_path, calls(1, timezon="Asia/Shanghai")))
    assert [(problem.row, problem.field) for problem in done.problems] == [(None, "timezon")]
    assert done.rows_stored == 1


def test_a_corrected_log_adds_only_what_was_missing(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    rows = messages(3)
    rows[1]["borrower"] = "B-404"
    receive(session, vault, log(tmp_path, rows, "a.csv"))
    done = receive(session, vault, log(tmp_path, messages(3), "b.csv"))
    assert (done.is_new, done.rows_stored, done.problems) == (True, 3, ())
    assert count(session, Message) == 3
    assert len([name for name, _ in jobs(session) if name == "detect_messages"]) == 2


def test_another_text_under_a_stored_reference_is_named_and_not_stored(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    rows = [*messages(1), *messages(1, text="另一条")]
    done = receive(session, vault, log(tmp_path, rows))
    assert [(problem.row, problem.field) for problem in done.problems] == [(2, "text")]
    assert session.scalars(select(Message.text)).one() == MESSAGE_ROW["text"]
    assert done.rows_stored == 1


def test_the_same_log_again_is_recognised_with_the_problems_it_had(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    rows = calls(2)
    rows[0]["outcome"] = "perhaps"
    first = receive(session, vault, log(tmp_path, rows))
    again = receive(session, vault, log(tmp_path, rows, "again.csv"))
    assert (again.is_new, again.exhibit_number) == (False, first.exhibit_number)
    assert [(p.file, p.row, p.field) for p in again.problems] == [("again.csv", 1, "outcome")]
    assert (count(session, ContactAttempt), count(session, IntakeItem)) == (1, 1)


def test_a_rollback_leaves_no_row_and_no_job(app: Flask, vault: Vault, tmp_path: Path) -> None:
    with transaction() as session:
        registered(session)
    with pytest.raises(ZeroDivisionError), transaction() as session:
        receive(session, vault, log(tmp_path, messages(5)))
        assert len(jobs(session)) == 2
        raise ZeroDivisionError
    with transaction() as session:
        assert (jobs(session), count(session, Message), count(session, IntakeItem)) == ([], 0, 0)


def test_the_number_of_queries_does_not_grow_with_the_rows(app: Flask, vault: Vault, tmp_path: Path) -> None:
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    def cost(number: int) -> int:
        statements.clear()
        with transaction() as session:
            receive(session, vault, log(tmp_path, calls(number, agent=f"a{number}"), f"{number}.csv"))
        return len(statements)

    with transaction() as session:
        registered(session)
    small = cost(5)
    with transaction() as session:
        session.execute(delete(ContactAttempt))
    assert cost(400) == small


def test_messages_are_handed_over_in_ranges_that_cover_them_all_once(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    receive(session, vault, log(tmp_path, messages(450)))
    ranges = [args for name, args in jobs(session) if name == "detect_messages"]
    covered = [
        session.scalar(select(func.count()).where(Message.id.between(part["first_id"], part["last_id"])))
        for part in ranges
    ]
    assert covered == [200, 200, 50]


def test_the_kind_of_a_log_is_sealed_with_it(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    receive(session, vault, log(tmp_path, messages(1)))
    exhibit = session.scalars(select(Exhibit)).one()
    assert (exhibit.kind, exhibit.media_type, exhibit.original_name) == (ExhibitKind.MESSAGE_LOG, "text/csv", "log.csv")
