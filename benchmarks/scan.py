"""Messages a second on one core: the engine with the CN and US packs, beside simpler scanners on the same literals.

Realistic messages: those of the corpus, most of them lawful, repeated with another number in each against caches.
Run: python benchmarks/scan.py [--messages 20000] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ahocorasick_rs import AhoCorasick
from rapidfuzz import fuzz, process

import corpus
from audit_service.detection import Conversation, Engine, Turn, load_packs

RULES = Path(__file__).resolve().parent.parent / "rules"
LIKENESS = 85
FEW = 2000


def messages(count: int) -> list[str]:
    """Return ``count`` messages, four lawful ones to one that is not, no two the same."""
    items = [item for split in corpus.SPLITS for item in corpus.messages(split)]
    lawful = [item.turns[0][1] for item in items if not item.labels]
    others = [item.turns[0][1] for item in items if item.labels]
    made = []
    for number in range(count):
        source = others if number % 5 == 0 else lawful
        made.append(f"{source[number % len(source)]}（{number}）")
    return made


def rate(name: str, scan: Callable[[str], object], texts: Sequence[str]) -> None:
    """Print how many of ``texts`` a scanner does in a second."""
    begun = time.perf_counter()
    for text in texts:
        scan(text)
    seconds = time.perf_counter() - begun
    print(f"{name:34} {len(texts) / seconds:12,.0f} messages/s  ({len(texts):,} in {seconds:.1f} s)")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    begun = time.perf_counter()
    engine = Engine(load_packs([RULES / "cn", RULES / "us"]))
    print(f"packs loaded in {time.perf_counter() - begun:.2f} s")
    rules = [rule for pack in engine.packs for rule in pack.rules]
    literals = sorted({word for rule in rules for part in rule.detection.selections for word in part.literals})
    texts = messages(options.messages)
    print(f"{len(literals):,} literals, {len(texts):,} messages of {sum(map(len, texts)) / len(texts):.0f} characters")

    def scan(text: str) -> object:
        return engine.scan(Conversation("m", (Turn("agent", text),), recipient="borrower"))

    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: [scan(text) for text in texts[:FEW]])
        pstats.Stats(profile).sort_stats("cumulative").print_stats(25)
    rate("the engine, end to end", scan, texts)
    automaton = AhoCorasick(literals)
    rate("bare Aho-Corasick", automaton.find_matches_as_indexes, texts)
    alternation = re.compile("|".join(map(re.escape, literals)))
    rate("re alternation", alternation.findall, texts)
    likeness = [word for word in literals if len(word) > 1]
    rate(
        "rapidfuzz over the literals",
        lambda text: process.extractOne(text, likeness, scorer=fuzz.partial_ratio, score_cutoff=LIKENESS),
        texts[:FEW],
    )
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
