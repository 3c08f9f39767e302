"""Train the linear wording models of the packs on the train split, and print how they do on authors they did not see.

Each author in turn is left out, and the figures of all who were left out are pooled: precision and recall at each
score. Then the weights over all of them are written. Run: python benchmarks/train_wordings.py [--write]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression

import corpus
from audit_service.detection import load_packs
from audit_service.detection.folding import fold
from audit_service.detection.pack_files import WORD_KINDS
from audit_service.detection.pieces import BUCKET_BITS, pieces_of
from audit_service.detection.taxonomy import SIGNALS
from audit_service.detection.wordings import ANY_CONDUCT, ANY_SIGNAL

RULES = Path(__file__).resolve().parent.parent / "rules"
PACK_OF = {"zh": "cn", "en": "us"}
STRENGTH = 20.0
SMALLEST_WEIGHT = 0.05
SCORES = (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
OF_THE_COURSE = {"disclosure_before_verification", "no_identification"}  # words alone do not show them
Example = tuple[str, bool, frozenset[str]]
Odds = NDArray[np.float64]


class Trained:
    """Weights over buckets: columns of conduct are trained on what agents say, signals on what the others say."""

    def __init__(self, examples: Sequence[Example], columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        counts = bucket_counts([text for text, _, _ in examples])
        seen = np.asarray((counts > 0).sum(axis=0)).ravel()
        self.buckets = np.flatnonzero(seen)
        self.rarity = np.log((1 + len(examples)) / (1 + seen[self.buckets])) + 1
        rows = self._weighed(counts)
        is_agent = np.array([by_agent for _, by_agent, _ in examples])
        self.weights = np.zeros((len(self.buckets), len(columns)))
        self.bias = np.full(len(columns), -9.0)
        for place, column in enumerate(columns):
            chosen = np.flatnonzero(is_agent != (column in {*SIGNALS, ANY_SIGNAL}))
            is_any = column in {ANY_CONDUCT, ANY_SIGNAL}
            truth = [bool(examples[n][2]) if is_any else column in examples[n][2] for n in chosen]
            if not any(truth):
                continue
            fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(rows[chosen], truth)
            self.weights[:, place], self.bias[place] = fitted.coef_[0], fitted.intercept_[0]

    def odds(self, texts: Sequence[str]) -> Odds:
        """Return the log-odds, one row a text, one column a category."""
        found: Odds = self._weighed(bucket_counts(texts)) @ self.weights + self.bias
        return found

    def write(self, file: Path) -> None:
        """Write the weights in the form that the engine reads; buckets that weigh nothing are left out."""
        kept = np.abs(self.weights).max(axis=1) >= SMALLEST_WEIGHT
        file.parent.mkdir(exist_ok=True)
        np.savez_compressed(
            file,
            categories=np.array("\n".join(self.columns)),
            buckets=self.buckets[kept].astype(np.uint32),
            rarity=self.rarity[kept].astype(np.float16),
            weights=self.weights[kept].astype(np.float16),
            bias=self.bias.astype(np.float32),
        )
        print(f"{file}: {kept.sum()} buckets, {file.stat().st_size / 1e6:.1f} MB")

    def _weighed(self, counts: csr_matrix) -> csr_matrix:
        """Weigh the counts by rarity, and make each row's length one; a piece met twice counts as two pieces."""
        known = counts[:, self.buckets]
        lengths = np.sqrt(np.maximum(known @ np.square(self.rarity), 1e-9))
        return diags(1 / lengths) @ known @ diags(self.rarity)


def bucket_counts(texts: Sequence[str]) -> csr_matrix:
    """Return how often each bucket is met in each text."""
    pieces = pieces_of([fold(text).text for text in texts])
    ones = np.ones(len(pieces.buckets))
    return csr_matrix((ones, (pieces.texts, pieces.buckets)), shape=(len(texts), 1 << BUCKET_BITS))


def examples_of(items: Sequence[corpus.Item]) -> list[Example]:
    """Return the messages, and the turns of the calls, as examples."""
    made = []
    for item in items:
        for number, (speaker, text) in enumerate(item.turns):
            truth = {label.category for label in item.labels if label.turn == number}
            made.append((text, speaker == "agent", frozenset(truth - OF_THE_COURSE)))
    return made


def stretches_of(items: Sequence[corpus.Item]) -> list[Example]:
    """Return the labelled stretches by themselves as examples."""
    return [
        (text[label.start : label.end], speaker == "agent", frozenset({label.category}))
        for item in items
        for label in item.labels
        if label.category not in OF_THE_COURSE
        for speaker, text in [item.turns[label.turn]]
    ]


def examples_of_rules(language: str) -> list[Example]:
    """Return what the word rules of a pack give as examples: each flags its category, or is lawful."""
    (pack,) = load_packs([RULES / PACK_OF[language]])
    made = []
    for rule in pack.rules:
        if rule.kind in WORD_KINDS and not rule.is_signal:
            for side, truth in (("flag", frozenset({rule.category})), ("pass", frozenset[str]())):
                made += [(str(example["text"]), True, truth) for example in rule.examples[side] if "text" in example]
    return made


def columns_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the columns that examples call for."""
    return (*sorted({category for _, _, found in examples for category in found}), ANY_CONDUCT, ANY_SIGNAL)


def print_rates(odds: Odds, held: Sequence[Example], columns: Sequence[str]) -> None:
    """Print precision and recall at each score, and how many lawful turns of agents are flagged."""
    signal = np.array([name in SIGNALS for name in columns[:-2]])
    every = 1 / (1 + np.exp(-np.asarray(odds)))
    scores = np.minimum(every[:, :-2], np.where(signal, every[:, [-1]], every[:, [-2]]))
    may = np.array([by_agent for _, by_agent, _ in held])[:, None] != signal
    truth = np.array([[name in found for name in columns[:-2]] for _, _, found in held])
    lawful = np.array([by_agent and not found for _, by_agent, found in held])
    for least in SCORES:
        hits = (scores >= least) & may
        right = (hits & truth).sum()
        line = f"precision {right / max(1, hits.sum()):.3f} recall {right / max(1, truth.sum()):.3f}"
        print(f"  score {least:.2f}: {line} lawful flagged {hits[lawful].any(axis=1).mean():.3f}")


def trained_on(items: Sequence[corpus.Item], language: str, columns: Sequence[str]) -> Trained:
    """Return the model trained on the turns of ``items``, their labelled stretches, and the examples of the rules."""
    return Trained([*examples_of(items), *stretches_of(items), *examples_of_rules(language)], columns)


def left_out(items: Sequence[corpus.Item]) -> None:
    """Print the figures on authors left out of training."""
    odds, every = [], []
    columns = columns_of(examples_of(items))
    for author in sorted({item.author for item in items}):
        trained = trained_on([item for item in items if item.author != author], items[0].language, columns)
        held = examples_of([item for item in items if item.author == author])
        odds.append(trained.odds([text for text, _, _ in held]))
        every += held
    print_rates(np.concatenate(odds), every, columns)


def main() -> None:
    """Print and, if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    every = [*corpus.messages("train"), *corpus.calls("train")]
    for language, pack in PACK_OF.items():
        items = [item for item in every if item.language == language]
        print(f"{language}: {len(items)} messages and calls by {len({item.author for item in items})} authors")
        if len({item.author for item in items}) > 1:
            left_out(items)
        if options.write:
            trained_on(items, language, columns_of(examples_of(items))).write(RULES / pack / "model" / "wording.npz")


if __name__ == "__main__":
    main()
