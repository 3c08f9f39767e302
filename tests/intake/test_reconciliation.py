"""Call log against recordings: what one way alone knows of is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from audit_service.custody.models import Action, LedgerRow
from audit_service.custody.vault import Vault
from audit_service.database import Session
from audit_service.intake.reconciliation import DaySheet, LengthGap, open_alerts, raise_alerts, reconcile
from tests.factories import contacts, organizations
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


def sheet(agency_code: str, institution_code: str, **values: object) -> DaySheet:
    made = DaySheet(institution_code, agency_code, date(2026, 3, 3))
    for name, value in values.items():
        setattr(made, name, value)
    return made


def test_an_alert_is_raised_above_the_threshold_once_and_cleared_when_the_recordings_come(session: Session) -> None:
    lender = organizations.institution(session)
    agency = organizations.agency(session, lender)
    bad = sheet(agency.code, lender.code, answered=100, recorded=95, without_recording=["c"] * 5)
    [alert] = raise_alerts(session, [bad], 0.02)
    assert (alert.share, alert.counts["without_recording"]) == (0.05, 5)
    assert raise_alerts(session, [bad], 0.02) == []
    assert [one.id for one in open_alerts(session)] == [alert.id]
    tolerable = sheet(agency.code, lender.code, answered=100, recorded=98, without_recording=["c"] * 2)
    assert raise_alerts(session, [tolerable], 0.02) == []
    assert open_alerts(session) == []
    assert [one.id for one in raise_alerts(session, [bad], 0.02)] == [alert.id]
    assert session.query(LedgerRow).filter_by(action=Action.ALERTED).count() == 3


def test_a_call_cut_by_thirty_seconds_is_told_however_long_it_is(session: Session, vault: Vault) -> None:
    lender = organizations.institution(session)
    agency = organizations.agency(session, lender)
    for talk_s, recorded_s in ((600.0, 570.0), (600.0, 640.0), (60.0, 56.0)):
        attempt = contacts.attempt(session, contacts.borrower(session, lender), agency, talk_s=talk_s, source_row=1)
        contacts.recording(session, vault, attempt).duration_s = recorded_s
    session.flush()
    [found] = reconcile(session)
    assert [(gap.talk_s, gap.recorded_s) for gap in found.gaps] == [(600.0, 570.0)]
