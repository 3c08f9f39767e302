"""How well the two voices of a mono call are told apart: diarisation error on mono mixes, beside two baselines.

Error: of the seconds that somebody speaks, the share that is missed, false or given to the other voice, counted in
ticks of 10 ms with 0.25 s around each change of the truth left out (the collar of NIST's md-eval), for the better of
the two ways to name the voices. Baselines in the same run: all speech is one voice's; the voice changes at every pause.

Run: python benchmarks/speakers.py FOLDER…
A folder holds JSON of true turns beside stereo calls, or audio of single speakers with ``index.tsv`` (file, language,
speech): of these, utterances of two people are joined in turn, a conversation for each two neighbours of the index.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit_service.media.services import SPEECH_RATE_HZ, decode
from audit_service.transcription.speech import Stretch, find_speech
from audit_service.transcription.voices import VoiceEncoder, Windows, listen_for_voices, who_speaks

TICK_S, COLLAR_S, PAUSE_S, TURNS = 0.01, 0.25, 0.35, 8
LONGEST_TURN_S = 4.0
HALF_S = 0.05
Ticks = NDArray[np.int8]


@dataclass(frozen=True)
class Mono:
    """Samples with who speaks when: voice 0 or 1."""

    name: str
    samples: NDArray[np.float32]
    turns: Sequence[tuple[Stretch, int]]


def monos(folder: Path) -> Iterator[Mono]:
    """Yield the mono mixes of a folder."""
    if (folder / "index.tsv").is_file():
        yield from _joined(folder)
        return
    for truth in sorted(folder.glob("*.json")):
        audio = decode(truth.with_suffix(".wav"))
        turns = json.loads(truth.read_text(encoding="utf-8"))["turns"]
        names = [turn["speaker"] for turn in turns]
        mix = audio.channel(0) + audio.channel(1) if audio.channel_count > 1 else audio.channel(0)
        yield Mono(
            truth.stem,
            mix,
            [(Stretch(t["start"], t["end"]), int(n != names[0])) for t, n in zip(turns, names, strict=True)],
        )


def _joined(folder: Path) -> Iterator[Mono]:
    with (folder / "index.tsv").open(encoding="utf-8", newline="") as stream:
        files = [row["file"] for row in csv.DictReader(stream, delimiter="\t") if row["speech"] == "human"]
    speakers = [(name, decode(folder / name).channel(0)) for name in files]
    for (first, one), (second, other) in itertools.pairwise(speakers):
        if first.split("__")[0] == second.split("__")[0] and "aishell" not in first:
            continue
        yield _conversation(f"{first} + {second}", one, other)


def _conversation(name: str, one: NDArray[np.float32], other: NDArray[np.float32]) -> Mono:
    """Return turns of two people, each a stretch of what they say, with pauses between."""
    gap = np.zeros(int(PAUSE_S * SPEECH_RATE_HZ), dtype=np.float32)
    stock = [_stretches(one), _stretches(other)]
    parts, turns, at = [gap], [], PAUSE_S
    for turn in range(TURNS):
        voice = turn % 2
        stretch = stock[voice][(turn // 2) % len(stock[voice])]
        turns.append((Stretch(at, at + len(stretch) / SPEECH_RATE_HZ), voice))
        parts += [stretch, gap]
        at += len(stretch) / SPEECH_RATE_HZ + PAUSE_S
    return Mono(name, np.concatenate(parts), turns)


def _stretches(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    level = 0.05 / max(1e-9, float(np.sqrt(np.mean(np.square(samples)))))
    size = int(LONGEST_TURN_S * SPEECH_RATE_HZ)
    spoken = find_speech(samples) or [Stretch(0, len(samples) / SPEECH_RATE_HZ)]
    whole = samples[int(spoken[0].start_s * SPEECH_RATE_HZ) : int(spoken[-1].end_s * SPEECH_RATE_HZ)] * level
    return [
        whole[first : first + size]
        for first in range(0, len(whole), size)
        if len(whole) - first > size / 4 or not first
    ]


def ticks_of(turns: Sequence[tuple[Stretch, int]], count: int) -> Ticks:
    """Return 1 and 2 for the voices, 0 for silence."""
    ticks = np.zeros(count, dtype=np.int8)
    for stretch, voice in turns:
        ticks[int(stretch.start_s / TICK_S) : int(stretch.end_s / TICK_S)] = voice + 1
    return ticks


def error(mono: Mono, found: Ticks) -> tuple[float, float]:
    """Return the seconds that are wrong, and those that count."""
    true = ticks_of(mono.turns, len(found))
    counted = np.ones(len(found), dtype=bool)
    for stretch, _ in mono.turns:
        for edge in (stretch.start_s, stretch.end_s):
            counted[max(0, int((edge - COLLAR_S) / TICK_S)) : int((edge + COLLAR_S) / TICK_S)] = False
    wrong = min(int(((true != named) & counted).sum()) for named in (found, np.array([0, 2, 1], dtype=np.int8)[found]))
    return wrong * TICK_S, int(((true > 0) & counted).sum()) * TICK_S


def ours(windows: Windows, count: int) -> Ticks:
    """Return who speaks by our way."""
    if windows.is_one_voice:
        return one_voice(windows.stretches, count)
    spoken = who_speaks(windows)
    half = 0.05
    return ticks_of(
        [(Stretch(at - half, at + half), int(v)) for at, v in zip(spoken.at_s, spoken.is_second, strict=True)], count
    )


def one_voice(stretches: Sequence[Stretch], count: int) -> Ticks:
    """Return who speaks if all speech is one voice's."""
    return ticks_of([(stretch, 0) for stretch in stretches], count)


def by_pauses(stretches: Sequence[Stretch], count: int) -> Ticks:
    """Return who speaks if the voice changes at every pause."""
    return ticks_of([(stretch, number % 2) for number, stretch in enumerate(stretches)], count)


def main() -> None:
    """Print the error of each way on each folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--each", action="store_true", help="also print every mix")
    arguments = parser.parse_args()
    encoder = VoiceEncoder()
    for folder in arguments.folders:
        totals: dict[str, list[float]] = {}
        spent = length = 0.0
        for mono in monos(folder):
            begun = time.perf_counter()
            windows = listen_for_voices(mono.samples, encoder)
            spent += time.perf_counter() - begun
            length += len(mono.samples) / SPEECH_RATE_HZ
            count = int(len(mono.samples) / SPEECH_RATE_HZ / TICK_S) + 1
            ways = {
                "ours": ours(windows, count),
                "one voice": one_voice(windows.stretches, count),
                "changes at every pause": by_pauses(windows.stretches, count),
            }
            for way, found in ways.items():
                wrong, counted = error(mono, found)
                totals.setdefault(way, [0.0, 0.0])
                totals[way][0] += wrong
                totals[way][1] += counted
                if arguments.each and way == "ours":
                    print(f"  {mono.name}: error {wrong / counted:.3f}, likeness of the voices {windows.likeness:.2f}")
        print(f"{folder.name}: {length:.0f} s, encoded at {length / spent:.0f} x real time")
        for way, (wrong, counted) in totals.items():
            print(f"  {way:24s} diarisation error {wrong / counted:.3f}")


if __name__ == "__main__":
    main()
