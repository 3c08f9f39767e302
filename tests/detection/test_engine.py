"""The engine and the shipped packs: exact places, determinism, the law's dates, evasion, mishearing, lawful speech."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.detection import (
    Conversation,
    Engine,
    RulePackError,
    Turn,
    UnknownRuleError,
    lint,
    load_packs,
)
from audit_service.detection import (
    test_examples as failing_examples,
)
from audit_service.settings import ROOT
from tests.conftest import SAMPLES
from tests.factories.attempts import call

PACKS = tuple(ROOT / "rules" / code for code in ("cn", "us", "uk", "in"))
ENGINE = Engine(load_packs(PACKS))
THREAT = "今天不还，法警马上到你家抓人"


def said(text: str, **values) -> Conversation:
    fields = {"speaker": "agent", "source": "typed", "jurisdictions": ("cn",), "recipient": "borrower"} | values
    return Conversation("1", (Turn(fields.pop("speaker"), text),), **fields)


def categories(conversation: Conversation) -> set[str]:
    return {finding.category for finding in ENGINE.scan(conversation).findings}


def test_all_examples_of_all_rules_hold() -> None:
    assert failing_examples(ENGINE) == []


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_the_packs_are_in_form(folder: Path) -> None:
    assert lint(folder) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["", " ", "*", "·", "，", "~", "😀", "."]), min_size=len(THREAT), max_size=len(THREAT)))
def test_places_are_exact_whatever_is_put_between_the_characters(noise: list[str]) -> None:
    text = "".join(character + between for character, between in zip(THREAT, noise, strict=True))
    for finding in ENGINE.scan(said(text)).findings:
        assert text[finding.start : finding.end] == finding.quote


@pytest.mark.parametrize(
    "text",
    [
        "今天不还，法警馬上到你家抓人",
        "今天不还，法 警 马 上 到 你 家 抓 人",
        "今天不还，法*警马上到你家抓·人",
        "今天不還，法警马上到你家抓人！！！",
    ],
)
def test_evasion_in_typed_text_is_seen_through(text: str) -> None:
    assert "threat_unlawful_action" in categories(said(text))


def test_a_misheard_word_is_found_by_its_sound_only_in_recognised_speech() -> None:
    misheard = "今天下午五点之前不把钱还上发警马上到你家里抓人"
    assert "threat_unlawful_action" in categories(said(misheard, source="asr"))
    heard = ENGINE.scan(said("赶紧把钱转到我这个死人账户上", source="asr")).findings
    assert "syllable" in {finding.plane for finding in heard}
    typed = ENGINE.scan(said("赶紧把钱转到我这个死人账户上")).findings
    assert "syllable" not in {finding.plane for finding in typed}


def test_the_same_input_gives_the_same_findings() -> None:
    first = ENGINE.scan(said(THREAT))
    assert all(ENGINE.scan(said(THREAT)) == first for _ in range(3))
    assert Engine(load_packs(PACKS)).scan(said(THREAT)) == first
    assert [pack.digest for pack in load_packs(PACKS)] == [pack.digest for pack in ENGINE.packs]


@pytest.mark.parametrize("speaker", ["borrower", "third_party"])
def test_what_the_other_side_says_is_no_violation(speaker: str) -> None:
    found = ENGINE.scan(said("你们说法警马上到我家抓人，你这个骗子", speaker=speaker)).findings
    assert all(finding.kind == "signal" for finding in found)


def test_a_contact_is_judged_by_the_rules_in_force_on_its_day() -> None:
    before, after = call("2025-02-20T23:00:00+08:00"), call("2025-03-01T23:00:00+08:00")
    assert [f.rule_id for f in ENGINE.scan_log([before]).findings] == []
    assert [f.rule_id for f in ENGINE.scan_log([after]).findings] == ["cn.outside_hours.night"]


def test_hours_are_those_of_the_person_called() -> None:
    at = "2026-03-03T21:30:00-05:00"  # 21:30 in New York, 20:30 in Chicago
    east = call(at, "America/New_York", jurisdiction="us")
    west = call(at, "America/Chicago", jurisdiction="us")
    assert [f.category for f in ENGINE.scan_log([east]).findings] == ["outside_hours"]
    assert ENGINE.scan_log([west]).findings == ()


def test_a_missing_zone_is_undetermined() -> None:
    result = ENGINE.scan_log([call("2026-03-03T23:00:00+08:00", None)])
    assert "outside_hours" not in {finding.category for finding in result.findings}
    assert any(item.missing == "timezone" for item in result.undetermined)


def sample(call_id: str) -> Conversation:
    truth = json.loads((SAMPLES / "truth" / f"{call_id}.json").read_text(encoding="utf-8"))
    turns = tuple(Turn(turn["speaker"], turn["text"], turn["start"], turn["end"]) for turn in truth["turns"])
    jurisdiction = "cn" if truth["language"] == "zh" else "us"
    return Conversation(
        call_id, turns, source="transcript", channel="call", recipient=truth["callee"], jurisdictions=(jurisdiction,)
    )


@pytest.mark.parametrize("call_id", ["zh-01", "zh-05", "zh-08", "en-01"])
def test_lawful_calls_hold_no_violation(call_id: str) -> None:
    found = ENGINE.scan(sample(call_id)).findings
    assert [finding.rule_id for finding in found if finding.kind == "violation"] == []


@pytest.mark.parametrize(
    "text",
    [
        "如果协商不成，银行可能会依法向人民法院提起民事诉讼，以判决为准。",
        "逾期信息会如实报送征信系统，结清以后会更新状态。",
        "请您警惕冒充法院、公安的诈骗电话，不要向个人账户转账。",
        "我们不会联系您的家人和单位，请您放心。",
        "您反映之前的坐席骂您，我已经登记投诉。",
        "【银行】周女士您好，您本期账单已出，请按时还款。",
        "凡要求您把钱转到个人账户的都是诈骗，还款请用官方渠道。",
    ],
)
def test_lawful_sentences_are_not_flagged(text: str) -> None:
    found = ENGINE.scan(said(text)).findings
    assert [finding.rule_id for finding in found if finding.kind == "violation"] == []


def test_a_broken_pack_is_refused_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "cn"
    folder.mkdir()
    (folder / "pack.yaml").write_text("id: cn\nversion: [\n", encoding="utf-8")
    with pytest.raises(RulePackError, match=r"\.yaml:\d+"):
        load_packs([folder])


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(UnknownRuleError, match=r"cn\.nothing"):
        ENGINE.rule("cn.nothing")


def test_an_english_contact_without_jurisdiction_is_judged_by_one_pack_only() -> None:
    conversation = Conversation("c", (Turn("agent", "Pay by five or you will be arrested."),))
    found = ENGINE.scan(conversation).findings
    assert {finding.rule_id.split(".", 1)[0] for finding in found} == {"us"}


@pytest.mark.parametrize(("code", "zone", "late"), [("uk", "Europe/London", "21:30"), ("in", "Asia/Kolkata", "19:30")])
def test_hours_are_those_of_the_jurisdiction(code: str, zone: str, late: str) -> None:
    at = datetime.fromisoformat(f"2026-03-03T{late}:00").replace(tzinfo=ZoneInfo(zone)).isoformat()
    found = ENGINE.scan_log([call(at, zone, jurisdiction=code)]).findings
    assert [finding.rule_id for finding in found] == [f"{code}.outside_hours.local"]
