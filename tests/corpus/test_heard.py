"""What is found in a transcript counts for the turn in which it was said."""

from __future__ import annotations

import sys
from pathlib import Path

from audit_service.detection import Conversation, Turn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from accuracy_heard import SpokenCall, errors, interval, judged, total

import corpus

THREAT, INSULT = "threat_violence", "abuse_insult"
ITEM = corpus.Item(
    id="zh-x-calls:1",
    language="zh",
    author="zh-x",
    split="tune",
    recipient="borrower",
    is_obfuscated=False,
    is_near_miss=False,
    turns=(("agent", "你好。"), ("borrower", "哪位？"), ("agent", "小心你的腿。")),
    labels=(corpus.Label(THREAT, 2, 0, 5),),
)
CALL = SpokenCall(
    item=ITEM,
    seconds=((0.0, 4.0), (4.0, 5.0), (5.0, 6.0)),
    heard=Conversation(
        "zh-x-calls:1",
        (
            Turn("agent", "你好小心你的退", 0.0, 6.0),
            Turn("borrower", "哪位", 4.1, 4.9),
            Turn("borrower", "谢谢观看", 9.0, 9.5),
        ),
    ),
)


def test_a_category_counts_for_the_turn_with_its_label() -> None:
    assert CALL.turn_of(CALL.heard.turns[0], THREAT) == 2


def test_a_category_without_label_counts_for_the_turn_that_it_overlaps_most() -> None:
    assert CALL.turn_of(CALL.heard.turns[0], INSULT) == 0


def test_the_other_side_never_counts_and_silence_has_no_turn() -> None:
    assert CALL.turn_of(CALL.heard.turns[1], THREAT) == 1
    assert CALL.turn_of(CALL.heard.turns[2], THREAT) is None


def test_tallies_by_call_and_by_turn() -> None:
    found = {(0, THREAT), (2, THREAT), (1, INSULT)}
    by_call, by_turn = judged(CALL, lambda _: found, is_heard=True)
    assert by_call.rates() == (1 / 2, 1.0, 2 / 3)
    assert by_turn.rates() == (1 / 3, 1.0, 1 / 2)
    assert (by_turn.extra[THREAT], by_turn.extra[INSULT]) == (1, 1)


def test_tallies_add_up_and_an_interval_holds_their_rate() -> None:
    tallies = [judged(CALL, lambda _, found=found: found, is_heard=True)[0] for found in ({(0, THREAT)}, set())]
    assert total(tallies).rates() == (1.0, 1 / 2, 2 / 3)
    assert interval(tallies) == (0.0, 1.0)


def test_errors_are_counted_side_by_side() -> None:
    assert errors([CALL], "zh") == (5, 9)
