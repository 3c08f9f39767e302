"""What a call shows as a whole: repetition, claimed identity, verification, and requests that cover only a part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit_service.detection import Attempt, CeaseRequest, Conversation, Engine, Turn, load_packs
from audit_service.detection.cease_terms import CeaseTerms, terms_of

RULES = Path(__file__).resolve().parents[2] / "rules"
ENGINE = Engine(load_packs([RULES / "cn", RULES / "us"]))
MONDAY_NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # noon in Shanghai


def call(*turns: tuple[str, str], agencies: tuple[str, ...] = (), language: str = "zh") -> Conversation:
    spoken = tuple(
        Turn(speaker, text, start_s=5.0 * number, end_s=5.0 * number + 4)
        for number, (speaker, text) in enumerate(turns)
    )
    return Conversation(
        "c",
        spoken,
        source="transcript",
        channel="call",
        recipient="borrower",
        language=language,
        known_agencies=agencies,
    )


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        ("上班时间不要打我电话", CeaseTerms("work")),
        ("晚上七点以后再打", CeaseTerms("hours 00:00-19:00")),
        ("早上八点前晚上九点后别打", CeaseTerms("hours 21:00-08:00")),
        ("晚上十点半以后不许打", CeaseTerms("hours 22:30-08:00")),
        ("以后发短信，不要打电话", CeaseTerms("all", "call")),
        ("别给我发短信了", CeaseTerms("all", "sms")),
        ("你别再打了", CeaseTerms()),
        ("Please don't phone before ten", CeaseTerms("hours 00:00-10:00")),
        ("only call after 6 pm", CeaseTerms("hours 00:00-18:00")),
        ("no calls after 9", CeaseTerms("hours 21:00-08:00")),
        ("Do not call my workplace again", CeaseTerms("work")),
        ("stop texting me", CeaseTerms("all", "sms")),
        ("I want all communication in writing from now on", CeaseTerms("all", "call")),
    ],
)
def test_a_request_covers_what_its_words_say(words: str, terms: CeaseTerms) -> None:
    assert terms_of(words) == terms


@pytest.mark.parametrize(
    ("scope", "hours_later", "is_flagged"),
    [
        ("all", 0, True),
        ("hours 21:00-08:00", 0, False),
        ("hours 21:00-08:00", 10, True),
        ("hours 00:00-19:00", 0, True),
        ("hours 00:00-19:00", 8, False),
        ("work", 0, True),
        ("work", 8, False),
        ("work", 5 * 24, False),
    ],
)
def test_later_contacts_are_held_to_the_part_that_was_asked_for(
    scope: str, hours_later: float, *, is_flagged: bool
) -> None:
    at = MONDAY_NOON + timedelta(hours=hours_later)
    attempt = Attempt(
        id="1",
        borrower_id="b",
        contact_person_id="k",
        is_related=False,
        number="100",
        agency_id="a",
        institution_id="i",
        channel="call",
        direction="outbound",
        started_at=at,
        timezone="Asia/Shanghai",
        is_answered=True,
        talk_s=30.0,
        recipient="third_party",
    )
    request = CeaseRequest("b", "k", MONDAY_NOON - timedelta(days=3), scope)
    found = ENGINE.scan_log([attempt], [request]).findings
    assert ("contact_after_cease" in {finding.category for finding in found}) == is_flagged


def test_a_claim_to_call_for_somebody_else_shows_both_names() -> None:
    said = call(("agent", "您好，我是宏远资产公司的小王"), ("borrower", "什么事"), agencies=("恒信咨询",))
    (found,) = [f for f in ENGINE.scan(said).findings if f.plane == "identity"]
    assert (found.quote, found.explanation["registered"]) == ("宏远资产公司", ["恒信咨询"])


def test_a_registered_name_that_was_misheard_is_no_false_claim() -> None:
    said = call(("agent", "您好，我是横信咨询公司的小王"), ("borrower", "什么事"), agencies=("恒信咨询",))
    assert not [f for f in ENGINE.scan(said).findings if f.plane == "identity"]


def test_without_a_registered_name_nothing_can_be_said_about_a_claim() -> None:
    result = ENGINE.scan(call(("agent", "您好，我是宏远资产公司的小王"), ("borrower", "什么事")))
    assert ("cn.false_identity.unregistered", "agency") in {(u.rule_id, u.missing) for u in result.undetermined}


def test_repetition_is_flagged_once_with_all_its_places() -> None:
    demand, answer = ("agent", "你今天必须把这笔钱给我还上"), ("borrower", "我真的没有")
    (found,) = [f for f in ENGINE.scan(call(*[demand, answer] * 4)).findings if f.plane == "repetition"]
    assert [place["turn"] for place in found.explanation["said"]] == [0, 2, 4, 6]


def test_a_disclosure_says_from_which_second_on_who_was_verified() -> None:
    said = call(
        ("agent", "你的贷款已经逾期三个月了"),
        ("borrower", "谁啊"),
        ("agent", "请您报一下身份证后四位"),
        ("borrower", "七七二一"),
    )
    (found,) = [f for f in ENGINE.scan(said).findings if f.plane == "order"]
    assert [(state["turn"], state["state"]) for state in found.explanation["meter"]] == [
        (0, "nobody"),
        (3, "second_factor"),
    ]
