"""The optional judge: its opinion counts only where its words stand, and makes or breaks no finding."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.errors import SettingsError
from audit_service.outbound import Address
from audit_service.review.judging import Judge, with_opinions
from audit_service.settings import ROOT

ENGINE = Engine(load_packs([ROOT / "rules" / "cn"]))
HINT = "再拖下去人是要进去的，蹲上几年出来孩子都不认识你。"
CONTACT = Conversation("c", (Turn("agent", "您好"), Turn("agent", HINT)), source="transcript", recipient="borrower")


class Server(ThreadingHTTPServer):
    """Stands for a lender's model server, which cannot exist here: answers what the test tells it to."""

    answer = ""
    asked: dict[str, object]


class Answering(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"choices": [{"message": {"content": self.server.answer}}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Answering)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def judge_at(url: str) -> Judge:
    return Judge(Address(url, "", "AUDIT_JUDGE_URL"), "local")


def opinions(server: Server, answer: str) -> list[dict[str, str]]:
    server.answer = answer
    judge = judge_at(f"http://127.0.0.1:{server.server_port}/v1")
    before = ENGINE.scan(CONTACT)
    after = with_opinions(judge, ENGINE, CONTACT, before)
    assert [f.quote for f in after.findings] == [f.quote for f in before.findings]
    return [f.explanation["judge"] for f in after.findings if f.plane == "model"]


def test_a_verdict_with_a_verbatim_quote_stands_beside_the_finding(server: Server) -> None:
    found = opinions(server, json.dumps({"verdict": "yes", "quote": "人是要进去的"}))
    assert found
    assert all(item == {"model": "local", "verdict": "yes", "quote": "人是要进去的"} for item in found)
    assert HINT in str(server.asked)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json.dumps({"verdict": "yes", "quote": "人要坐牢"}), "do not stand"),
        (json.dumps({"verdict": "yes", "quote": ""}), "do not stand"),
        (json.dumps({"verdict": "guilty", "quote": "人是要进去的"}), "none of yes"),
        ("I think so!", "no usable answer"),
        ("[]", "no usable answer"),
    ],
)
def test_an_answer_that_cannot_be_checked_is_no_verdict(server: Server, answer: str, error: str) -> None:
    assert all(error in item["error"] and "verdict" not in item for item in opinions(server, answer))


def test_a_judge_that_does_not_answer_leaves_the_findings_as_they_are() -> None:
    judge = judge_at("http://127.0.0.1:9/v1")
    before = ENGINE.scan(CONTACT)
    after = with_opinions(judge, ENGINE, CONTACT, before)
    assert [f.quote for f in after.findings] == [f.quote for f in before.findings]


def test_an_address_that_is_not_of_the_web_is_refused() -> None:
    with pytest.raises(SettingsError, match="AUDIT_JUDGE_URL"):
        judge_at("file:///etc/passwd")
