"""Messages a second on one core: the engine with the CN and US packs, beside simpler scanners on the same literals.

Messages as a lender's day has them (traffic.py), one in fifty with conduct or a signal, and the hardest: freely written
ones only, most of them lawful near misses. The engine is measured on both, with the reader (the small language model)
and without it. Run: python benchmarks/scan.py [--messages 200000] [--one-in 50] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import functools
import os
import pstats
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import hyperscan
from accuracy import conversation
from ahocorasick_rs import AhoCorasick
from layers import without_reader, words_only
from rapidfuzz import fuzz, process
from traffic import TEMPLATED, conversations

import corpus
from audit_service.detection import Engine, load_packs
from audit_service.detection.anchors import Selection
from audit_service.detection.conditions import Name
from audit_service.detection.rules import Detection

RULES = Path(__file__).resolve().parent.parent / "rules"
LIKENESS = 85
FEW = 2000


def rate(name: str, scan: Callable[[], object], count: int) -> None:
    """Print how many of ``count`` messages a scanner does in a second of processor time."""
    begun = time.process_time()
    scan()
    seconds = time.process_time() - begun
    print(f"{name:34} {count / seconds:12,.0f} messages/s  ({count:,} in {seconds:.1f} s)", flush=True)


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


def grown(engine: Engine, count: int) -> Engine:
    """Return an engine without trained layers that has a rule of ``count`` phrases more."""
    chance = random.Random(count)  # noqa: S311 (no secret)
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    phrases = tuple("".join(chance.choices(letters, k=4)) for _ in range(count))
    pack = next(pack for pack in engine.packs if pack.jurisdiction == "cn")
    rule = next(rule for rule in pack.rules if rule.detection.selections)
    phrase = Selection(("phrases", "phrase"), phrases)
    detection = Detection(selections=(phrase,), condition=Name("phrase"), condition_text="phrase")
    more = replace(rule, id="phrases", detection=detection)
    plain = [words_only(each) for each in engine.packs if each is not pack]
    return Engine([*plain, replace(words_only(pack), rules=(*words_only(pack).rules, more))])


def print_memory() -> None:
    """Print the memory of a process that loads the packs and scans."""
    engine = Engine(load_packs([RULES / "cn", RULES / "us"]))
    engine.scan_many([conversation(item) for item in corpus.messages("tune")])
    print(f"memory of the engine with the reader     {_megabytes():.0f} MB")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_engines(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Measure the engine; return the literals of its packs, and the texts of the day's traffic."""
    begun = time.perf_counter()
    engine = Engine(load_packs([RULES / "cn", RULES / "us"]))
    print(f"packs loaded in {time.perf_counter() - begun:.2f} s")
    rules = [rule for pack in engine.packs for rule in pack.rules]
    literals = sorted({word for rule in rules for part in rule.detection.selections for word in part.literals})
    day, hard = (conversations(options.messages, options.one_in, templated) for templated in (TEMPLATED, 0.0))
    texts = [item.turns[0].text for item in day]
    print(f"{len(literals):,} literals, {len(texts):,} messages of {sum(map(len, texts)) / len(texts):.0f} characters")
    fast = without_reader(engine)
    engine.scan_many(day[:FEW])
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: fast.scan_many(day[: 10 * FEW]))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    for name, many in (("a day's messages", day), ("the hardest", hard)):
        few = many[: 10 * FEW]
        rate(f"engine without reader, {name}", functools.partial(fast.scan_many, many), len(many))
        rate(f"engine with reader, {name}", functools.partial(engine.scan_many, few), len(few))
    for count in (500, 5000):
        rate(f"words alone, {count:,} phrases more", functools.partial(grown(engine, count).scan_many, day), len(day))
    return literals, texts


def measure_others(literals: Sequence[str], texts: Sequence[str]) -> None:
    """Measure simpler scanners on the same literals and messages."""
    automaton = AhoCorasick(literals)
    rate("bare Aho-Corasick", lambda: [automaton.find_matches_as_indexes(text) for text in texts], len(texts))
    search = by_hyperscan(literals)
    rate("bare Hyperscan", lambda: search(texts), len(texts))
    alternation = re.compile("|".join(map(re.escape, literals)))
    few = texts[: 10 * FEW]
    rate("re alternation", lambda: [alternation.findall(text) for text in few], len(few))
    likeness = [word for word in literals if len(word) > 1]
    few = texts[:FEW]
    rate(
        "rapidfuzz over the literals",
        lambda: [process.extractOne(text, likeness, scorer=fuzz.partial_ratio, score_cutoff=LIKENESS) for text in few],
        len(few),
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--one-in", type=int, default=50)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--memory", action="store_true", help="print the memory of the engine alone")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if options.memory:
        print_memory()
        return
    subprocess.run([sys.executable, __file__, "--memory"], check=True)
    measure_others(*measure_engines(options))


if __name__ == "__main__":
    main()
