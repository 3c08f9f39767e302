"""Triage of narratives: categories with their words, requests, urgency, entities."""

from __future__ import annotations

import pytest

from audit_service.complaints.triage import triage


@pytest.mark.parametrize(
    ("narrative", "category"),
    [
        ("有个男的自称是朝阳法院的法官，让我马上还钱。", "impersonation_authority"),
        ("对方说要让法警来我家抓我。", "threat_unlawful_action"),
        ("那个人骂我不要脸，说得很难听。", "abuse_insult"),
        ("他们打电话给我单位领导，还找我爸妈。", "third_party_harassment"),
        ("他把我欠款的事告诉了我的同事说我欠钱不还。", "third_party_disclosure"),
        ("威胁说要把我的照片发到朋友圈曝光我。", "public_shaming"),
        ("一天给我打三十多个电话。", "excessive_frequency"),
        ("半夜十一点还打过来。", "outside_hours"),
        ("要我把钱转到一个私人账户。", "improper_payment_channel"),
        ("逼我去借网贷还他们。", "induce_borrowing"),
        ("问他哪个公司的，就是不肯说单位。", "refuse_verification"),
        ("多收了我两千块催收费。", "unauthorized_fee"),
        ("The caller said he was a police officer.", "impersonation_authority"),
        ("He threatened to have me arrested.", "threat_unlawful_action"),
        ("She called me a pathetic deadbeat.", "abuse_insult"),
        ("They keep calling my boss at work.", "third_party_harassment"),
        ("They told my neighbour that I owe money.", "third_party_disclosure"),
        ("They demanded payment with gift cards.", "improper_payment_channel"),
        ("He would not tell me which company he works for.", "refuse_verification"),
        ("They rang at 11 p.m. on a weekday.", "outside_hours"),
    ],
)
def test_an_allegation_is_found_at_its_words(narrative: str, category: str) -> None:
    found = {alleged.category: alleged for alleged in triage(narrative).categories}
    assert category in found
    assert narrative[found[category].start : found[category].end] == found[category].quote


@pytest.mark.parametrize(
    "narrative", ["他没有骂我，态度挺好。", "She never called me names; she was not abusive.", "我想查一下我的账单。"]
)
def test_what_is_denied_or_not_said_is_not_alleged(narrative: str) -> None:
    assert "abuse_insult" not in {alleged.category for alleged in triage(narrative).categories}


def test_requests_are_read_from_the_words() -> None:
    assert set(triage("请你们道歉，以后不要再联系我家人，并更正征信记录。").requests) == {
        "apology",
        "stop_contact",
        "correct_credit_record",
    }
    assert set(triage("I want an apology and proof of the debt, and stop calling me.").requests) == {
        "apology",
        "verify_debt",
        "stop_contact",
    }


@pytest.mark.parametrize(
    ("narrative", "urgency"),
    [("压力太大，我真的不想活了。", "urgent"), ("I want to die.", "urgent"), ("请尽快处理。", "normal")],
)
def test_a_life_at_stake_is_urgent(narrative: str, urgency: str) -> None:
    assert triage(narrative).urgency == urgency


def test_entities_are_read_as_written() -> None:
    found = triage("3月3号下午两点，自称恒达资产管理的人用 139 0000 1234 打来，工号8860。").entities
    assert found.dates == ("3月3号",)
    assert found.times == ("下午两点",)
    assert found.phones == ("139 0000 1234",)
    assert found.agencies == ("恒达资产管理",)
    assert found.staff_numbers == ("8860",)
