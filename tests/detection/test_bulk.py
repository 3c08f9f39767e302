"""Many messages at once: the same findings as one by one."""

from __future__ import annotations

import itertools
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit_service.detection import Conversation, Engine, Turn, load_packs

ROOT = Path(__file__).resolve().parents[2]
ENGINE = Engine(load_packs([ROOT / "rules"]))
SIGNS = "你打电话还钱法院扌丁氵去payw1th0@$.,，。！'’ -/#*·\n\u3000８４🐶éｐ還"
LETTERS = {"院": "yuan", "钱": "qian", "死": "si", "起": "qi", "打": "da", "诉": "su", "骗": "pian", "抓": "zhua"}
TEXTS = [
    re.sub(r"\{[a-z_]+:([^{}]*)\}", r"\1", line.partition("\t")[2])
    for split in ("train", "tune")
    for file in sorted((ROOT / "corpus" / split).glob("*-m-*.txt"))
    for line in file.read_text(encoding="utf-8").splitlines()[::23]
]


def disguised(text: str, chance: random.Random) -> str:
    """Return a text as somebody writes it who hides what it says; or as it is."""
    way = chance.randrange(4)
    if way == 0:
        return text
    if way == 1:
        return "".join(LETTERS.get(sign, sign) for sign in text)
    row = list(text)
    for _ in range(chance.randint(1, 4)):
        row.insert(chance.randint(0, len(row)), chance.choice(SIGNS))
    return "".join(row) if way == 2 else text + chance.choice(TEXTS)


def messages(seed: int) -> list[Conversation]:
    """Return messages of all kinds of people, in all kinds of circumstances."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    return [
        Conversation(
            str(number),
            (Turn(chance.choice(["agent", "agent", "borrower", "third_party", "unknown"]), disguised(text, chance)),),
            recipient=chance.choice(["borrower", "third_party", None]),
            channel=chance.choice(["sms", "wechat", "call", None]),
            language=chance.choice(["zh", "en", None]),
            jurisdictions=chance.choice([(), (), ("cn",), ("us",), ("cn", "us"), ("in", "uk")]),
            at=chance.choice([None, datetime(2026, 5, 6, chance.randrange(24), tzinfo=UTC)]),
            timezone="Asia/Shanghai",
        )
        for number, text in enumerate(TEXTS)
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_many_are_judged_as_one_by_one(seed: int) -> None:
    many = messages(seed)
    found = ENGINE.scan_many(many)
    assert found == [ENGINE.scan(conversation) for conversation in many]
    assert sum(bool(result.findings) for result in found) > len(many) / 10


def test_who_is_judged_beside_a_message_changes_nothing() -> None:
    many = messages(3)
    order = random.Random(4).sample(range(len(many)), len(many))  # noqa: S311 (no secret)
    mixed = ENGINE.scan_many([many[number] for number in order])
    assert ENGINE.scan_many(many) == [result for _, result in sorted(zip(order, mixed, strict=True))]


def test_every_example_of_every_rule_is_judged_as_alone() -> None:
    examples = [
        (rule, text)
        for pack in ENGINE.packs
        for rule in pack.rules
        for example in itertools.chain(rule.examples.get("flag", ()), rule.examples.get("pass", ()))
        if isinstance(text := example.get("text"), str)
    ]
    many = [
        Conversation(
            str(number), (Turn(rule.speakers[0], text),), recipient=rule.recipient, jurisdictions=(rule.jurisdiction,)
        )
        for number, (rule, text) in enumerate(examples)
    ]
    assert len(many) > 1000
    assert ENGINE.scan_many(many) == [ENGINE.scan(conversation) for conversation in many]


def test_calls_and_dated_messages_among_many_are_judged_in_full() -> None:
    call = Conversation("call", (Turn("agent", "喂"), Turn("borrower", "我要投诉你")), source="transcript")
    typed = Conversation("typed", (Turn("agent", "您好"),))
    assert ENGINE.scan_many([typed, call, typed])[1] == ENGINE.scan(call)
    assert ENGINE.scan(call).findings
