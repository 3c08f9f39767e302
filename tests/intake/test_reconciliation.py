"""Call log against recordings: what one way alone knows of is named."""

from __future__ import annotations

from pathlib import Path

from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.intake.reconciliation import LengthGap, reconcile
from tests.intake.files import calls, log, receive, recording, registered


def test_what_only_one_side_knows_and_what_is_too_short_is_named(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    rows = calls(4)
    rows[0]["talk_s"] = "1"
    rows[2] |= {"outcome": "no_answer", "talk_s": ""}
    receive(session, vault, log(tmp_path, rows))
    receive(session, vault, recording(tmp_path, "one.wav", {"reference": "call-1"}, hertz=300.0))
    receive(session, vault, recording(tmp_path, "four.wav", {"reference": "call-4"}, hertz=400.0))
    receive(session, vault, recording(tmp_path, "other.wav", {"reference": "call-9"}, hertz=500.0))
    (sheet,) = reconcile(session)
    assert (sheet.answered, sheet.recorded) == (3, 2)
    assert sheet.without_recording == ["call-2"]
    assert sheet.without_log_line == ["call-9"]
    assert [(gap.reference, gap.talk_s) for gap in sheet.gaps] == [("call-4", 62.0)]
    assert isinstance(sheet.gaps[0], LengthGap)
    assert not sheet.is_clean


def test_days_are_those_of_the_lender_and_agencies_are_told_apart(
    session: Session, vault: Vault, tmp_path: Path
) -> None:
    registered(session)
    rows = calls(2)
    rows[0]["started_at"] = "2026-03-03T23:50:00+08:00"
    rows[1]["started_at"] = "2026-03-04T00:10:00+08:00"
    receive(session, vault, log(tmp_path, rows))
    assert [(sheet.day.isoformat(), sheet.agency) for sheet in reconcile(session)] == [
        ("2026-03-03", "hengda"),
        ("2026-03-04", "hengda"),
    ]
    assert reconcile(session, agency="northfield") == []
