"""Logs in all the forms in which they arrive: what is read, what is asked, what is refused by name."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from audit_service.contacts.models import Channel, ContactAttempt, Message, Outcome, Speaker
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.intake.models import ItemState
from audit_service.intake.values import Received
from tests.intake.files import CALL_ROW, calls, messages, receive, registered

WHOSE = {
    "institution": "anxin",
    "agency": "hengda",
    "borrower": "B-1",
    "timezone": "Asia/Shanghai",
    "agent_names": ["小陈-恒达"],
}
WHATSAPP = (
    "[13/03/2026, 9:05:10\u202fPM] Messages and calls are end-to-end encrypted.\n"
    "[13/03/2026, 9:05:12\u202fPM] 小陈-恒达: 今天必须还\n第二行\n"
    "[13/03/2026, 9:06:00\u202fPM] 王小明: 我失业了\n"
)
WECHAT = "小陈-恒达 2026-03-13 21:05:12\n今天必须还\n\n王小明 2026-03-13 21:06:00\n我失业了\n"
BACKUP = (
    '<?xml version="1.0" encoding="UTF-8"?><smses count="2">'
    '<sms address="13900000099" date="1773407112000" type="1" body="今天必须还" />'
    '<sms address="13900000099" date="1773407160000" type="2" body="我失业了" /></smses>'
)
MAIL = (
    "From: Chen <chen@hengda.example>\nTo: w@example.com\nDate: Fri, 13 Mar 2026 21:05:12 +0800\n"
    "Subject: Overdue\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n"
    "<style>p {color: red}</style><p>You must pay today.</p><script>alert(1)</script>\n"
)


def beside(path: Path, **hints: object) -> Path:
    path.with_suffix(".json").write_text(json.dumps(hints, ensure_ascii=False), encoding="utf-8")
    return path


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def workbook(folder: Path, rows: list[dict[str, str]], **cells: object) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list((row | cells).values()))
    book.save(folder / "log.xlsx")
    return folder / "log.xlsx"


def stored(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).order_by(Message.id)))


def reason(done: Received) -> str:
    return f"{done.reason_code}: {done.reason}"


def test_a_workbook_is_read_with_its_times_and_whole_numbers(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    path = workbook(tmp_path, calls(1), started_at=datetime(2026, 3, 3, 14, 40), talk_s=62.0)  # noqa: DTZ001 (a cell)
    beside(path, defaults={"timezone": "Asia/Shanghai"})
    done = receive(session, vault, path)
    assert (done.state, done.rows_stored, done.problems) == (ItemState.DONE, 1, ())
    (attempt,) = session.scalars(select(ContactAttempt))
    assert (attempt.started_at, attempt.talk_s) == (datetime(2026, 3, 3, 6, 40, tzinfo=UTC), 62.0)


@pytest.mark.parametrize(("name", "lines"), [("log.json", False), ("log.jsonl", True), ("log.ndjson", True)])
def test_json_is_read_as_an_array_or_line_by_line(
    session: Session, vault: Vault, tmp_path: Path, name: str, *, lines: bool
) -> None:
    registered(session)
    rows = [json.dumps(row, ensure_ascii=False) for row in calls(3)]
    done = receive(session, vault, written(tmp_path, name, "\n".join(rows) if lines else f"[{','.join(rows)}]"))
    assert (done.state, done.rows_stored, done.problems) == (ItemState.DONE, 3, ())


def test_a_broken_line_of_json_costs_no_other(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    rows = [json.dumps(row, ensure_ascii=False) for row in calls(2)]
    done = receive(session, vault, written(tmp_path, "log.jsonl", f"{rows[0]}\n{{oops\n{rows[1]}\n"))
    assert (done.rows_stored, [(problem.row, problem.reason[:14]) for problem in done.problems]) == (
        2,
        [(2, "it is not JSON")],
    )


def test_a_saved_map_of_columns_holds_for_the_whole_folder(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    row = {"单号": "call-1", "拨打": "2026-03-03 14:40:00", "客户": "B-1", "结论": "answered"}
    hints = {
        "columns": {"单号": "reference", "拨打": "started_at", "客户": "borrower", "结论": "outcome"},
        "defaults": {
            "institution": "anxin", "agency": "hengda", "recipient": "borrower", "timezone": "Asia/Shanghai",
        },
    }  # fmt: skip
    written(tmp_path, "columns.json", json.dumps(hints, ensure_ascii=False))
    path = written(tmp_path, "march.csv", "\n".join([",".join(row), ",".join(row.values())]))
    done = receive(session, vault, path)
    assert (done.state, done.rows_stored, done.problems) == (ItemState.DONE, 1, ())


@pytest.mark.parametrize(("name", "content"), [("chat.txt", WHATSAPP), ("chat.txt", WECHAT)])
def test_a_chat_keeps_who_wrote_what_and_when(
    session: Session, vault: Vault, tmp_path: Path, name: str, content: str
) -> None:
    registered(session)
    path = beside(written(tmp_path, name, content), **WHOSE)
    done = receive(session, vault, path)
    assert (done.state, done.rows_stored, done.problems) == (ItemState.DONE, 2, ())
    first, second = stored(session)
    assert (first.sender, second.sender, second.text) == (Speaker.AGENT, Speaker.BORROWER, "我失业了")
    assert first.text.startswith("今天必须还")
    assert first.attempt.started_at == datetime(2026, 3, 13, 13, 5, 12, tzinfo=UTC)
    assert first.raw_line.splitlines()[0] in content.replace("\u202f", " ")
    assert first.attempt.channel is (Channel.WECHAT if content is WECHAT else Channel.APP)


def test_the_same_chat_exported_later_adds_only_what_is_new(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    receive(session, vault, beside(written(tmp_path, "a.txt", WECHAT), **WHOSE))
    later = f"{WECHAT}\n小陈-恒达 2026-03-14 09:00:00\n还有一期\n"
    receive(session, vault, beside(written(tmp_path, "b.txt", later), **WHOSE))
    assert [message.text for message in stored(session)] == ["今天必须还", "我失业了", "还有一期"]


def test_dates_that_do_not_tell_day_from_month_stop_with_a_question(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    content = "[03/04/2026, 21:05:12] 小陈-恒达: 今天必须还\n"
    path = beside(written(tmp_path, "chat.txt", content), **WHOSE)
    asked = receive(session, vault, path)
    assert (asked.state, asked.reason_code) == (ItemState.QUARANTINED, "log.date_order")
    assert "03/04/2026" in asked.reason
    assert "date_order" in asked.reason
    answered = receive(session, vault, beside(path, **WHOSE, date_order="mdy"))
    assert (answered.item_id, answered.state) == (asked.item_id, ItemState.DONE)
    assert stored(session)[0].attempt.started_at == datetime(2026, 3, 4, 13, 5, 12, tzinfo=UTC)


def test_a_chat_that_does_not_say_who_the_agent_is_waits(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    path = beside(written(tmp_path, "chat.txt", WECHAT), **{k: v for k, v in WHOSE.items() if k != "agent_names"})
    assert "agent_names" in reason(receive(session, vault, path))


def test_a_phone_backup_is_read_from_the_side_of_the_person_contacted(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    done = receive(session, vault, beside(written(tmp_path, "sms.xml", BACKUP), **WHOSE))
    assert (done.state, done.rows_stored) == (ItemState.DONE, 2)
    first, second = stored(session)
    assert (first.sender, second.sender, first.attempt.channel) == (Speaker.AGENT, Speaker.BORROWER, Channel.SMS)
    assert first.attempt.started_at == datetime(2026, 3, 13, 13, 5, 12, tzinfo=UTC)
    assert (first.attempt.outcome, second.attempt.outcome) == (Outcome.SENT, Outcome.RECEIVED)


def test_a_mail_is_read_as_a_person_sees_it(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    hints = WHOSE | {"agent_names": ["chen@hengda.example"]}
    done = receive(session, vault, beside(written(tmp_path, "a.eml", MAIL), **hints))
    assert done.state is ItemState.DONE
    (mail,) = stored(session)
    assert (mail.text, mail.sender, mail.attempt.channel) == (
        "Overdue\nYou must pay today.",
        Speaker.AGENT,
        Channel.EMAIL,
    )


def bomb(folder: Path) -> Path:
    path = folder / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(7):
            packed.writestr(f"{number}.xml", bytes(50 * 1024**2))
    return path


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><smses><sms body="&b;" date="1" type="1"/></smses>'


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", "not a workbook", "log.not_a_workbook"),
        ("a.json", '[{"a": 1}', "log.not_json"),
        ("a.xml", "<smses><sms", "log.not_a_backup"),
        ("a.xml", ENTITIES, "log.not_a_backup"),
        ("a.eml", "Subject: x\n\nno date\n", "log.not_a_mail"),
        ("a.txt", "just a note\n", "log.header"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_quarantined_with_the_reason(
    session: Session, vault: Vault, tmp_path: Path, name: str, content: str, code: str
) -> None:
    registered(session)
    done = receive(session, vault, written(tmp_path, name, content))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, code)
    assert done.exhibit_number


def test_a_workbook_that_unpacks_beyond_measure_is_refused_unread(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    done = receive(session, vault, bomb(tmp_path))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, "log.too_large")


@pytest.mark.parametrize(
    ("hints", "named"),
    [
        ({"columns": {"拨打": "when"}}, "拨打"),
        ({"columns": {"nowhere": "number"}}, "nowhere"),
        ({"date_order": "ddd"}, "date_order"),
        ({"defaults": ["x"]}, "defaults"),
    ],
)
def test_wrong_hints_are_refused_by_field(
    session: Session, vault: Vault, tmp_path: Path, hints: dict[str, object], named: str
) -> None:
    registered(session)
    path = written(tmp_path, "log.csv", ",".join(CALL_ROW) + "\n" + ",".join(CALL_ROW.values()))
    done = receive(session, vault, beside(path, **hints))
    assert (done.state, done.reason_code) == (ItemState.QUARANTINED, "log.hints")
    assert named in done.reason


def test_messages_in_a_workbook_are_messages(session: Session, vault: Vault, tmp_path: Path) -> None:
    registered(session)
    done = receive(session, vault, workbook(tmp_path, messages(2)))
    assert (done.kind, done.rows_stored) == ("message_log", 2)
