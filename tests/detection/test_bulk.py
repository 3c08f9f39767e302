"""Many messages at once: the same folded texts and the same findings as one by one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.detection.bulk import BulkFolded, fold_in_bulk
from audit_service.detection.folding import fold
from audit_service.detection.sounds import hides_pinyin

ROOT = Path(__file__).resolve().parents[2]
ENGINE = Engine(load_packs([ROOT / "rules" / "cn", ROOT / "rules" / "us"]))
TRAIN = [
    re.sub(r"\{[a-z_]+:([^{}]*)\}", r"\1", line.partition("\t")[2])
    for file in sorted((ROOT / "corpus" / "train").glob("*-m-[1-4].txt"))
    for line in file.read_text(encoding="utf-8").splitlines()[::9]
]
WRITING = st.text(alphabet="你打电话还钱法院扌丁氵去payw1th0@$.,，。！'’ -/#*·\n\u3000８４🐶éｐ還", max_size=24)


def is_as_folded(text: str, folded: BulkFolded, number: int) -> bool:
    """Tell whether a plain text is folded as alone: characters, places, steps, sentences, clauses and no noise."""
    return not folded.is_plain[number] or (folded.one(number) == fold(text) and not hides_pinyin(fold(text).text))


@given(st.lists(WRITING, max_size=6))
@settings(max_examples=500, deadline=None)
def test_what_is_called_plain_is_as_the_full_fold_gives_it(texts: list[str]) -> None:
    folded = fold_in_bulk(texts)
    assert all(is_as_folded(text, folded, number) for number, text in enumerate(texts))


def test_real_messages_are_folded_as_alone() -> None:
    folded = fold_in_bulk(TRAIN)
    assert all(is_as_folded(text, folded, number) for number, text in enumerate(TRAIN))


def test_most_ordinary_messages_are_plain() -> None:
    folded = fold_in_bulk(TRAIN)
    assert folded.is_plain.mean() > 0.8


@pytest.mark.parametrize("recipient", ["borrower", "third_party", None])
@pytest.mark.parametrize("speaker", ["agent", "borrower", "unknown"])
def test_many_are_judged_as_one_by_one(speaker: str, recipient: str | None) -> None:
    texts = [*TRAIN[:: len(TRAIN) // 60], "", "打 电*话", "我弄 死你", "We will arrest you"]
    many = [
        Conversation(str(number), (Turn(speaker, text),), recipient=recipient, channel="sms" if number % 2 else None)
        for number, text in enumerate(texts)
    ]
    assert ENGINE.scan_many(many) == [ENGINE.scan(conversation) for conversation in many]


def test_calls_and_dated_messages_among_many_are_judged_in_full() -> None:
    call = Conversation("call", (Turn("agent", "喂"), Turn("borrower", "我要投诉你")), source="transcript")
    typed = Conversation("typed", (Turn("agent", "您好"),))
    assert ENGINE.scan_many([typed, call, typed])[1] == ENGINE.scan(call)
    assert ENGINE.scan(call).findings
