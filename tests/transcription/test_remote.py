"""A recogniser at an address: what is sent, what is read back, and what happens when it does not answer."""

from __future__ import annotations

import io
import json
import threading
import wave
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from audit_service.errors import SettingsError
from audit_service.outbound import Address
from audit_service.transcription.engines.remote import RemoteEngine
from audit_service.transcription.errors import EngineUnreachableError

SAMPLES = np.sin(np.arange(16_000, dtype=np.float32) / 20).astype(np.float32)
HEARD = {
    "language": "chinese",
    "words": [
        {"word": "您好", "start": 0.1, "end": 0.5},
        {"word": "还款", "start": 2.0, "end": 2.4, "probability": 0.5},
    ],
}


class Server(ThreadingHTTPServer):
    """Stands for a server with a larger model, which cannot run here; answers what the test tells it to."""

    answer: object = HEARD
    status = 200
    parts: dict[str, bytes]


class Hearing(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = BytesParser().parsebytes(f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + body)
        self.server.parts = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in form.get_payload()
            if isinstance(part, Message)
        }
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.answer).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Hearing)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def engine_at(url: str) -> RemoteEngine:
    return RemoteEngine(Address(url, "secret", "AUDIT_SPEECH_URL"), "large")


def engine(server: Server) -> RemoteEngine:
    return engine_at(f"http://127.0.0.1:{server.server_port}/v1")


def test_the_channel_is_sent_as_it_is_and_the_words_come_back_with_their_times(server: Server) -> None:
    first, second = engine(server).listen(SAMPLES, "zh")
    assert (first.text, first.start_s, second.text, second.confidence) == ("您好", 0.1, "还款", 0.5)
    assert (server.parts["language"], server.parts["model"]) == (b"zh", b"large")
    with wave.open(io.BytesIO(server.parts["file"])) as sent:
        assert (sent.getframerate(), sent.getnchannels(), sent.getnframes()) == (16_000, 1, len(SAMPLES))


def test_the_language_is_what_the_server_hears(server: Server) -> None:
    assert engine(server).find_language(SAMPLES) == "zh"
    server.answer = HEARD | {"language": "english"}
    assert engine(server).find_language(SAMPLES) == "en"


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, HEARD), (200, ["no object"]), (200, {"text": "您好"}), (200, {"words": [{"word": "x"}]})],
)
def test_no_usable_answer_is_tried_again_and_is_no_refusal_of_the_recording(
    server: Server, status: int, answer: object
) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(EngineUnreachableError):
        engine(server).listen(SAMPLES, "zh")


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineUnreachableError, match=r"127\.0\.0\.1:9"):
        engine_at("http://127.0.0.1:9/v1").listen(SAMPLES, "zh")


def test_an_address_that_is_not_of_the_web_is_refused() -> None:
    with pytest.raises(SettingsError, match="AUDIT_SPEECH_URL"):
        engine_at("file:///etc/passwd")
