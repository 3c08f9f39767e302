"""In a real browser: an officer listens to a finding, a borrower complains on a phone."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from audit_service.cli.context import hash_password
from audit_service.contacts.models import Recording, Speaker
from audit_service.custody.vault import Vault
from audit_service.database import transaction
from audit_service.intake.uploads import Staging
from audit_service.organizations import services as organizations_services
from audit_service.organizations.values import NewUser
from audit_service.review.models import Finding, Listening, Verdict
from tests.conftest import SAMPLES
from tests.factories import contacts, findings, organizations

pytestmark = pytest.mark.e2e
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "install Chromium with bin/install-system-packages test"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def address(app: Flask, vault: Vault) -> Iterator[str]:
    """A running server with one flagged call."""
    with transaction() as session:
        lender = organizations.institution(session, name="安信消费金融")
        agency = organizations.agency(session, lender)
        borrower = contacts.borrower(session, lender, phone="+8613900001234")
        attempt = contacts.attempt(session, borrower, agency)
        audio = (SAMPLES / "calls" / "zh-02.wav").read_bytes()
        recording = contacts.recording(session, vault, attempt, audio=audio)
        turns = [
            ("agent", 0.6, 5.5, "喂，这里是朝阳区人民法院执行局。"),
            ("agent", 9.8, 14.8, "法警马上到你家里抓人。"),
        ]
        transcript = findings.transcript(session, recording, turns)
        session.refresh(transcript)
        findings.finding(session, attempt, quote="法警马上到你家里抓人", segment=transcript.segments[1])
        user = NewUser(
            email="lin@example.org",
            password_hash=hash_password(app, PASSWORD),
            display_name="林静",
            roles=("officer",),
            institution_code=None,
            agency_code=None,
        )
        organizations_services.create_user(session, user)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = False  # so that closing it waits for the requests under way
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def open_page(browser: Browser, width: int, *, javascript: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, locale="zh-CN", java_script_enabled=javascript
    )
    return context.new_page()


def test_an_officer_signs_in_filters_and_hears_a_finding(browser: Browser, address: str) -> None:
    page = open_page(browser, 1280)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    sign_in(page, address)
    page.get_by_label("严重程度").select_option("critical")
    page.get_by_role("button", name="筛选").click()
    expect(page).to_have_url(re.compile("severity=critical"))
    page.locator(".findings a.title").first.click()
    page.locator("button.seek").first.click()
    page.wait_for_function("document.getElementById('audio').currentTime >= 9.3")
    expect(page.locator(".turn.playing")).to_contain_text("法警马上到你家里抓人")
    assert faults == []


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/officer/findings")
    page.get_by_label("电子邮箱").fill("lin@example.org")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/officer/findings")


@pytest.fixture
def doubtful(address: str) -> int:
    """A finding on words that were only heard alike; some of them, and who speaks, are uncertain."""
    with transaction() as session:
        found = session.query(Finding).one()
        found.plane, found.speaker = "syllable", Speaker.UNKNOWN
        found.segment.words = [
            [9.8 + 0.4 * place, 10.2 + 0.4 * place, word, 0.2 if word in "法警" else 0.9]
            for place, word in enumerate(found.segment.text)
        ]
        found.transcript.options = {"told_apart_by": "channel", "roles": "uncertain", "agent_score": 0.55}
        session.query(Recording).one().duration_s = 30.0
        return found.attempt_id


def heard_until(page: Page, second: float) -> None:
    """Play the finding from its button up to a second, then pause and wait for the player's last report."""
    page.locator("button.seek").first.click()
    for _ in range(300):  # the page's policy forbids what Playwright would wait with
        if page.evaluate("document.getElementById('audio').currentTime") >= second:
            break
        page.wait_for_timeout(100)
    with page.expect_response(re.compile(r"/recordings/\d+/played$")) as reported:
        page.evaluate("document.getElementById('audio').pause()")
    assert reported.value.status == 204


def test_a_doubtful_finding_is_confirmed_only_after_its_seconds_were_played(
    browser: Browser, address: str, doubtful: int
) -> None:
    page = open_page(browser, 1280)
    sign_in(page, address)
    contact = f"{address}/officer/contacts/{doubtful}"

    def confirm() -> int:
        page.goto(contact)
        with page.expect_response(re.compile("/disposition$")) as answered:
            page.locator("article.finding button[value=confirmed]").click()
        return answered.value.status

    assert confirm() == 422
    page.goto(contact)
    heard_until(page, 11.0)
    assert confirm() == 422, "the rest of its seconds was not played"
    page.goto(contact)
    heard_until(page, 15.0)
    assert confirm() == 302
    expect(page.locator("article.finding .note.good")).to_contain_text("已确认")
    with transaction() as session:
        played = session.query(Listening).order_by(Listening.start_s).all()
        assert min(one.start_s for one in played) == pytest.approx(9.5, abs=0.5)
        assert all(one.end_s - one.start_s < 6.5 for one in played), "only what was really played is reported"
        assert 15.0 <= max(one.end_s for one in played) < 17.0
        assert session.query(Finding).one().dispositions[-1].verdict is Verdict.CONFIRMED


def test_a_click_on_a_word_plays_from_within_200_ms_of_it(browser: Browser, address: str, doubtful: int) -> None:
    with transaction() as session:
        found = session.query(Finding).one()
        found.is_current = False  # so that no link of a finding lies over the words
        text = found.segment.text
    page = open_page(browser, 1280)
    sign_in(page, address)
    page.goto(f"{address}/officer/contacts/{doubtful}")
    for word in ("警", "家", "抓"):
        second = 9.8 + 0.4 * text.index(word)
        box = (
            page.locator(".turn p")
            .nth(1)
            .evaluate(
                """(line, word) => {
                const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
                while (texts.nextNode()) {
                    const at = texts.currentNode.data.indexOf(word);
                    if (at < 0) continue;
                    const range = document.createRange();
                    range.setStart(texts.currentNode, at);
                    range.setEnd(texts.currentNode, at + 1);
                    const box = range.getBoundingClientRect();
                    return [box.x + box.width / 3, box.y + box.height / 2];
                }
            }""",
                word,
            )
        )
        page.evaluate(
            "() => { document.getElementById('audio').onseeking = (one) => { window.sought = one.target.currentTime } }"
        )
        page.mouse.click(*box)
        page.wait_for_timeout(500)
        assert page.evaluate("window.sought") == pytest.approx(second, abs=0.2)


def test_unsure_words_and_uncertain_roles_are_seen_without_colour(
    browser: Browser, address: str, doubtful: int
) -> None:
    page = open_page(browser, 1280)
    sign_in(page, address)
    page.goto(f"{address}/officer/contacts/{doubtful}")
    word = page.locator(".turn .unsure").first
    expect(word).to_contain_text("法警")
    expect(word).to_contain_text("（不确定）")
    style = word.evaluate("one => [getComputedStyle(one).borderBottomStyle, getComputedStyle(one).borderBottomWidth]")
    assert style == ["dotted", "2px"]
    hidden = word.locator(".hidden").bounding_box()
    assert hidden is None or hidden["width"] <= 1
    expect(page.locator("p.legend")).to_contain_text("带点线的字词识别把握低于 50 %")
    expect(page.locator(".notice.roles")).to_contain_text("0.55")
    expect(page.locator(".turn").nth(1)).to_contain_text("（不确定）")
    expect(page.locator("article.finding")).to_contain_text("说话人不确定")
    page.get_by_text("更正说话人").click()
    page.locator("#speakers-reason").fill("听过录音")
    page.get_by_role("button", name="双方无误").click()
    expect(page.locator(".notice.roles")).to_have_count(0)
    expect(page.locator(".turn").nth(1)).not_to_contain_text("催收员 （不确定）")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_officer_hands_files_in_and_sees_them_waiting(
    app: Flask, browser: Browser, address: str, *, javascript: bool
) -> None:
    page = open_page(browser, 1280, javascript=javascript)
    page.goto(f"{address}/officer/intake")
    page.get_by_label("电子邮箱").fill("lin@example.org")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/officer/intake")
    page.get_by_label("交付文件").set_input_files([SAMPLES / "calls" / "zh-05.wav", SAMPLES / "calls" / "zh-05.json"])
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_text("已交付 2 个文件")).to_be_visible()
    settings = app.extensions["audit_settings"]
    uploads = Staging(settings.uploads_dir, settings.upload_max_bytes)
    (ready,) = settings.uploads_dir.glob("*/ready.json")
    staged = {file.name: file.path.read_bytes() for file in uploads.staged(ready.parent.name)[1]}
    assert staged["zh-05.wav"] == (SAMPLES / "calls" / "zh-05.wav").read_bytes()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_borrower_complains_on_a_phone_and_follows_the_case(
    browser: Browser, address: str, *, javascript: bool
) -> None:
    page = open_page(browser, 390, javascript=javascript)
    page.goto(address)
    page.get_by_role("link", name=re.compile("投诉催收行为")).click()
    page.get_by_label("您的姓名").fill("王小明")
    page.get_by_label("接到催收的电话号码").fill("13900001234")
    page.get_by_label("什么时候发生的").fill("3月3号中午")
    page.get_by_label("发生了什么？").fill("有人冒充法院打电话来，说法警要到我家抓人。")
    page.get_by_label("道歉").check()
    page.get_by_role("button", name="提交投诉").click()
    code = page.locator("#receipt-code").inner_text()
    page.get_by_role("main").get_by_role("link", name="查询我的投诉").click()
    page.get_by_label("回执码").fill(code)
    page.get_by_label("手机号后四位").fill("1234")
    page.get_by_role("button", name="查看进度").click()
    expect(page.locator("h1")).to_contain_text("C-20")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") if javascript else True
