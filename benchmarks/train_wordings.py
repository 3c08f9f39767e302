"""Train the wording models of the packs on the train split, and print how they do on authors they did not see.

Each author in turn is left out, and the figures of all who were left out are pooled: precision and recall at each
score. Then the weights over all of them are written. Run: python benchmarks/train_wordings.py [--write]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import corpus
from audit_service.detection.taxonomy import SIGNALS
from audit_service.detection.wordings import ANY_CONDUCT, ANY_SIGNAL, pieces_of

RULES = Path(__file__).resolve().parent.parent / "rules"
PACK_OF = {"zh": "cn", "en": "us"}
STRENGTH = 20.0
SMALLEST_WEIGHT = 0.05
SCORES = (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
Example = tuple[str, bool, frozenset[str]]


class Trained:
    """Weights over pieces: agents' columns are trained on what agents say, signals on what the others say."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.vectorizer = TfidfVectorizer(analyzer=pieces_of, sublinear_tf=True)
        rows = self.vectorizer.fit_transform([text for text, _, _ in examples])
        is_agent = np.array([by_agent for _, by_agent, _ in examples])
        self.categories = sorted({category for _, _, truth in examples for category in truth})
        columns, bias = [], []
        for category in (*self.categories, ANY_CONDUCT, ANY_SIGNAL):
            chosen = np.flatnonzero(is_agent != (category in {*SIGNALS, ANY_SIGNAL}))
            is_any = category in {ANY_CONDUCT, ANY_SIGNAL}
            truth = [bool(examples[n][2]) if is_any else category in examples[n][2] for n in chosen]
            fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(rows[chosen], truth)
            columns.append(fitted.coef_[0])
            bias.append(fitted.intercept_[0])
        self.weights = np.array(columns).T
        self.bias = np.array(bias)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return one row a text, one column a category."""
        sums = self.vectorizer.transform(texts) @ self.weights + self.bias
        every = np.asarray(1 / (1 + np.exp(-sums)))
        signal = np.array([name in SIGNALS for name in self.categories])
        return np.minimum(every[:, :-2], np.where(signal, every[:, [-1]], every[:, [-2]]))

    def write(self, file: Path) -> None:
        """Write the weights in the form that the engine reads; pieces that weigh nothing are left out."""
        kept = np.abs(self.weights).max(axis=1) >= SMALLEST_WEIGHT
        pieces = self.vectorizer.get_feature_names_out()[kept]
        file.parent.mkdir(exist_ok=True)
        np.savez_compressed(
            file,
            pieces=np.array("\n".join(pieces)),
            categories=np.array("\n".join([*self.categories, ANY_CONDUCT, ANY_SIGNAL])),
            idf=self.vectorizer.idf_[kept].astype(np.float16),
            weights=self.weights[kept].astype(np.float16),
            bias=self.bias.astype(np.float32),
        )
        print(f"{file}: {len(pieces)} pieces, {file.stat().st_size / 1e6:.1f} MB")


def examples_of(items: Sequence[corpus.Item]) -> list[Example]:
    """Return the messages, and the turns of the calls, as examples."""
    made = []
    for item in items:
        for number, (speaker, text) in enumerate(item.turns):
            truth = {label.category for label in item.labels if label.turn == number}
            made.append((text, speaker == "agent", frozenset(truth)))
    return made


def left_out(items: Sequence[corpus.Item]) -> None:
    """Print the figures on authors left out of training."""
    right, flagged, wanted = np.zeros(len(SCORES)), np.zeros(len(SCORES)), 0
    for author in sorted({item.author for item in items}):
        trained = Trained(examples_of([item for item in items if item.author != author]))
        held = examples_of([item for item in items if item.author == author])
        scores = trained.scores([text for text, _, _ in held])
        may = np.array([[by_agent != (name in SIGNALS) for name in trained.categories] for _, by_agent, _ in held])
        truth = np.array([[name in found for name in trained.categories] for _, _, found in held])
        wanted += truth.sum()
        for number, least in enumerate(SCORES):
            hits = (scores >= least) & may
            right[number] += (hits & truth).sum()
            flagged[number] += hits.sum()
    for number, least in enumerate(SCORES):
        precision, recall = right[number] / max(1, flagged[number]), right[number] / wanted
        print(f"  score {least:.2f}: precision {precision:.3f} recall {recall:.3f}")


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
            Trained(examples_of(items)).write(RULES / pack / "model" / "wording.npz")


if __name__ == "__main__":
    main()
