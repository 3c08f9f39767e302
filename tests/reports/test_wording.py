"""What is said to people of a finding beyond the words that were met, in both languages."""

from __future__ import annotations

import pytest
from flask import Flask

from audit_service.custody.models import Action
from audit_service.i18n import speaking
from audit_service.reports.wording import NAMES, finding_details, plane_meaning

SEARCHED = {
    "start_s": 1.2,
    "end_s": 28.9,
    "confidence": 0.914,
    "turns": [{"turn": 0, "text": "您好"}, {"turn": 2, "text": "有件事"}],
}
EXPLANATION = {
    "occurrences": [{"text": "马上"}, {"text": "今天"}],
    "required": {"away": {"text": "不在家"}},
    "searched": SEARCHED,
}


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "en",
            [
                "Counted 2 times: 马上 · 今天.",
                "Said beside it: “不在家”.",
                "Searched from second 1 to second 29.",
                "All that was heard there: “您好 有件事”.",
                "Recognised with a confidence of 0.91 of 1.",
            ],
        ),
        (
            "zh_CN",
            [
                "共计 2 次：马上 · 今天。",
                "附近另有：“不在家”。",
                "查找范围：第 1 秒至第 29 秒。",
                "其间听到的全部内容：“您好 有件事”。",
                "识别置信度为 0.91（最高 1）。",
            ],
        ),
    ],
)
def test_the_evidence_of_a_finding_is_said_in_words(app: Flask, locale: str, said: list[str]) -> None:
    with app.test_request_context(), speaking(locale):
        assert finding_details(EXPLANATION) == said
        assert plane_meaning("similar") != "similar"


def test_what_was_written_by_people_has_no_confidence(app: Flask) -> None:
    with app.test_request_context(), speaking("en"):
        written = SEARCHED | {"start_s": None, "confidence": None}
        assert finding_details({"searched": written}) == ["All that was heard there: “您好 有件事”."]


def test_every_act_of_the_ledger_has_a_name_for_readers() -> None:
    assert {action.value for action in Action} == set(NAMES["act"])
