"""Renew the least score and the examples of the rules of kind ``model``, after their models were trained again.

For each category: messages of the train split that it names and the model is sure of, and lawful ones (for signals:
others) that come nearest to it without being flagged. Run: python benchmarks/wording_examples.py LEAST_SCORE
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

import corpus
from audit_service.detection import Pack, load_packs
from audit_service.detection.taxonomy import SIGNALS

RULES = Path(__file__).resolve().parent.parent / "rules"
PACKS = {"cn": "zh", "us": "en"}
SHOWN = 9
CLEAR, SAFE, SUREST = 0.1, 0.15, 0.95


def scored(pack: Pack, language: str) -> Iterator[tuple[corpus.Item, dict[str, float]]]:
    """Yield the training messages of a language with the score of each category."""
    if pack.model is None:
        raise SystemExit(f"{pack.folder} has no model")
    items = [item for item in corpus.messages("train") if item.language == language]
    rows = pack.model.scores([item.turns[0][1] for item in items], [item.turns[0][0] for item in items])
    for item, row in zip(items, rows.tolist(), strict=True):
        yield item, dict(zip(pack.model.categories, row, strict=True))


def examples_for(
    category: str, rows: Sequence[tuple[corpus.Item, dict[str, float]]], least: float
) -> dict[str, list[dict[str, str]]]:
    """Return the examples of one rule: spread over what flags, and the nearest of what passes."""
    is_signal = category in SIGNALS
    heard = [(item, scores[category]) for item, scores in rows if (item.turns[0][0] == "agent") != is_signal]
    flag = [item for item, score in heard if category in item.categories and score >= min(SUREST, least + CLEAR)]
    near = [
        (score, item)
        for item, score in heard
        if category not in item.categories and (is_signal or not item.categories) and score < least - SAFE
    ]
    near.sort(key=lambda pair: (-pair[0], pair[1].id))
    spread = flag[:: max(1, len(flag) // SHOWN)]
    return {"flag": _texts(spread), "pass": _texts([item for _, item in near])}


def _texts(items: Sequence[corpus.Item]) -> list[dict[str, str]]:
    return [{"text": text} for text in dict.fromkeys(item.turns[0][1] for item in items)][:SHOWN]


def main() -> None:
    """Rewrite the rule files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("least", type=float)
    least = parser.parse_args().least
    for name, language in PACKS.items():
        (pack,) = load_packs([RULES / name])
        rows = list(scored(pack, language))
        for file in sorted((RULES / name).glob("*/wording.yaml")):
            rule: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
            rule["detect"] = {"least_score": least}
            rule["examples"] = examples_for(rule["category"], rows, least)
            print(file.relative_to(RULES), *(f"{side} {len(texts)}" for side, texts in rule["examples"].items()))
            text = yaml.safe_dump(rule, allow_unicode=True, sort_keys=False, width=110)
            file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
