"""The corpus is in form: labels are of the taxonomy, no author stands in two splits, nothing stands twice."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from audit_service.detection.taxonomy import CATEGORIES, SIGNALS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import corpus

EVERY = [item for split in corpus.SPLITS for item in (*corpus.messages(split), *corpus.calls(split))]


def _problems(item: corpus.Item) -> list[str]:
    wrong = [
        f"{item.id}: {label.category}"
        for label in item.labels
        if label.category not in CATEGORIES
        or (label.category in SIGNALS) == (item.turns[label.turn][0] == "agent")
        or not item.turns[label.turn][1][label.start : label.end].strip()
    ]
    if any("{" in text or "}" in text for _, text in item.turns):
        wrong.append(f"{item.id}: a brace that is no label")
    if item.is_near_miss and item.labels:
        wrong.append(f"{item.id}: a lawful message with a label")
    return wrong


def test_labels_are_categories_of_the_side_that_speaks() -> None:
    assert len(EVERY) > 1000
    assert [problem for item in EVERY for problem in _problems(item)] == []


def test_no_author_stands_in_two_splits() -> None:
    splits = Counter(author for author, _ in {(item.author, item.split) for item in EVERY})
    assert {author: count for author, count in splits.items() if count > 1} == {}


def test_no_text_stands_in_train_and_test() -> None:
    texts = {split: {item.turns for item in EVERY if item.split == split} for split in corpus.SPLITS}
    assert texts["train"] & texts["test"] == set()
