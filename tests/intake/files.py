"""Good input files in ``tmp_path``, and a registry that fits them; each test spoils the one thing it is about."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit_service.contacts import services as contacts
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.intake.services import receive_file
from audit_service.intake.values import Received, Source
from audit_service.organizations import services as organizations
from tests.factories.contacts import tone_wav

CLI = Source(route="cli", actor="cli:test")
REGISTRY: dict[str, Any] = {
    "institutions": [
        {"code": "anxin", "name": "安信消费金融", "jurisdiction": "cn", "timezone": "Asia/Shanghai"},
        {"code": "lakeside", "name": "Lakeside Credit", "jurisdiction": "us", "timezone": "America/Chicago"},
    ],
    "agencies": [
        {"institution": "anxin", "code": "hengda", "name": "恒达资产管理"},
        {"institution": "lakeside", "code": "northfield", "name": "Northfield Recovery"},
    ],
    "agents": [{"institution": "anxin", "agency": "hengda", "staff_number": "8860", "name": "陈强"}],
    "borrowers": [
        {
            "institution": "anxin",
            "reference": "B-1",
            "name": "王小明",
            "phone": "13900000001",
            "timezone": "Asia/Shanghai",
        },
        {"institution": "anxin", "reference": "B-2", "name": "李雷"},
        {"institution": "lakeside", "reference": "B-1", "name": "Dana Cole", "phone": "312-555-0100"},
    ],
    "accounts": [
        {
            "institution": "anxin",
            "borrower": "B-1",
            "number": "L-100",
            "stage": "negotiation",
            "principal_minor": 3_000_000,
            "overdue_since_on": "2026-01-20",
        }
    ],
    "contact_persons": [
        {"institution": "anxin", "borrower": "B-1", "name": "赵同事", "relation": "colleague", "phone": "13900000099"}
    ],
}
CALL: dict[str, Any] = {
    "reference": "call-1",
    "institution": "anxin",
    "agency": "hengda",
    "agent": "8860",
    "borrower": "B-1",
    "recipient": "borrower",
    "started_at": "2026-03-03T14:40:00+08:00",
}
CALL_ROW: dict[str, str] = CALL | {"outcome": "answered", "talk_s": "62", "number": "139 0000 0001"}
MESSAGE_ROW: dict[str, str] = {
    "reference": "sms-1",
    "institution": "anxin",
    "agency": "hengda",
    "agent": "8860",
    "borrower": "B-1",
    "channel": "sms",
    "sender": "agent",
    "started_at": "2026-03-03T14:40:00+08:00",
    "number": "13900000001",
    "text": "您的账单已逾期，请尽快还款",
}


def registered(session: Session) -> None:
    organizations.register(session, REGISTRY)
    contacts.register(session, REGISTRY)


def receive(session: Session, vault: Vault, path: Path, source: Source = CLI) -> Received:
    return receive_file(session, vault, path, source)


def recording(
    folder: Path, name: str = "call-1.wav", sidecar: Mapping[str, object] | None = None, *, hertz: float = 440.0
) -> Path:
    """Write a recording and its sidecar, changed by ``sidecar``; a value of None leaves that field out."""
    path = folder / name
    path.write_bytes(tone_wav(hertz=hertz))
    document = {key: value for key, value in (CALL | dict(sidecar or {})).items() if value is not None}
    path.with_suffix(".json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def log(folder: Path, rows: Sequence[Mapping[str, str]], name: str = "log.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def calls(number: int, **changes: str) -> list[dict[str, str]]:
    return [CALL_ROW | {"reference": f"call-{i}"} | changes for i in range(1, number + 1)]


def messages(number: int, **changes: str) -> list[dict[str, str]]:
    return [MESSAGE_ROW | {"reference": f"sms-{i}"} | changes for i in range(1, number + 1)]
