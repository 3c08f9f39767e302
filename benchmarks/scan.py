"""Messages a second on one core: the engine with the CN and US packs, beside simpler scanners on the same literals.

Realistic messages: those of the corpus, one in fifty of them with conduct or a signal, repeated with another number in
each against caches. The engine is measured twice: with the reader (the small language model), and without it.
Run: python benchmarks/scan.py [--messages 200000] [--one-in 50] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import re
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import hyperscan
from ahocorasick_rs import AhoCorasick
from rapidfuzz import fuzz, process

import corpus
from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.detection.wordings import TrainedLayer

RULES = Path(__file__).resolve().parent.parent / "rules"
LIKENESS = 85
FEW = 2000


def conversations(count: int, one_in: int) -> list[Conversation]:
    """Return ``count`` messages, one in ``one_in`` with conduct or a signal, no two the same."""
    items = [item for split in corpus.SPLITS for item in corpus.messages(split)]
    lawful = [item for item in items if not item.labels]
    others = [item for item in items if item.labels]
    made = []
    for number in range(count):
        item = others[number // one_in % len(others)] if number % one_in == 0 else lawful[number % len(lawful)]
        speaker, text = item.turns[0]
        turn = Turn(speaker, f"{text}（{number}）")
        made.append(Conversation(str(number), (turn,), recipient=item.recipient, language=item.language))
    return made


def rate(name: str, scan: Callable[[], object], count: int) -> None:
    """Print how many of ``count`` messages a scanner does in a second."""
    begun = time.perf_counter()
    scan()
    seconds = time.perf_counter() - begun
    print(f"{name:34} {count / seconds:12,.0f} messages/s  ({count:,} in {seconds:.1f} s)", flush=True)


def without_reader(engine: Engine) -> Engine:
    """Return an engine of the same packs whose trained layer is the linear model alone."""
    return Engine(
        [
            pack if pack.model is None else replace(pack, model=TrainedLayer(pack.model.linear, None))
            for pack in engine.packs
        ]
    )


def by_hyperscan(literals: Sequence[str]) -> Callable[[Sequence[str]], int]:
    """Return a scanner over the literals with bare Hyperscan."""
    database = hyperscan.Database()
    database.compile(
        expressions=[re.escape(word).encode() for word in literals],
        ids=list(range(len(literals))),
        flags=[hyperscan.HS_FLAG_UTF8] * len(literals),
    )
    met: list[int] = []

    def note(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        met.append(number)

    def scan(texts: Sequence[str]) -> int:
        for text in texts:
            database.scan(text.encode(), match_event_handler=note)
        return len(met)

    return scan


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--one-in", type=int, default=50)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    begun = time.perf_counter()
    engine = Engine(load_packs([RULES / "cn", RULES / "us"]))
    print(f"packs loaded in {time.perf_counter() - begun:.2f} s")
    rules = [rule for pack in engine.packs for rule in pack.rules]
    literals = sorted({word for rule in rules for part in rule.detection.selections for word in part.literals})
    many = conversations(options.messages, options.one_in)
    texts = [item.turns[0].text for item in many]
    print(f"{len(literals):,} literals, {len(texts):,} messages of {sum(map(len, texts)) / len(texts):.0f} characters")
    fast = without_reader(engine)
    engine.scan_many(many[:FEW])
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: fast.scan_many(many[: 10 * FEW]))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    rate("the engine without the reader", lambda: fast.scan_many(many), len(many))
    rate("the engine with the reader", lambda: engine.scan_many(many[: 5 * FEW]), min(len(many), 5 * FEW))
    automaton = AhoCorasick(literals)
    rate("bare Aho-Corasick", lambda: [automaton.find_matches_as_indexes(text) for text in texts], len(texts))
    search = by_hyperscan(literals)
    rate("bare Hyperscan", lambda: search(texts), len(texts))
    alternation = re.compile("|".join(map(re.escape, literals)))
    rate("re alternation", lambda: [alternation.findall(text) for text in texts[: 10 * FEW]], 10 * FEW)
    likeness = [word for word in literals if len(word) > 1]
    rate(
        "rapidfuzz over the literals",
        lambda: [
            process.extractOne(text, likeness, scorer=fuzz.partial_ratio, score_cutoff=LIKENESS) for text in texts[:FEW]
        ],
        FEW,
    )
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
