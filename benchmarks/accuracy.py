"""Precision, recall and F1 per category on the corpus, beside a keyword list and rapidfuzz in the same run.

One decision is one category in one message (or one call). The layers are measured one by one: rules alone, the
trained model alone, both. Run: python benchmarks/accuracy.py [--split test] [--show N]
(``--show`` prints what went wrong: never with ``test`` while rules are being written).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from detection_samples import EVENT_CATEGORIES, by_keywords
from layers import model_only, without_reader, words_only
from rapidfuzz import fuzz, process

import corpus
from audit_service.detection import Conversation, Engine, Turn, load_packs

ROOT = Path(__file__).resolve().parent.parent
Find = Callable[[corpus.Item], set[str]]
ORDER_CATEGORIES = {"no_identification", "disclosure_before_verification"}
UNJUDGED = EVENT_CATEGORIES | ORDER_CATEGORIES
PHRASES = 200
LIKENESS = 80


def conversation(item: corpus.Item) -> Conversation:
    """Return an item as the engine takes it."""
    return Conversation(
        id=item.id,
        turns=tuple(Turn(speaker, text) for speaker, text in item.turns),
        source="typed" if len(item.turns) == 1 else "transcript",
        recipient=item.recipient,
        language=item.language,
    )


def by_engine(engine: Engine) -> Find:
    """Return a finder that asks the engine."""
    return lambda item: {finding.category for finding in engine.scan(conversation(item)).findings}


def by_likeness(train: Sequence[corpus.Item]) -> Find:
    """Return a finder that compares with example phrases of the train split by rapidfuzz's partial ratio."""
    phrases = [
        (item.turns[label.turn][1][label.start : label.end], label.category) for item in train for label in item.labels
    ][:: max(1, sum(len(item.labels) for item in train) // PHRASES)]
    texts = [text for text, _ in phrases]

    def find(item: corpus.Item) -> set[str]:
        text = " ".join(text for _, text in item.turns)
        hits = process.extract(text, texts, scorer=fuzz.partial_ratio, score_cutoff=LIKENESS, limit=3)
        return {phrases[index][1] for _, _, index in hits}

    return find


class Tally:
    """Right, extra and missed decisions per category."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.extra: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def add(self, truth: frozenset[str], found: set[str]) -> None:
        """Count one message or call."""
        truth, found = truth - UNJUDGED, found - UNJUDGED
        self.right.update(found & truth)
        self.extra.update(found - truth)
        self.missed.update(truth - found)

    def rates(self, category: str | None = None) -> tuple[float, float, float]:
        """Return precision, recall and F1 of a category, or of all decisions together."""
        counts = (self.right, self.extra, self.missed)
        right, extra, missed = (count.total() if category is None else count[category] for count in counts)
        precision = right / (right + extra) if right + extra else 1.0
        recall = right / (right + missed) if right + missed else 1.0
        return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    @property
    def categories(self) -> list[str]:
        """Return the categories that occurred."""
        return sorted({*self.right, *self.extra, *self.missed})


def measure(items: Iterable[corpus.Item], find: Find, show: int = 0) -> tuple[Tally, dict[str, float]]:
    """Return the tally, and the shares that have no category: flagged near misses, found obfuscated conduct."""
    tally, counts = Tally(), Counter[str]()
    for item in items:
        found = find(item)
        tally.add(item.categories, found)
        wrong, truth = found - UNJUDGED - item.categories, item.categories - UNJUDGED
        counts.update(near=item.is_near_miss, near_flagged=item.is_near_miss and bool(found - UNJUDGED))
        if item.is_obfuscated:
            counts.update(hidden=len(truth), hidden_found=len(found & truth))
        if (wrong or truth - found) and show > 0:
            show -= 1
            signs = [*(f"+{name}" for name in sorted(wrong)), *(f"-{name}" for name in sorted(truth - found))]
            print(item.id, " ".join(signs), "|", " / ".join(text for _, text in item.turns)[:400])
    shares = {
        "near misses flagged": counts["near_flagged"] / max(1, counts["near"]),
        "obfuscated recall": counts["hidden_found"] / max(1, counts["hidden"]),
    }
    return tally, shares


def main() -> None:
    """Print a table for typed text and one for calls, for each language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="test", choices=corpus.SPLITS)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--categories", action="store_true")
    options = parser.parse_args()
    packs = load_packs([ROOT / "rules" / "cn", ROOT / "rules" / "us"])
    train = list(corpus.messages("train"))
    whole = Engine(packs)
    finders = {
        "rules and model": by_engine(whole),
        "without reader": by_engine(without_reader(whole)),
        "model alone": by_engine(Engine([model_only(pack) for pack in packs])),
        "rules alone": by_engine(Engine([words_only(pack) for pack in packs])),
        "keyword list": lambda item: by_keywords(conversation(item)),
        "rapidfuzz": by_likeness(train),
    }
    for title, items in (("messages", corpus.messages(options.split)), ("calls", corpus.calls(options.split))):
        every = list(items)
        for language in ("zh", "en"):
            chosen = [item for item in every if item.language == language]
            if not chosen:
                continue
            print(f"\n{title} {language}: {len(chosen)}, by {len({item.author for item in chosen})} authors")
            for name, find in finders.items():
                tally, shares = measure(chosen, find, options.show if name == "rules and model" else 0)
                line = "precision {:.3f}  recall {:.3f}  F1 {:.3f}".format(*tally.rates())
                print(f"  {name:16} {line}  " + "  ".join(f"{key} {value:.3f}" for key, value in shares.items()))
                for category in tally.categories if options.categories and name != "keyword list" else ():
                    print("      {:32} {:.2f} {:.2f} {:.2f}".format(category, *tally.rates(category)))


if __name__ == "__main__":
    main()
