"""Commands as scripts use them: exit codes, JSON, one clear line for a refusal."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from audit_service.custody.models import Action, LedgerRow
from audit_service.database import db, transaction
from audit_service.review.dispositions import dispose
from tests.conftest import SAMPLES
from tests.factories.contacts import attempt, borrower, message
from tests.factories.findings import finding
from tests.factories.organizations import agency, institution, user
from tests.factories.rules import pack, rule

RULES = Path(__file__).resolve().parents[2] / "rules"


def run(*arguments: str, environment: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audit_service.cli", *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        env=os.environ | environment,
        timeout=300,
        check=False,
    )


def test_detect_answers_each_line_in_order_and_goes_on_after_a_bad_one(environment: dict[str, str]) -> None:
    lines = [
        json.dumps({"id": 1, "text": "今天不还钱，法警马上到你家抓人。", "jurisdiction": "cn"}, ensure_ascii=False),
        "{not json",
        json.dumps({"id": "c", "text": "您好，提醒您本月账单已出，请按时还款。"}, ensure_ascii=False),
    ]
    done = run("detect", "--jurisdiction", "cn", environment=environment, stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert [answer["id"] for answer in answers] == [1, None, "c"]
    threat = next(f for f in answers[0]["findings"] if f["category"] == "threat_unlawful_action")
    assert "今天不还钱，法警马上到你家抓人。"[threat["start"] : threat["end"]] == threat["quote"]
    assert set(threat) == {
        "rule",
        "category",
        "kind",
        "severity",
        "speaker",
        "turn",
        "start",
        "end",
        "quote",
        "score",
        "plane",
    }
    assert "error" in answers[1]
    assert answers[2]["findings"] == []


def test_triage_answers_a_narrative(environment: dict[str, str]) -> None:
    line = json.dumps(
        {"id": 7, "narrative": "他们冒充法院，还打电话给我同事，我要他们道歉。", "language": "zh"}, ensure_ascii=False
    )
    done = run("triage", environment=environment, stdin=line)
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"id", "categories", "requests", "urgency", "entities"} <= set(answer)
    assert "impersonation_authority" in {category["category"] for category in answer["categories"]}


def test_transcribe_writes_one_object_a_file_and_names_what_it_cannot_read(
    environment: dict[str, str], tmp_path: Path
) -> None:
    bad = tmp_path / "note.wav"
    bad.write_text("no audio")
    done = run(
        "transcribe", str(SAMPLES / "calls" / "zh-08.wav"), str(bad), "--language", "zh", environment=environment
    )
    good, refused = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert good["language"] == "zh"
    assert {segment["channel"] for segment in good["segments"]} == {0, 1}
    assert "error" in refused


def test_ingest_reports_refusals_and_recognises_the_same_bytes(app: Flask, environment: dict[str, str]) -> None:
    run("register", str(SAMPLES / "registry.json"), environment=environment)
    first = run("ingest", str(SAMPLES / "logs" / "broken_rows.csv"), "--json", environment=environment)
    again = run("ingest", str(SAMPLES / "logs" / "broken_rows.csv"), "--json", environment=environment)
    [received] = json.loads(first.stdout)
    [recognised] = json.loads(again.stdout)
    assert first.returncode == 3
    assert received["rows_stored"] == 3
    assert len(received["problems"]) == 3
    assert all(problem["row"] and problem["field"] and problem["reason"] for problem in received["problems"])
    assert recognised["is_new"] is False
    assert recognised["exhibit_number"] == received["exhibit_number"]


def test_an_unknown_complaint_has_its_own_exit_code_and_one_line(app: Flask, environment: dict[str, str]) -> None:
    done = run("complaint", "show", "C-2026-999999", environment=environment)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith("audit-service: ")
    assert "Traceback" not in done.stderr


def test_missing_secrets_are_named_with_the_remedy(environment: dict[str, str], tmp_path: Path) -> None:
    bare = dict.fromkeys(environment, "") | {"AUDIT_INSTANCE_DIR": str(tmp_path)}
    done = run("verify", environment=bare)
    assert done.returncode == 2
    assert "audit-service init" in done.stderr


def test_verify_holds_and_then_names_an_altered_exhibit(app: Flask, environment: dict[str, str]) -> None:
    run("register", str(SAMPLES / "registry.json"), environment=environment)
    run("ingest", str(SAMPLES / "logs" / "broken_rows.csv"), environment=environment)
    assert run("verify", environment=environment).returncode == 0
    sealed = next((Path(environment["AUDIT_INSTANCE_DIR"]) / "evidence").rglob("*.sealed"))
    sealed.chmod(0o600)
    sealed.write_bytes(sealed.read_bytes()[:-1])
    done = run("verify", "--json", environment=environment)
    assert done.returncode == 5
    assert "E-" in json.loads(done.stdout)["problems"][0]


@pytest.mark.parametrize("arguments", [("rules", "lint"), ("rules", "test")])
def test_the_shipped_rule_packs_are_in_order(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = run(*arguments, "--json", environment=environment)
    assert done.returncode == 0, done.stdout


def test_a_user_is_created_once(app: Flask, environment: dict[str, str]) -> None:
    arguments = ("user", "create", "lin@example.org", "--role", "officer", "--password-stdin", "--json")
    first = run(*arguments, environment=environment, stdin="a long enough password\n")
    again = run(*arguments, environment=environment, stdin="a long enough password\n")
    short = run(
        "user",
        "create",
        "x@example.org",
        "--role",
        "officer",
        "--password-stdin",
        environment=environment,
        stdin="short\n",
    )
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["roles"] == ["officer"]
    assert again.returncode == 3
    assert short.returncode == 3


def test_rules_diff_names_what_a_change_adds_and_removes(environment: dict[str, str], tmp_path: Path) -> None:
    changed = tmp_path / "rules"
    shutil.copytree(RULES, changed)
    shutil.rmtree(changed / "cn" / "threat_unlawful_action")
    contacts = tmp_path / "contacts.jsonl"
    contacts.write_text('{"id": 5, "text": "今天不还钱，法警马上到你家抓人。"}\n', encoding="utf-8")
    arguments = ("rules", "diff", str(changed / "cn"), str(RULES / "cn"), "--on", str(contacts), "--json")
    answer = json.loads(run(*arguments, environment=environment).stdout)
    added = [change for change in answer["changes"] if change["change"] == "added"]
    assert ("5", "threat_unlawful_action") in {(change["id"], change["category"]) for change in added}
    assert [change for change in answer["changes"] if change["change"] == "removed"] == []


def test_rules_diff_names_the_line_it_cannot_read(environment: dict[str, str], tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.jsonl"
    contacts.write_text('{"id": 1, "text": "好的"}\n{"id": 2}\n', encoding="utf-8")
    done = run("rules", "diff", str(RULES / "cn"), str(RULES / "cn"), "--on", str(contacts), environment=environment)
    assert done.returncode != 0
    assert "contacts.jsonl, line 2" in done.stderr


def test_rules_explain_says_why_and_logs_the_view(app: Flask, environment: dict[str, str]) -> None:
    session = db.session
    lender = institution(session)
    by = agency(session, lender)
    contact = attempt(session, borrower(session, lender), by)
    made = finding(session, contact, quote="法警马上到你家抓人")
    session.commit()
    told = json.loads(run("rules", "explain", str(made.id), "--json", environment=environment).stdout)
    assert told["quote"] == "法警马上到你家抓人"
    assert told["rule"].startswith(made.rule_id)
    viewed = session.scalars(select(LedgerRow).where(LedgerRow.action == Action.VIEWED)).all()
    assert str(made.id) in {event.object_id for event in viewed}


def test_rules_explain_of_no_finding_is_refused(app: Flask, environment: dict[str, str]) -> None:
    assert run("rules", "explain", "999", environment=environment).returncode == 4


def test_rules_are_published_by_one_and_approved_by_another(
    app: Flask, environment: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    pack = tmp_path / "rules" / "in" / "pack.yaml"
    pack.write_text(re.sub(r"version: .*", "version: 2027.1.0", pack.read_text(encoding="utf-8")), encoding="utf-8")
    session = db.session
    publisher, lead = user(session, role="lead"), user(session, role="lead")
    session.commit()
    publishing = ("rules", "publish", str(pack.parent), "--by", publisher.email, "--json")
    done = run(*publishing, environment=environment)
    assert done.returncode == 0, done.stderr
    (published,) = json.loads(done.stdout)
    assert (published["pack"], published["approver"]) == ("in", "")
    assert {"rule", "version", "digest", "from", "to", "author"} == set(published["new_rules"][0])
    assert run(*publishing, environment=environment).returncode == 3
    approving = ("rules", "approve", "in", "2027.1.0", "--json", "--by")
    assert run(*approving, publisher.email, environment=environment).returncode == 3
    assert run(*approving, "nobody@example.org", environment=environment).returncode == 4
    assert run(*approving, lead.email, environment=environment).returncode == 0
    (listed,) = json.loads(run("rules", "versions", "--json", environment=environment).stdout)
    assert (listed["version"], listed["approver"]) == ("2027.1.0", lead.email)


def test_rules_precision_counts_reviews_and_replay_of_no_contact_is_refused(
    app: Flask, environment: dict[str, str]
) -> None:
    session = db.session
    lender = institution(session)
    contact = attempt(session, borrower(session, lender), agency(session, lender))
    reviewer = user(session)
    for verdict in ("confirmed", "dismissed", "dismissed", ""):
        made = finding(session, contact, quote="")
        if verdict:
            dispose(session, made.id, verdict, user_id=reviewer.id, reason="理由")
    session.commit()
    (row,) = json.loads(run("rules", "precision", "--json", environment=environment).stdout)
    assert (row["findings"], row["confirmed"], row["dismissed"], row["unreviewed"]) == (4, 1, 2, 1)
    assert row["low"] < row["precision"] < row["high"]
    assert row["is_under_review"] is False
    strict = environment | {"AUDIT_RULE_FLOOR": "0.9"}
    assert "under review" in run("rules", "precision", environment=strict).stdout
    assert run("rules", "replay", "999999", environment=environment).returncode == 4
    assert run("rules", "replay", str(contact.id), environment=environment).returncode == 0
    assert run("rules", "precision", environment=environment | {"AUDIT_RULE_FLOOR": "2"}).returncode == 2


def test_rules_diff_judges_stored_contacts_of_a_range_and_logs_that_they_were_read(
    app: Flask, environment: dict[str, str], tmp_path: Path
) -> None:
    session = db.session
    lender = institution(session)
    written = message(session, borrower(session, lender), agency(session, lender), "请您马上还钱")
    session.commit()
    soon = rule("soon", {"soon": {"any": ["马上"]}, "condition": "soon"}, status="draft")
    pay = rule("pay", {"pay": {"any": ["还钱"]}, "condition": "pay"})
    folder = str(pack(tmp_path, soon, pay))
    arguments = ("rules", "diff", folder, folder, "--from", "2026-03-01", "--to", "2026-03-31", "--drafts")
    answer = json.loads(run(*arguments, "--unchanged", "--json", environment=environment).stdout)
    assert [(change["change"], change["id"], change["quote"]) for change in answer["changes"]] == [
        ("added", str(written.attempt_id), "马上"),
        ("unchanged", str(written.attempt_id), "还钱"),
    ]
    viewed = session.scalars(select(LedgerRow).where(LedgerRow.action == Action.VIEWED)).all()
    assert [event.object_id for event in viewed] == ["2026-03-01/2026-03-31"]


@pytest.mark.parametrize("where", [(), ("--from", "2026-03-01")])
def test_rules_diff_wants_contacts_from_one_place(environment: dict[str, str], where: tuple[str, ...]) -> None:
    done = run("rules", "diff", str(RULES / "cn"), str(RULES / "cn"), *where, environment=environment)
    assert done.returncode == 2
    assert "--on" in done.stderr


DENIED = '{"id": "a", "text": "法警不会去抓你", "jurisdiction": "cn"}\n'
ARREST = "cn.threat_unlawful_action.arrest"


def test_rules_explain_says_why_a_rule_does_not_fire(environment: dict[str, str]) -> None:
    told = run("rules", "explain", "--why-not", ARREST, environment=environment, stdin=DENIED)
    assert told.returncode == 0, told.stderr
    assert "does not fire" in told.stdout
    assert "lawful by the exception refuted" in told.stdout
    answer = json.loads(
        run("rules", "explain", "--why-not", ARREST, "--json", environment=environment, stdin=DENIED).stdout
    )
    (trace,) = answer["traces"]
    (passage,) = trace["passages"]
    assert {line["text"]: line["holds"] for line in passage["table"]}["coming"] is False
    assert passage["matches"][0]["exceptions"]["refuted"]["text"] == "不会去"


def test_rules_explain_reads_a_stored_contact_and_logs_it(app: Flask, environment: dict[str, str]) -> None:
    session = db.session
    lender = institution(session)
    written = message(session, borrower(session, lender), agency(session, lender), "今天不还法警上门抓你")
    session.commit()
    arguments = ("rules", "explain", "--why-not", ARREST, "--contact", str(written.attempt_id))
    assert "fires (1)" in run(*arguments, environment=environment).stdout
    viewed = session.scalars(select(LedgerRow).where(LedgerRow.action == Action.VIEWED)).all()
    assert [(event.object_kind, event.object_id) for event in viewed] == [("contact", str(written.attempt_id))]


def test_rules_explain_of_an_unknown_rule_or_of_nothing_is_refused(environment: dict[str, str]) -> None:
    assert run("rules", "explain", "--why-not", "cn.no.rule", environment=environment, stdin=DENIED).returncode == 4
    assert run("rules", "explain", environment=environment).returncode == 2


def test_a_word_list_is_measured_on_real_speech_before_it_is_used(
    app: Flask, environment: dict[str, str], tmp_path: Path
) -> None:
    with transaction() as session:
        lender = institution(session)
        code = lender.code
    for part, name in (("calls", "en-03.wav"), ("truth", "en-03.json")):
        (tmp_path / part).mkdir()
        shutil.copy(SAMPLES / part / name, tmp_path / part / name)
    assert run("hotwords", "add", code, "neighbour", "dodging", environment=environment).returncode == 0
    unmeasured = run("hotwords", "use", code, "1", environment=environment)
    assert (unmeasured.returncode, "not measured" in unmeasured.stderr) == (3, True)
    done = run("hotwords", "measure", code, "1", "--on", str(tmp_path), "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    truth = json.loads((SAMPLES / "truth" / "en-03.json").read_text(encoding="utf-8"))["turns"]
    letters = sum(character.isalnum() for turn in truth for character in turn["text"])
    assert (found["files"], found["characters"], found["words_said"]) == (1, letters, 2)
    assert 0 <= found["errors_without"] < 0.35 * letters, "real weights hear real speech"
    assert found["words_with"] >= found["words_without"]
    assert found["change"] == pytest.approx((found["errors_with"] - found["errors_without"]) / letters, abs=1e-5)
    listed = json.loads(run("hotwords", "list", code, "--json", environment=environment).stdout)["versions"]
    assert listed[0]["measured"] == found
    use = run("hotwords", "use", code, "1", environment=environment)
    assert use.returncode == (0 if found["errors_with"] <= found["errors_without"] else 3)
