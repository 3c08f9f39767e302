"""Parts of a call, what an absence shows, and the course of verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit_service.detection import Conversation, Turn
from tests.factories.rules import contact, engine, rule

PAY = {"pay": {"any": ["还钱"]}, "condition": "pay"}
VERIFICATION = [
    {"level": "second_factor", "asked": "asked", "answered": "digits"},
    {"level": "explicit_yes", "answered": "yes"},
]
KNOWN = {
    "asked": {"any": ["后四位"]},
    "digits": {"pattern": "[0-9]{4}"},
    "yes": {"any": ["是我"]},
    "verification": VERIFICATION,
}


def turns_flagged(folder: Path, part: dict[str, Any], said: Conversation, **detect: Any) -> list[int | None]:
    judge = engine(folder, rule("part", {**PAY, **detect, "part": part}))
    return [finding.turn for finding in judge.scan(said).findings]


FIVE = contact(*[("agent", "请您还钱"), ("borrower", "嗯")] * 5)


@pytest.mark.parametrize(
    ("part", "flagged"),
    [
        ({"first": {"turns": 2}}, [0, 2]),
        ({"last": {"turns": 1}}, [8]),
        ({"first": {"turns": 4}, "last": {"turns": 3}}, [4, 6]),
        ({"first": {"seconds": 12}}, [0, 2]),
        ({"last": {"seconds": 22}}, [6, 8]),
        ({"percent": [40, 70]}, [4, 6]),
    ],
)
def test_a_rule_is_held_to_a_part_of_the_call(tmp_path: Path, part: dict[str, Any], flagged: list[int]) -> None:
    assert turns_flagged(tmp_path, part, FIVE) == flagged


def test_without_times_seconds_cannot_be_determined_and_percent_goes_by_characters(tmp_path: Path) -> None:
    said = contact(Turn("agent", "还钱，我再说一遍，还钱"))
    judge = engine(tmp_path / "seconds", rule("part", {**PAY, "part": {"first": {"seconds": 5}}}))
    result = judge.scan(said)
    assert (result.findings, [item.missing for item in result.undetermined]) == ((), ["times"])
    half = engine(tmp_path / "percent", rule("part", {**PAY, "part": {"percent": [0, 50]}}))
    assert [finding.start for finding in half.scan(said).findings] == [0]


CALL = contact(
    ("agent", "你该还钱了"),
    ("borrower", "是我"),
    ("agent", "请报后四位，好还钱"),
    ("borrower", "1234"),
    ("agent", "请您还钱"),
)


@pytest.mark.parametrize(
    ("part", "least", "flagged"),
    [
        ({"before": "verified"}, None, [0]),
        ({"after": "verified"}, None, [2, 4]),
        ({"before": "verified"}, "second_factor", [0, 2]),
        ({"after": "verified"}, "second_factor", [4]),
    ],
)
def test_a_part_lies_before_or_after_verification(
    tmp_path: Path, part: dict[str, Any], least: str | None, flagged: list[int]
) -> None:
    values = {} if least is None else {"least_level": least}
    assert turns_flagged(tmp_path, part, CALL, **KNOWN, **values) == flagged


def test_a_disclosure_under_the_level_asked_for_shows_the_level_reached_and_each_change(tmp_path: Path) -> None:
    made = rule("order", {**PAY, **KNOWN, "least_level": "second_factor"}, kind="order")
    said = contact(*[(turn.speaker, turn.text) for turn in CALL.turns[1:]])
    (found,) = engine(tmp_path, made).scan(said).findings
    assert (found.turn, found.explanation["verification"]) == (1, "explicit_yes")
    assert [(state["turn"], state["start_s"], state["state"]) for state in found.explanation["meter"]] == [
        (0, 0.0, "nobody"),
        (0, 4.0, "explicit_yes"),
        (2, 14.0, "second_factor"),
    ]


def test_a_disclosure_by_somebody_unknown_cannot_be_determined(tmp_path: Path) -> None:
    judge = engine(tmp_path, rule("order", {**PAY, **KNOWN}, kind="order"))
    result = judge.scan(contact(("unknown", "你该还钱了"), ("borrower", "谁啊")))
    assert (result.findings, [item.missing for item in result.undetermined]) == ((), ["speaker"])


GREETING = "您好我想跟您说一件事情"


def opened(folder: Path, *turns: Turn, **detect: Any):
    named = {"name": {"any": ["安信"]}, "condition": "name", "opening": {"turns": 2, "seconds": 30}}
    judge = engine(folder, rule("absence", {**named, **detect}, kind="absence"))
    return judge.scan(contact(*turns))


def test_an_absence_shows_the_searched_window_its_words_and_how_surely_they_were_heard(tmp_path: Path) -> None:
    (found,) = opened(
        tmp_path,
        Turn("agent", GREETING, 1.0, 4.0, 0.9),
        Turn("borrower", "嗯", 4.0, 5.0, 0.9),
        Turn("agent", "好", 5.0, 6.0, 0.8),
    ).findings
    searched = found.explanation["searched"]
    assert (searched["start_s"], searched["end_s"], searched["confidence"]) == (1.0, 6.0, 0.892)
    assert [(turn["turn"], turn["text"], turn["confidence"]) for turn in searched["turns"]] == [
        (0, GREETING, 0.9),
        (2, "好", 0.8),
    ]


@pytest.mark.parametrize(
    ("spoken", "detect", "missing"),
    [
        ([Turn("agent", GREETING, 0.0, 3.0, 0.3), Turn("borrower", "嗯", 3.0, 4.0, 0.9)], {}, ["confidence"]),
        (
            [Turn("agent", GREETING, 0.0, 3.0, 0.8), Turn("borrower", "嗯", 3.0, 4.0, 0.9)],
            {"opening": {"turns": 2, "seconds": 30, "confidence": 0.85}},
            ["confidence"],
        ),
        ([Turn("unknown", "安信的", 0.0, 1.0), Turn("agent", GREETING, 1.0, 3.0)], {}, ["speaker"]),
        ([Turn("agent", "安信" + GREETING, 0.0, 3.0, 0.3), Turn("borrower", "嗯", 3.0, 4.0)], {}, []),
    ],
)
def test_an_absence_cannot_be_told_from_what_was_hardly_heard(
    tmp_path: Path, spoken: list[Turn], detect: dict[str, Any], missing: list[str]
) -> None:
    result = opened(tmp_path, *spoken, **detect)
    assert result.findings == ()
    assert [item.missing for item in result.undetermined] == missing


def test_an_absence_can_be_of_any_part(tmp_path: Path) -> None:
    bye = {"bye": {"any": ["再见"]}, "condition": "bye", "part": {"last": {"turns": 1}}}
    judge = engine(tmp_path, rule("bye", bye, kind="absence"))
    good = [("agent", GREETING), ("borrower", "嗯"), ("agent", "好的那就这样再见了")]
    assert judge.scan(contact(*good)).findings == ()
    (found,) = judge.scan(contact(("agent", "再见"), ("borrower", "嗯"), ("agent", GREETING))).findings
    assert found.turn == 2


DEMAND = "你今天必须把钱还上"


@pytest.mark.parametrize(("likeness", "is_found"), [(0.6, True), (0.95, False)])
def test_repetition_goes_by_likeness_and_spares_what_its_exceptions_match(
    tmp_path: Path, likeness: float, *, is_found: bool
) -> None:
    limits = {"times": 2, "turns": 3, "likeness": likeness}
    made = rule(
        "again", {"limits": limits}, kind="repetition", **{"except": {"sum": {"pattern": "[0-9]+", "in": "turn"}}}
    )
    judge = engine(tmp_path, made)
    said = contact(("agent", DEMAND), ("borrower", "没有"), ("agent", "你今天必须把款项还上"))
    assert bool(judge.scan(said).findings) == is_found
    spared = contact(("agent", DEMAND + "500"), ("borrower", "没有"), ("agent", DEMAND + "500"))
    assert judge.scan(spared).findings == ()
