"""Why a rule did not fire: the truth table names what was met, what was not, and what was considered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit_service.detection import Engine, load_packs
from tests.factories.rules import contact, engine, rule

RULES = Path(__file__).resolve().parents[2] / "rules"
DETECT = {
    "go": {"any": ["上门"]},
    "tonight": {"any": ["今晚"]},
    "no": {"any": ["不会"]},
    "condition": "(tonight then go within 4) and not no",
}


def traced(folder: Path, *turns: tuple[str, str], **values):
    exceptions = {"joke": {"any": ["玩笑"], "turns": {"after": 2}}}
    judge = engine(folder, rule("go", DETECT, **({"except": exceptions} | values)))
    return judge.trace("own.harassment.go", contact(*turns))


def test_the_table_says_which_selections_were_met_and_which_not(tmp_path: Path) -> None:
    (passage,) = traced(tmp_path, ("agent", "我们会上门")).passages
    assert {line.text: line.holds for line in passage.lines} == {
        "(tonight then go within 4) and not no": False,
        "tonight then go within 4": False,
        "tonight": False,
        "go": True,
        "no": True,
    }
    assert [line.said[0]["text"] for line in passage.lines if line.text == "go"] == ["上门"]
    assert passage.matches == ()


def test_a_match_shows_the_exception_that_made_it_lawful(tmp_path: Path) -> None:
    trace = traced(tmp_path, ("agent", "今晚上门"), ("borrower", "啊"), ("agent", "开个玩笑"))
    (match,) = trace.passages[0].matches
    assert match.reason == "lawful by the exception joke"
    assert match.exceptions["joke"]["turn"] == 2
    assert trace.findings == ()


def test_a_match_that_stands_shows_what_was_considered(tmp_path: Path) -> None:
    trace = traced(tmp_path, ("agent", "今晚上门"))
    (match,) = trace.passages[0].matches
    assert (match.reason, match.exceptions) == ("stands", {"joke": None})
    assert [finding.quote for finding in trace.findings] == ["今晚上门"]


def test_words_of_the_other_side_are_shown_as_not_heard(tmp_path: Path) -> None:
    trace = traced(tmp_path, ("borrower", "你今晚上门试试"))
    assert trace.passages[0].is_of_note
    assert not trace.passages[0].is_heard
    assert trace.obstacles == ("none of agent speaks",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"recipient": "third_party"}, "third_party"),
        ({"channels": ["sms"]}, "sms"),
        ({"status": "draft"}, "draft"),
        ({"in_force": {"from": "2027-01-01", "to": None}}, "2026-03-01"),
    ],
)
def test_what_keeps_a_rule_from_a_contact_is_named(tmp_path: Path, values: dict, said: str) -> None:
    judge = engine(tmp_path, rule("go", DETECT, **values))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    (obstacle,) = judge.trace("own.harassment.go", contact(("agent", "今晚上门"), at=at)).obstacles
    assert said in obstacle


def test_shipped_rules_of_every_kind_can_be_traced() -> None:
    judge = Engine(load_packs([RULES / "cn"]))
    said = contact(
        ("agent", "请问是王先生吗"),
        ("agent", "你的贷款逾期了，今天不还法警上门抓人"),
        ("borrower", "是我"),
        ("agent", "嗯"),
    )
    for pack in judge.packs:
        for one in pack.rules:
            assert judge.trace(one.id, said).findings == tuple(
                finding for finding in judge.scan(said).findings if finding.rule_id == one.id
            )
    trace = judge.trace("cn.disclosure_before_verification.order", said)
    assert [state["state"] for state in trace.meter] == ["nobody", "explicit_yes"]
