"""What a finding of an event rule says in words, in both languages."""

from __future__ import annotations

import pytest
from flask import Flask

from audit_service.i18n import speaking
from audit_service.reports.event_wording import MISSING, missing_fact
from audit_service.reports.wording import finding_details

COUNTED = [
    {"id": "7", "at": "2026-03-03T09:00+08:00", "channel": "call", "agency": "1"},
    {"id": "8", "at": "2026-03-03T10:30+08:00", "channel": "sms", "agency": "2"},
]


@pytest.mark.parametrize(
    ("explanation", "english", "chinese"),
    [
        (
            {"counted": COUNTED, "count": 2, "max": 1, "minutes": 30},
            "Counted 2, at most 1 in any 30 minutes: 2026-03-03 09:00 #7 · 2026-03-03 10:30 #8.",
            "计2次，任意30分钟内至多1次：2026-03-03 09:00 #7 · 2026-03-03 10:30 #8。",
        ),
        (
            {"counted": COUNTED[:1], "count": 1, "max": 0, "days": 7},
            "Counted 1, at most 0 in 7 calendar days: 2026-03-03 09:00 #7.",
            "计1次，7个自然日内至多0次：2026-03-03 09:00 #7。",
        ),
        (
            {"asked_at": "2026-03-02T11:00+08:00", "scope": "hours 19:00-09:00", "asked_channel": "sms"},
            "Asked on 2026-03-02 11:00 not to be contacted so (between 19:00-09:00, by SMS).",
            "曾于2026-03-02 11:00要求不要如此联系（19:00-09:00之间，短信渠道）。",
        ),
        (
            {"complained_at": "2026-03-02T11:00+08:00"},
            "A complaint filed on 2026-03-02 11:00 was waiting for its answer.",
            "2026-03-02 11:00提交的投诉尚未答复。",
        ),
    ],
)
def test_the_facts_of_an_event_are_said(app: Flask, explanation: dict, english: str, chinese: str) -> None:
    with app.test_request_context():
        with speaking("en"):
            assert finding_details(explanation) == [english]
        with speaking("zh_CN"):
            assert finding_details(explanation) == [chinese]


def test_every_missing_fact_has_words(app: Flask) -> None:
    with app.test_request_context(), speaking("zh_CN"):
        assert missing_fact("calendar of 2027") == "节假日日历未涵盖2027年"
        assert all(missing_fact(code) != code for code in MISSING)
        assert missing_fact("something new") == "something new"
