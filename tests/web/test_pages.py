"""Pages through the real application: who may open what, what they show, what they never show."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask, g
from flask_babel import refresh
from sqlalchemy import text

from audit_service.complaints.models import Complaint
from audit_service.contacts.models import ContactAttempt
from audit_service.custody.models import Action, CustodyEvent, LedgerRow
from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.detection import Engine, load_packs
from audit_service.intake.models import IntakeItem
from audit_service.intake.services import receive_file
from audit_service.jobs import run_worker
from audit_service.jobs.tasks import source_of
from audit_service.jobs.worker import WorkerOptions
from audit_service.organizations.models import RoleName
from audit_service.queue import waiting_jobs
from audit_service.review import running
from audit_service.review.models import Disposition, Finding
from audit_service.settings import ROOT
from audit_service.transcription.models import SegmentEdit
from audit_service.web.policy import BY_KEY, PUBLIC, roles_of
from tests.conftest import SAMPLES
from tests.factories import contacts, findings, organizations

ROLES = ["anonymous", *(role.value for role in RoleName)]
ATTACK = "<script>alert(1)</script>"


@pytest.fixture
def call(app: Flask, vault: Vault):
    """A recorded call with a flagged threat; returns the ids that pages need."""
    with transaction() as session:
        lender = organizations.institution(session)
        agency = organizations.agency(session, lender)
        borrower = contacts.borrower(session, lender, name="王小明")
        attempt = contacts.attempt(session, borrower, agency)
        recording = contacts.recording(session, vault, attempt)
        transcript = findings.transcript(
            session, recording, [("agent", 0.5, 1.5, f"法警马上到你家里抓人{ATTACK}"), ("borrower", 1.6, 1.9, "什么？")]
        )
        session.refresh(transcript)
        found = findings.finding(session, attempt, quote="法警马上到你家里抓人", segment=transcript.segments[0])
        return {
            "lender": lender.code,
            "attempt": attempt.id,
            "recording": recording.id,
            "finding": found.id,
            "segment": found.segment_id,
        }


def seen_by(client, method: str, url: str, **form):
    """Ask as this client: the test's own application context remembers who asked before."""
    g.pop("_login_user", None)
    return client.open(url, method=method, data=form)


def address(rule, call) -> str:
    values = {
        "attempt_id": call["attempt"],
        "finding_id": call["finding"],
        "recording_id": call["recording"],
        "segment_id": call["segment"],
        "item_id": 1,
        "number": "C-1",
        "batch": "0" * 32,
        "token": "0" * 32,
        "filename": "app.css",
        "sha256": "0" * 64,
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match.group(1)]), rule.rule)


@pytest.mark.parametrize("role", ROLES)
def test_every_route_answers_only_the_roles_it_names(app: Flask, client_as, call, role: str) -> None:
    client = client_as(role)
    for rule in app.url_map.iter_rules():
        method = "GET" if "GET" in rule.methods else min(rule.methods - {"OPTIONS"})
        if rule.endpoint == "security.logout":
            continue
        allowed = roles_of(app, rule.endpoint)
        assert allowed, rule.endpoint
        answer = client.open(address(rule, call), method=method)
        status = answer.status_code
        answer.close()
        if BY_KEY in allowed:
            assert status == 401, (rule.rule, status)  # no session opens what needs a key
        elif PUBLIC in allowed or role in allowed:
            assert status not in {401, 403}, (rule.rule, status)
        elif role == "anonymous":
            assert status == 302, (rule.rule, status)
        else:
            assert status == 403, (rule.rule, status)


def test_every_page_has_the_headers(client_as) -> None:
    headers = client_as("anonymous").get("/complain").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_form_without_its_token_is_refused(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/case", data={"code": "x", "last4": "1"}).status_code == 400


def test_the_list_masks_names_and_filters(client_as, call) -> None:
    client = client_as("officer")
    page = client.get("/officer/findings?severity=critical").get_data(as_text=True)
    assert "法警马上到你家里抓人" in page
    assert "王*明" in page
    assert "王小明" not in page
    assert "法警" not in client.get("/officer/findings?severity=low").get_data(as_text=True)
    assert "法警" not in client.get("/officer/findings?text=nothing").get_data(as_text=True)
    assert "法警" in client.get("/officer/findings?from=2026-03-03&to=2026-03-03&disposition=unreviewed").get_data(
        as_text=True
    )


def test_a_contact_shows_the_words_marked_and_escaped_and_the_view_is_in_the_ledger(
    app: Flask, client_as, call
) -> None:
    page = client_as("officer").get(f"/officer/contacts/{call['attempt']}").get_data(as_text=True)
    assert ATTACK not in page
    assert "&lt;script&gt;" in page
    assert re.search(r"<mark class=\"sev-critical\"><a href=\"#finding-\d+\">法警马上到你家里抓人</a></mark>", page)
    with transaction() as session:
        viewed = session.query(LedgerRow).filter_by(action=Action.VIEWED).all()
        assert [(row.object_kind, row.object_id) for row in viewed] == [("contact", str(call["attempt"]))]


def test_audio_is_sent_in_the_ranges_asked_for(client_as, call) -> None:
    client = client_as("officer")
    whole = client.get(f"/officer/recordings/{call['recording']}/audio")
    part = client.get(f"/officer/recordings/{call['recording']}/audio", headers={"Range": "bytes=100-199"})
    assert whole.status_code == 200
    assert whole.data[:4] == b"RIFF"
    assert part.status_code == 206
    assert part.data == whole.data[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.data)}"


def test_a_disposition_is_kept_with_its_reason(app: Flask, client_as, call) -> None:
    client = client_as("lead")
    url = f"/officer/findings/{call['finding']}/disposition"
    assert client.post(url, data={"verdict": "dismissed"}).status_code == 422
    assert client.post(url, data={"verdict": "nonsense"}).status_code == 422
    assert client.post(url, data={"verdict": "dismissed", "reason": "转述他人的话"}).status_code == 302
    with transaction() as session:
        assert [d.reason for d in session.query(Disposition)] == ["转述他人的话"]
    assert "转述他人的话" in client.get(f"/officer/contacts/{call['attempt']}").get_data(as_text=True)


def complaint_form(call, **values):
    return {
        "institution": call["lender"],
        "complainant_name": "王小明",
        "phone": "+8613900000001",
        "when": "3月3号中午",
        "narrative": "有人打电话说法警要来抓我。",
        "requests": ["apology"],
    } | values


def test_a_borrower_files_and_follows_a_case_with_the_code(app: Flask, client_as, call) -> None:
    client = client_as("anonymous")
    form = complaint_form(call, proofs=(io.BytesIO(b"screenshot"), "../../shot.png"))
    page = client.post("/complain", data=form, content_type="multipart/form-data").get_data(as_text=True)
    code = re.search(r'id="receipt-code">([^<]+)<', page).group(1)
    shown = client.post("/case", data={"code": code, "last4": "0001"})
    assert shown.status_code == 200
    assert "C-20" in shown.get_data(as_text=True)
    assert client.post("/case", data={"code": code, "last4": "9999"}).status_code == 404
    officer = client_as("officer")
    with transaction() as session:
        number = session.query(Complaint).one().number
    assert "王小明" not in officer.get("/officer/complaints").get_data(as_text=True)
    assert officer.get(f"/officer/complaints/{number}").status_code == 200
    assert officer.post(f"/officer/complaints/{number}/status", data={"status": "accepted"}).status_code == 302
    assert officer.post(f"/officer/complaints/{number}/status", data={"status": "closed"}).status_code == 409


def test_a_refused_complaint_keeps_what_was_written_and_marks_the_field(client_as, call) -> None:
    answer = client_as("anonymous").post("/complain", data=complaint_form(call, phone="abc"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="phone-error"' in page
    assert "有人打电话说法警要来抓我。" in page


def test_words_of_danger_show_help_at_once(client_as, call) -> None:
    page = (
        client_as("anonymous")
        .post("/complain", data=complaint_form(call, narrative="被逼得真的不想活了"))
        .get_data(as_text=True)
    )
    assert "12356" in page
    assert 'role="alert"' in page


def test_the_case_form_is_rate_limited(client_as) -> None:
    client = client_as("anonymous")
    statuses = [client.post("/case", data={"code": "x", "last4": "1"}).status_code for _ in range(12)]
    assert statuses[0] == 404
    assert statuses[-1] == 429


def test_the_language_can_be_chosen_and_only_leads_back_here(client_as) -> None:
    client = client_as("anonymous")
    answer = client.post("/language", data={"language": "en", "back": "https://elsewhere.example/x"})
    assert answer.headers["Location"] in {"/x", "/"}
    assert "How were you treated?" in client.get("/").get_data(as_text=True)
    client.post("/language", data={"language": "zh_CN", "back": "/"})
    refresh()  # the test's own application context remembers the first page's language
    assert "您遇到了怎样的催收" in client.get("/").get_data(as_text=True)


def test_health_and_readiness(client_as) -> None:
    client = client_as("anonymous")
    assert client.get("/healthz").json == {"status": "alive"}
    assert client.get("/readyz").json["status"] == "ready"


def test_an_unknown_page_is_explained(client_as) -> None:
    answer = client_as("anonymous").get("/nowhere", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "This page does not exist." in answer.get_data(as_text=True)


def test_who_speaks_is_shown_and_corrected_with_a_reason(app: Flask, client_as, call) -> None:
    client = client_as("officer")
    url = f"/officer/recordings/{call['recording']}/speakers"
    assert client.post(url, data={"correction": "swap"}).status_code == 422
    assert client.post(url, data={"correction": "swap", "reason": "听过录音"}).status_code == 302
    page = client.get(f"/officer/contacts/{call['attempt']}").get_data(as_text=True)
    turns = re.findall(r'<li class="turn (\w+)"', page)
    assert turns == ["borrower", "agent"]
    assert "说话人由合规人员指明" in page


def test_what_could_not_be_determined_about_a_contact_is_shown_in_both_languages(client_as, call) -> None:
    with transaction() as session:
        attempt = session.get_one(ContactAttempt, call["attempt"])
        attempt.timezone = None
        session.flush()
        running.run_contact_log(session, Engine(load_packs([ROOT / "rules" / "cn"])), attempt.borrower_id)
    client = client_as("officer")
    url = f"/officer/contacts/{call['attempt']}"
    refresh()  # the test's own application context remembers the first page's language
    english = client.get(url, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Cannot be determined" in english
    assert "the time zone of the person contacted is not known" in english
    refresh()
    chinese = client.get(url, headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    assert "被联系人所在时区未知" in chinese


def test_a_fatal_finding_is_dismissed_by_two_people_and_the_page_says_so(app: Flask, client_as, call) -> None:
    with transaction() as session:
        session.get_one(Finding, call["finding"]).is_fatal = True
    first, second = client_as("officer"), client_as("lead")
    url, page = f"/officer/findings/{call['finding']}/disposition", f"/officer/contacts/{call['attempt']}"
    form = {"verdict": "dismissed", "reason": "转述他人的话"}
    assert seen_by(first, "POST", url, **form).status_code == 302
    assert "须由另一人" in seen_by(first, "GET", page).get_data(as_text=True)
    assert "您已提出排除" in seen_by(first, "GET", page).get_data(as_text=True)
    assert "已有一人提出排除" in seen_by(second, "GET", page).get_data(as_text=True)
    assert seen_by(first, "POST", url, **form).status_code == 409
    assert seen_by(second, "POST", url, **form).status_code == 302
    with transaction() as session:
        said = [one.verdict.value for one in session.query(Disposition).order_by(Disposition.id)]
        assert said == ["dismissal_proposed", "dismissed"]


def test_a_rule_that_reviewers_keep_dismissing_is_marked_and_measured(app: Flask, client_as, call) -> None:
    with transaction() as session:
        attempt = session.get_one(Finding, call["finding"]).attempt
        more = [findings.finding(session, attempt, quote="").id for _ in range(4)]
    client = client_as("officer")
    assert "规则待复查" not in client.get("/officer/findings").get_data(as_text=True)
    for number in more:
        client.post(f"/officer/findings/{number}/disposition", data={"verdict": "dismissed", "reason": "误检"})
    page = client.get("/officer/rules").get_data(as_text=True)
    assert "规则待复查" in page
    assert re.search(r"0 % <span class=\"quiet\">\(0–49 %\)", page)
    for url in ("/officer/findings", f"/officer/contacts/{call['attempt']}"):
        assert "规则待复查" in client.get(url).get_data(as_text=True)
    assert "法警马上到你家里抓人" in client.get("/officer/findings").get_data(as_text=True)


def test_a_lead_approves_rules_that_somebody_else_published(app: Flask, client_as) -> None:
    with transaction() as session:
        version = findings.pack_version(session)
        version.submitted_by_id = organizations.user(session).id
        number, digest = version.version, version.digest
    officer, lead = client_as("officer"), client_as("lead")
    form = {"pack": "cn", "version": number}
    page = seen_by(officer, "GET", "/officer/rules").get_data(as_text=True)
    assert digest in page
    assert "/officer/rules/approvals" not in page
    assert seen_by(officer, "POST", "/officer/rules/approvals", **form).status_code == 403
    assert "/officer/rules/approvals" in seen_by(lead, "GET", "/officer/rules").get_data(as_text=True)
    assert seen_by(lead, "POST", "/officer/rules/approvals", **form).status_code == 302
    assert seen_by(lead, "POST", "/officer/rules/approvals", **form).status_code == 404
    assert digest not in seen_by(lead, "GET", "/officer/rules").get_data(as_text=True)


@pytest.mark.parametrize(
    ("locale", "legend", "said"), [("zh_CN", "低于 50 %", "（不确定）"), ("en", "under 50 %", "(unsure)")]
)
def test_unsure_words_are_underlined_and_told_in_words_and_a_legend_explains_it(
    app: Flask, client_as, call, locale: str, legend: str, said: str
) -> None:
    officer = client_as("officer")
    seen_by(officer, "POST", "/language", language=locale)
    page = f"/officer/contacts/{call['attempt']}"
    assert legend not in seen_by(officer, "GET", page).text
    with transaction() as session:
        segment = session.query(Finding).one().segment
        segment.words = [[0.0, 0.1, word, 0.2 if word in "警家<" else 0.9] for word in segment.text]
    refresh()
    shown = seen_by(officer, "GET", page).text
    assert legend in shown
    assert f'法<span class="unsure">警<span class="hidden"> {said}</span></span>马上到你<span' in shown
    assert '<span class="unsure">&lt;<span' in shown
    assert ATTACK not in shown


def test_an_officer_corrects_words_and_takes_that_back_and_both_texts_are_shown(app: Flask, client_as, call) -> None:
    officer = client_as("officer")
    page, words = f"/officer/contacts/{call['attempt']}", f"/officer/segments/{call['segment']}/words"
    assert seen_by(officer, "POST", words, text="法务马上到你家", reason=" ").status_code == 422
    assert seen_by(officer, "POST", words, text="法务<b>马上到你家", reason="听过录音").status_code == 302
    shown = seen_by(officer, "GET", page).text
    assert "法务&lt;b&gt;马上到你家" in re.sub(r"</?(mark|a)\b[^>]*>", "", shown)
    assert "机器原文：“法警马上到你家里抓人" in shown
    assert "听过录音" in shown
    with transaction() as session:
        jobs = session.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'detect_transcript'"))
        assert [job.args["recording_id"] for job in jobs] == [call["recording"]]
    assert seen_by(officer, "POST", f"{words}/revert", reason="it was right").status_code == 302
    assert "机器原文：" not in seen_by(officer, "GET", page).text
    with transaction() as session:
        kept = session.query(SegmentEdit).one()
        assert (kept.text, kept.reverted_at is None) == ("法务<b>马上到你家", False)


def test_what_waits_in_quarantine_is_tried_again_from_the_page(app: Flask, client_as, tmp_path) -> None:
    file = tmp_path / "call.wav"
    file.write_bytes((SAMPLES / "calls" / "zh-02.wav").read_bytes())
    with transaction() as session:
        source = source_of(app.extensions["audit_settings"], "cli", "cli:test")
        item = receive_file(session, app.extensions["audit_vault"], file, source).item_id
    officer = client_as("officer")
    assert "重试" in seen_by(officer, "GET", "/officer/intake").text
    assert "重试" not in seen_by(client_as("auditor"), "GET", "/officer/intake").text
    for _ in range(2):
        assert seen_by(officer, "POST", f"/officer/intake/{item}/retry").status_code == 302
    with transaction() as session:
        assert waiting_jobs(session) == {"todo": 1}
    run_worker(app, WorkerOptions(queues=["detect"], until_empty=True))
    with transaction() as session:
        done = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'retry_item' AND status = 'succeeded'")
        assert session.execute(done).scalar_one() == 1
        retried = session.query(CustodyEvent).filter_by(action=Action.RETRIED).one()
        assert retried.actor.startswith("user:")
        assert session.query(IntakeItem).one().reason_code.startswith("sidecar")
    assert seen_by(officer, "POST", "/officer/intake/999/retry").status_code == 404
