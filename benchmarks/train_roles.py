"""Train the weights by which the agent's side of a call is told, and print how often it is right on unseen authors.

Each author of the train split in turn is left out; their calls, and those of the tune split, are judged by what the
sides say in the first turns. The peer in the same run is the list of trade words that was used before.

Run: python benchmarks/train_roles.py [--write]
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

import corpus
from audit_service.transcription.speakers import AGENT, WEIGHTS, pieces

LANGUAGES = ("zh", "en")
FIRST_TURNS = 6
STRENGTH, LEAST_SEEN, MOST_PIECES = 0.1, 3, 2000
THRESHOLDS = (0.5, 0.7, 0.8, 0.9)
TRADE_WORDS = re.compile(
    r"工号|客服|请问是|请问您|逾期|欠款|还款|委托|公司的|金融|法院|律师|"
    r"calling from|on behalf of|recorded line|this is|am i speaking|collect a debt|officer",
    re.IGNORECASE,
)
Weights = Mapping[str, float]


def turns(items: Collection[corpus.Item], language: str) -> Iterator[tuple[str, bool]]:
    """Yield each turn or message with whether an agent says it."""
    for item in items:
        if item.language == language:
            yield from ((text, speaker == AGENT) for speaker, text in item.turns)


def trained(items: Collection[corpus.Item], language: str) -> Weights:
    """Return the weights of the pieces that tell most."""
    said = list(turns(items, language))
    found = [set(pieces(text, language)) for text, _ in said]
    seen = Counter(piece for one in found for piece in one)
    places = {piece: place for place, piece in enumerate(sorted(p for p, count in seen.items() if count >= LEAST_SEEN))}
    cells = [(row, places[piece]) for row, one in enumerate(found) for piece in one if piece in places]
    rows, columns = zip(*cells, strict=True)
    table = csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(said), len(places)))
    fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(table, [who for _, who in said])
    weighed = {piece: float(fitted.coef_[0][place]) for piece, place in places.items()}
    telling = sorted(weighed, key=lambda piece: (-abs(weighed[piece]), piece))[:MOST_PIECES]
    return {piece: round(weighed[piece], 3) for piece in sorted(telling)}


def difference(call: corpus.Item, weights: Weights) -> float:
    """Return the log-odds of the agent's opening above those of the other side: above 0 is right."""
    agent, other = (
        sum(weights.get(piece, 0.0) for piece in set(pieces(text, call.language))) for text in _openings(call)
    )
    return agent - other


def _openings(call: corpus.Item) -> tuple[str, str]:
    first = call.turns[:FIRST_TURNS]
    return tuple(" ".join(text for speaker, text in first if (speaker == AGENT) is side) for side in (True, False))  # type: ignore[return-value]


def told(name: str, differences: Sequence[float]) -> str:
    """Return a line of the table."""
    scores = [1 / (1 + math.exp(-abs(value))) for value in differences]
    line = f"{name:28} {len(differences):5} {sum(value > 0 for value in differences) / len(differences):7.3f}"
    for threshold in THRESHOLDS:
        sure = [value for value, score in zip(differences, scores, strict=True) if score >= threshold]
        line += f"{len(sure):7} ({sum(value <= 0 for value in sure)})"
    return line


def main() -> None:
    """Print the table; write the weights if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the weights over all of the train split")
    given = parser.parse_args()
    calls, tune = list(corpus.calls("train")), list(corpus.calls("tune"))
    items = [*calls, *corpus.messages("train")]
    weights = {language: trained(items, language) for language in LANGUAGES}
    print(f"{'':28} calls   right" + "".join(f"  ≥{t} (wrong)" for t in THRESHOLDS))
    for language in LANGUAGES:
        own = [call for call in calls if call.language == language]
        left_out = []
        for author in sorted({call.author for call in own}):
            without = trained([item for item in items if item.author != author], language)
            left_out += [difference(call, without) for call in own if call.author == author]
        print(told(f"{language} train, author left out", left_out))
        unseen = [call for call in tune if call.language == language]
        print(told(f"{language} tune", [difference(call, weights[language]) for call in unseen]))
        by_words = [len(TRADE_WORDS.findall(a)) - len(TRADE_WORDS.findall(b)) for a, b in map(_openings, own + unseen)]
        right, even = sum(value > 0 for value in by_words), sum(value == 0 for value in by_words)
        print(f"{language} trade words: right {right / len(by_words):.3f}, undecided {even / len(by_words):.3f}")
    if given.write:
        WEIGHTS.write_text(json.dumps(weights, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8")
        print(f"wrote {WEIGHTS.name}: {WEIGHTS.stat().st_size} bytes")


if __name__ == "__main__":
    main()
