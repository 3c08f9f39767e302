"""Packages hold what was asked for, verify offline, and betray every change."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit_service.custody import services as custody
from audit_service.custody.models import Action, Exhibit, LedgerRow
from audit_service.errors import InputRefusedError, IntegrityFailedError, NotFoundError
from audit_service.exports.services import export
from audit_service.exports.values import ExportRequest
from audit_service.reports.services import complaint_report
from evidence_store import verify_package
from tests.factories import contacts, findings, organizations
from tests.reports import cases

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*sRGB2014.icc:ResourceWarning")

ALL = ExportRequest(recipient="NFRA Shanghai", purpose="inspection 2026-11")


def records(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / "data/documents" / name).read_text(encoding="utf-8").splitlines()]


def exhibits(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "data/exhibits.jsonl").read_text(encoding="utf-8").splitlines()]


def stranger(session, vault, case) -> tuple[str, str]:
    """Store a call of someone else; return the numbers of its exhibit and attempt."""
    agency = organizations.agency(session, case.lender, name="另一机构")
    debtor = contacts.borrower(session, case.lender, name="李四")
    call = contacts.attempt(session, debtor, agency)
    recording = contacts.recording(session, vault, call)
    words = findings.transcript(session, recording, [("agent", 0.0, 1.0, "与本案无关。")])
    assert words.version == 1
    session.refresh(recording)
    return recording.exhibit.number, call.reference


def test_a_package_of_everything_holds(session, vault, tmp_path):
    case = cases.filed(session, vault)
    stranger(session, vault, case)
    made = export(session, vault, tmp_path / "out", ALL)
    verdict = verify_package(tmp_path / "out")
    assert verdict.holds, verdict.problems
    assert made.exhibits == len(exhibits(tmp_path / "out")) == 2
    assert re.fullmatch(r"X-20\d\d-000001", made.number)
    assert len(records(tmp_path / "out", "findings.jsonl")) == 4
    assert len(records(tmp_path / "out", "transcripts.jsonl")) == 2
    assert len(records(tmp_path / "out", "contacts.jsonl")) == 10
    assert [pack["pack"] for pack in records(tmp_path / "out", "rule_packs.jsonl")] == ["cn"]


def test_the_last_checkpoint_covers_the_whole_ledger_of_the_package(session, vault, tmp_path):
    case = cases.filed(session, vault)
    stranger(session, vault, case)
    made = export(session, vault, tmp_path / "out", ALL)
    entries = (tmp_path / "out/data/ledger.jsonl").read_text(encoding="utf-8").splitlines()
    last = max((tmp_path / "out/data/checkpoints").iterdir()).read_text(encoding="utf-8")
    assert made.ledger_size == len(entries)
    assert str(len(entries)) in last.splitlines()


def test_a_complaint_takes_its_own_exhibits_reports_and_records_only(session, vault, tmp_path):
    case = cases.filed(session, vault)
    other_exhibit, other_call = stranger(session, vault, case)
    report = complaint_report(session, vault, case.complaint.number, "en")
    request = ExportRequest("court", "case 17", complaints=(case.complaint.number,))
    export(session, vault, tmp_path / "out", request)
    assert verify_package(tmp_path / "out").holds
    numbers = {exhibit["number"] for exhibit in exhibits(tmp_path / "out")}
    assert report.exhibit.number in numbers
    assert len(numbers) == 2
    assert other_exhibit not in numbers
    assert other_call not in {contact["reference"] for contact in records(tmp_path / "out", "contacts.jsonl")}
    assert len(records(tmp_path / "out", "transcripts.jsonl")) == 1
    (complaint,) = records(tmp_path / "out", "complaints.jsonl")
    assert complaint["allegations"][0]["result"] == "supported"
    assert {finding["id"] for finding in records(tmp_path / "out", "findings.jsonl")} == {
        case.arrest.id,
        case.exposure.id,
        case.hardship.id,
    }


def test_one_exhibit_takes_its_transcript_and_findings_along(session, vault, tmp_path):
    case = cases.filed(session, vault)
    number, reference = stranger(session, vault, case)
    export(session, vault, tmp_path / "out", ExportRequest("court", "case 18", exhibits=(number,)))
    assert [exhibit["number"] for exhibit in exhibits(tmp_path / "out")] == [number]
    assert [row["contact"] for row in records(tmp_path / "out", "transcripts.jsonl")] == [reference]
    assert records(tmp_path / "out", "complaints.jsonl") == []
    assert verify_package(tmp_path / "out").holds


def test_contacts_that_an_event_rule_counted_go_along(session, vault, tmp_path):
    case = cases.filed(session, vault)
    number, reference = stranger(session, vault, case)
    call = session.get(type(case.arrest.attempt), case.frequency.attempt_id)
    call.exhibit_id = session.query(Exhibit).filter_by(number=number).one().id
    session.flush()
    export(session, vault, tmp_path / "out", ExportRequest("court", "case 19", exhibits=(number,)))
    ids = {contact["id"] for contact in records(tmp_path / "out", "contacts.jsonl")}
    assert set(case.frequency.related_attempt_ids) <= ids
    assert reference in {contact["reference"] for contact in records(tmp_path / "out", "contacts.jsonl")}


def test_exhibits_leave_the_store_byte_for_byte(session, vault, tmp_path):
    case = cases.filed(session, vault)
    export(session, vault, tmp_path / "out", ALL)
    (line,) = exhibits(tmp_path / "out")
    with custody.open_exhibit(vault, custody.exhibit_by_number(session, line["number"])) as sealed:
        assert (tmp_path / "out/data" / line["file"]).read_bytes() == sealed.read()
    assert line["file"].endswith(".wav")
    assert case.complaint.number


def test_documents_name_no_person(session, vault, tmp_path):
    cases.filed(session, vault)
    export(session, vault, tmp_path / "out", ALL)
    for path in (tmp_path / "out/data/documents").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "䶮小明" not in text
        assert "13900004321" not in text
        assert "r" * 64 not in text


def test_a_package_explains_itself_in_both_languages(session, vault, tmp_path):
    cases.filed(session, vault)
    made = export(session, vault, tmp_path / "out", ALL)
    text = (tmp_path / "out/data/documents/README.txt").read_text(encoding="utf-8")
    assert text.count(made.number) == 2
    assert text.count("python -m evidence_store verify") == 2
    assert text.count("inspection 2026-11") == 2


def test_the_ledger_knows_what_was_handed_to_whom(session, vault, tmp_path):
    cases.filed(session, vault)
    made = export(session, vault, tmp_path / "out", ALL)
    exhibit = session.query(Exhibit).one()
    assert custody.custody_chain(session, exhibit)[-1].action is Action.EXPORTED
    entry = session.query(LedgerRow).filter_by(object_kind="export").one()
    assert json.loads(entry.canonical)["detail"]["recipient"] == "NFRA Shanghai"
    assert json.loads(entry.canonical)["detail"]["manifest_sha256"] == made.manifest_sha256
    assert custody.verify(session, vault).holds


def altered(folder: Path) -> None:
    path = next((folder / "data/exhibits").iterdir())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def finding_rewritten(folder: Path) -> None:
    path = folder / "data/documents/findings.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("critical", "low"), encoding="utf-8")


def exhibit_removed(folder: Path) -> None:
    next((folder / "data/exhibits").iterdir()).unlink()


def file_added(folder: Path) -> None:
    (folder / "data/documents/extra.txt").write_text("x", encoding="utf-8")


def ledger_reordered(folder: Path) -> None:
    path = folder / "data/ledger.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[1], lines[0], *lines[2:]]), encoding="utf-8")


@pytest.mark.parametrize(
    "tamper", [altered, finding_rewritten, exhibit_removed, file_added, ledger_reordered], ids=lambda f: f.__name__
)
def test_tampering_with_a_package_is_detected(session, vault, tmp_path, tamper: Callable[[Path], None]):
    case = cases.filed(session, vault)
    stranger(session, vault, case)
    export(session, vault, tmp_path / "out", ALL)
    tamper(tmp_path / "out")
    verdict = verify_package(tmp_path / "out")
    assert not verdict.holds
    assert verdict.problems


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(session, vault, tmp_path):
    cases.filed(session, vault)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="not an empty folder"):
        export(session, vault, tmp_path / "full", ALL)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_export_needs_recipient_and_purpose(session, vault, tmp_path):
    with pytest.raises(InputRefusedError, match="recipient"):
        export(session, vault, tmp_path / "out", ExportRequest(recipient=" ", purpose="x"))
    assert not (tmp_path / "out").exists()


def test_unknown_numbers_are_refused_before_anything_is_written(session, vault, tmp_path):
    with pytest.raises(NotFoundError, match="C-2026-999999"):
        export(session, vault, tmp_path / "out", ExportRequest("a", "b", complaints=("C-2026-999999",)))
    with pytest.raises(NotFoundError, match="E-999999"):
        export(session, vault, tmp_path / "out", ExportRequest("a", "b", exhibits=("E-999999",)))
    assert not (tmp_path / "out").exists()


def test_an_exhibit_that_was_altered_in_the_store_is_not_handed_over(session, vault, settings, tmp_path):
    cases.filed(session, vault)
    exhibit = session.query(Exhibit).one()
    for path in [
        path for path in settings.evidence_dir.rglob("*") if path.is_file() and exhibit.sha256[2:] in str(path)
    ]:
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(IntegrityFailedError, match="could not be written"):
        export(session, vault, tmp_path / "out", ALL)
    shutil.rmtree(tmp_path / "out")
