"""Event rules on whole contact logs: windows over agencies and channels, holidays, the law's clock, missing facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.detection import (
    Attempt,
    CeaseRequest,
    Complaint,
    Consent,
    Engine,
    RulePackError,
    ScanResult,
    lint,
    load_packs,
)
from audit_service.detection.taxonomy import CATEGORIES
from audit_service.settings import ROOT
from tests.factories.attempts import call

RULES = ROOT / "rules"
PACKS = load_packs([RULES / code for code in ("cn", "us", "uk", "in")])
ENGINE = Engine(PACKS)
MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai


def made(count: int, at: datetime, /, **values: object) -> Attempt:
    return replace(call("2026-03-02T09:00:00+08:00"), **{"id": str(count), "started_at": at, **values})


def hourly(count: int, change: Callable[[int], dict[str, object]] = lambda _: {}, **values: object) -> list[Attempt]:
    """Calls an hour apart; ``change`` says what is special about the n-th."""
    return [made(n, MONDAY + timedelta(hours=n), **values, **change(n)) for n in range(count)]


def flagged(result: ScanResult, rule: str) -> list[str]:
    return sorted((found.subject for found in result.findings if found.rule_id == rule), key=int)


def unsure(result: ScanResult, rule: str) -> dict[str, str]:
    return {item.subject: item.missing for item in result.undetermined if item.rule_id == rule}


UNANSWERED = {"is_answered": False, "talk_s": None}


def test_two_agencies_of_one_lender_are_counted_together_and_those_of_two_lenders_are_not() -> None:
    rule = "cn.excessive_frequency.unanswered"
    one = hourly(8, lambda n: {"agency_id": "ab"[n % 2]}, **UNANSWERED)
    two = [replace(attempt, institution_id="ij"[n % 2]) for n, attempt in enumerate(one)]
    found = [f for f in ENGINE.scan_log(one).findings if f.rule_id == rule]
    assert [f.subject for f in found] == ["6", "7"]
    assert found[0].related == tuple("0123456")
    assert [line["agency"] for line in found[0].explanation["counted"]] == list("abababa")
    assert flagged(ENGINE.scan_log(two), rule) == []


def test_calls_messages_and_relatives_are_one_pressure_in_a_sliding_window() -> None:
    rule = "cn.excessive_frequency.pressure"
    kinds: list[dict[str, object]] = [
        {"channel": "call", "agency_id": "a"},
        {"channel": "sms", "agency_id": "b", "is_answered": None, "talk_s": None},
        {
            "channel": "call",
            "agency_id": "c",
            "contact_person_id": "k",
            "is_related": False,
            "recipient": "third_party",
        },
    ]
    log = [made(n, MONDAY + timedelta(hours=8 * n), **kinds[n % 3]) for n in range(22)]
    found = [f for f in ENGINE.scan_log(log).findings if f.rule_id == rule]
    assert [f.subject for f in found] == ["20", "21"]
    assert [len(f.related) for f in found] == [21, 21]  # the first one has left the window when the last one is made
    assert {line["channel"] for line in found[0].explanation["counted"]} == {"call", "sms"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from([True, False, None]), st.sampled_from("12")),
        max_size=60,
        unique_by=lambda drawn: drawn[0],
    )
)
def test_a_rolling_window_counts_as_a_plain_search_does(drawn: list[tuple[int, bool | None, str]]) -> None:
    log = [
        made(n, MONDAY + timedelta(minutes=minute), is_answered=answer, number=number)
        for n, (minute, answer, number) in enumerate(sorted(drawn, key=lambda item: item[0]))
    ]
    result = ENGINE.scan_log(log)
    rule = ENGINE.rule("cn.excessive_frequency.redials")
    too_many, open_ = set(), set()
    for n, last in enumerate(log):
        near = [
            other
            for other in log[: n + 1]
            if other.number == last.number and last.started_at - other.started_at < timedelta(minutes=30)
        ]
        failed = sum(other.is_answered is False for other in near)
        unknown = sum(other.is_answered is None for other in near)
        if last.is_answered is False and failed > rule.detection.limits["max"]:
            too_many.add(last.id)
        elif last.is_answered is not True and unknown and failed + unknown > rule.detection.limits["max"]:
            open_.add(last.id)
    assert set(flagged(result, rule.id)) == too_many
    assert set(unsure(result, rule.id)) == open_


def test_a_cease_request_is_held_against_every_agency_and_channel_with_the_call_in_which_it_was_said() -> None:
    person: dict[str, object] = {"contact_person_id": "k", "is_related": False, "recipient": "third_party"}
    log = [
        made(1, MONDAY, agency_id="a", **person),
        made(2, MONDAY + timedelta(days=1), agency_id="b", **person),
        made(3, MONDAY + timedelta(days=2), agency_id="c", channel="sms", **person),
        made(4, MONDAY + timedelta(days=3), agency_id="c"),
    ]
    request = CeaseRequest("b", "k", MONDAY + timedelta(minutes=1), "all", attempt_id="1")
    found = [f for f in ENGINE.scan_log(log, [request]).findings if f.rule_id == "cn.contact_after_cease.person"]
    assert [(f.subject, f.related) for f in found] == [("2", ("1", "2")), ("3", ("1", "3"))]


def test_whether_an_unnamed_person_had_refused_cannot_be_determined() -> None:
    request = CeaseRequest("b", "k", MONDAY - timedelta(days=1), "all")
    unnamed = made(1, MONDAY, recipient="third_party")
    result = ENGINE.scan_log([unnamed], [request])
    assert flagged(result, "cn.contact_after_cease.person") == []
    assert unsure(result, "cn.contact_after_cease.person") == {"1": "contact_person"}


@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        ("timezone", "cn.outside_hours.night"),
        ("timezone", "cn.excessive_frequency.messages"),
        ("is_answered", "cn.excessive_frequency.unanswered"),
        ("recipient", "cn.wrong_party_contact.unrelated"),
        ("number", "cn.excessive_frequency.number"),
        ("is_related", "cn.wrong_party_contact.unrelated"),
    ],
)
def test_a_missing_fact_is_neither_lawful_nor_a_violation(missing: str, rule: str) -> None:
    """Ten contacts late at night that would break the rule if the log said all it should."""
    gone: dict[str, object] = {missing: "" if missing == "number" else None}
    if missing == "is_related":
        gone |= {"contact_person_id": "k", "recipient": "third_party"}
    channel = "sms" if rule.endswith("messages") else "call"
    log = [
        made(n, MONDAY + timedelta(hours=14, minutes=2 * n), **{"is_answered": False, "channel": channel, **gone})
        for n in range(10)
    ]
    result = ENGINE.scan_log(log)
    assert flagged(result, rule) == []
    assert missing in unsure(result, rule).values()


def draft_in_force(rule_id: str) -> Engine:
    """An engine with one of the drafts switched on, as a lender's own pack would."""
    return Engine(
        [
            replace(
                pack,
                rules=tuple(replace(rule, status="active") if rule.id == rule_id else rule for rule in pack.rules),
            )
            for pack in PACKS
        ]
    )


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("2026-02-17T10:00:00+08:00", "flagged"),  # Spring Festival
        ("2026-02-14T10:00:00+08:00", "passed"),  # a Saturday on which people work
        ("2027-02-06T10:00:00+08:00", "calendar of 2027"),
    ],
)
def test_a_holiday_is_known_only_where_the_calendar_covers_its_year(at: str, outcome: str) -> None:
    rule = "cn.outside_hours.holiday"
    assert flagged(ENGINE.scan_log([call(at)]), rule) == []  # a draft: no law forbids it
    result = draft_in_force(rule).scan_log([call(at)])
    assert flagged(result, rule) == (["1"] if outcome == "flagged" else [])
    assert unsure(result, rule) == ({"1": outcome} if outcome.startswith("calendar") else {})


def test_other_hours_on_holidays_stand_instead_of_the_ordinary_ones_and_doubt_only_matters_where_they_differ() -> None:
    packs = [pack for pack in PACKS if pack.id == "cn"]
    rule = ENGINE.rule("cn.outside_hours.night")
    limits = {**rule.detection.limits, "holidays": {"calendar": "cn.public_holidays", "from": "18:00", "to": "10:00"}}
    special = replace(rule, detection=replace(rule.detection, limits=limits))
    engine = Engine([replace(packs[0], rules=(special,))])
    at = {
        "2026-02-17T19:00:00+08:00": ["1"],
        "2026-02-17T12:00:00+08:00": [],
        "2026-03-03T19:00:00+08:00": [],
        "2026-03-03T22:30:00+08:00": ["1"],
        "2027-02-06T23:00:00+08:00": ["1"],
        "2027-02-06T12:00:00+08:00": [],
    }
    assert {when: flagged(engine.scan_log([call(when)]), rule.id) for when in at} == at
    assert unsure(engine.scan_log([call("2027-02-06T19:00:00+08:00")]), rule.id) == {"1": "calendar of 2027"}
    assert unsure(engine.scan_log([call("2027-02-06T23:00:00+08:00")]), rule.id) == {}


def test_a_rule_that_names_a_calendar_of_no_pack_is_refused() -> None:
    pack = next(pack for pack in PACKS if pack.id == "cn")
    with pytest.raises(RulePackError, match=r"cn\.public_holidays"):
        Engine([replace(pack, calendars={})])


def test_a_calendar_with_a_day_outside_its_year_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cn"
    folder.mkdir()
    for name in ("pack.yaml", "instruments.yaml", "calendars.yaml"):
        (folder / name).write_text((RULES / "cn" / name).read_text(encoding="utf-8"), encoding="utf-8")
    pack = folder / "pack.yaml"
    pack.write_text(pack.read_text(encoding="utf-8").replace("reader: ../reader\n", ""), encoding="utf-8")
    assert lint(folder) == []
    calendar = folder / "calendars.yaml"
    calendar.write_text(calendar.read_text(encoding="utf-8").replace("2026-02-23", "2027-02-23"), encoding="utf-8")
    assert ["2026" in problem.message for problem in lint(folder)] == [True]


@pytest.mark.parametrize(
    ("hours_after", "requests", "rules"),
    [
        (-1, (), []),
        (1, (), ["cn.contact_after_cease.after_complaint"]),
        (24 * 9, (), []),
    ],
)
def test_a_contact_is_held_against_a_complaint_only_while_it_waits(
    hours_after: int, requests: tuple[str, ...], rules: list[str]
) -> None:
    complaint = Complaint("b", MONDAY, MONDAY + timedelta(days=8), requests)
    attempt = made(1, MONDAY + timedelta(hours=hours_after))
    found = ENGINE.scan_log([attempt], complaints=[complaint]).findings
    assert [f.rule_id for f in found] == rules
    agreed = Consent("b", "contact_while_complaint", MONDAY - timedelta(days=1), None)
    assert ENGINE.scan_log([attempt], consents=[agreed], complaints=[complaint]).findings == ()


def test_only_a_dispute_of_the_debt_stops_collection_in_the_united_states() -> None:
    at = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    attempt = made(1, at, jurisdiction="us", timezone="America/New_York")
    rule = "us.contact_after_cease.disputed"
    asked = {kind: Complaint("b", at - timedelta(days=1), None, (kind,)) for kind in ("verify_debt", "apology")}
    assert flagged(ENGINE.scan_log([attempt], complaints=[asked["verify_debt"]]), rule) == ["1"]
    assert flagged(ENGINE.scan_log([attempt], complaints=[asked["apology"]]), rule) == []


def test_an_answered_call_without_recording_is_a_notice_and_no_finding() -> None:
    log = [made(1, MONDAY, has_recording=False), made(2, MONDAY + timedelta(hours=1), has_recording=True)]
    result = ENGINE.scan_log(log)
    assert result.findings == ()
    assert unsure(result, "cn.notices.unrecorded") == {"1": "recording"}


def test_a_changed_limit_changes_nothing_before_its_day() -> None:
    """The law's clock: the figure of a later rule is not held against earlier contacts."""
    old = ENGINE.rule("cn.excessive_frequency.unanswered")
    begins = (MONDAY + timedelta(days=1)).date()
    limits = {**old.detection.limits, "max": 2}
    strict = replace(
        old, id="cn.excessive_frequency.strict", in_force_from=begins, detection=replace(old.detection, limits=limits)
    )
    pack = next(pack for pack in PACKS if pack.id == "cn")
    engine = Engine([replace(pack, rules=(strict,))])
    before = hourly(4, **UNANSWERED)
    after = [replace(a, id=str(10 + n), started_at=a.started_at + timedelta(days=1)) for n, a in enumerate(before)]
    assert flagged(engine.scan_log([*before, *after]), strict.id) == ["12", "13"]


def test_contacts_before_the_national_standard_are_judged_by_the_convention_of_2018() -> None:
    def log(year: int) -> list[Attempt]:
        reached = datetime(year, 6, 3, 1, 0, tzinfo=UTC)
        person = {"contact_person_id": "k", "is_related": False, "recipient": "third_party"}
        return [made(1, reached), made(2, reached + timedelta(hours=5), **person)]

    found = {year: {f.rule_id for f in ENGINE.scan_log(log(year)).findings} for year in (2017, 2019, 2025)}
    assert found == {
        2017: set(),
        2019: {"cn.wrong_party_contact.before_2025"},
        2025: {"cn.wrong_party_contact.unrelated"},
    }


@pytest.mark.parametrize(("code", "without"), [("cn", {"contact_represented"}), ("us", set())])
def test_every_category_has_a_rule_in_force(code: str, without: set[str]) -> None:
    """In mainland China no law forbids contact although a lawyer acts: that rule is there as a draft."""
    rules = [rule for pack in PACKS if pack.id == code for rule in pack.rules]
    assert {rule.category for rule in rules if rule.category} == CATEGORIES
    assert CATEGORIES - {rule.category for rule in rules if rule.status == "active"} == without


@pytest.mark.parametrize("code", ["uk", "in"])
def test_the_partial_packs_cover_what_they_promise(code: str) -> None:
    promised = {
        "outside_hours", "excessive_frequency", "threat_violence", "threat_unlawful_action", "impersonation_authority",
        "third_party_harassment", "third_party_disclosure",
    }  # fmt: skip
    assert promised <= {rule.category for pack in PACKS if pack.id == code for rule in pack.rules}


def test_what_a_finding_explains_can_be_stored() -> None:
    result = ENGINE.scan_log(hourly(12, **UNANSWERED))
    assert json.loads(json.dumps([f.explanation for f in result.findings])) == [f.explanation for f in result.findings]
