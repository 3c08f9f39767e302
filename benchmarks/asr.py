"""Speed, errors and characters kept of ways to run Whisper on the same audio, weights and threads, in one run.

Ways: openai-whisper (beam 5 and greedy; where it is installed, see requirements-openai.txt), faster-whisper plain
(beam 5 and greedy) and batched, ours channel by channel, and ours with the channels of several calls together.

Columns: seconds of sound for a second on the clock (the median of the repetitions), and for a second of processor time
on all threads (true on a busy machine too); both as multiples of openai-whisper's beam 5. Errors are characters for
Chinese, words for English. Of the characters of the reference that the plain decoder (faster-whisper, beam 5) writes
rightly, "kept" is the share that the way writes rightly too, and "heard" the share for which it writes anything: what
is missing there was dropped.

Run: python benchmarks/asr.py FOLDER… [--ways ours,plain] [--join SECONDS] [--repeat TIMES]
A folder holds audio with ``index.tsv`` (file, language, reference), or stereo calls with JSON of true turns, beside
them or in a folder ``truth`` next to theirs.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jiwer
import numpy as np
from asr_samples import plain
from faster_whisper import BatchedInferencePipeline, WhisperModel
from numpy.typing import NDArray

from audit_service.media.services import SPEECH_RATE_HZ, decode
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.listening import TOGETHER
from audit_service.transcription.values import HeardPassage
from audit_service.transcription.weights import Weights, locate_weights

Samples = NDArray[np.float32]
SILENCE_S = 0.5
BASELINE, PEER = "plain", "openai_beam_5"


@dataclass(frozen=True, eq=False)
class Piece:
    """One channel of audio with what is said in it."""

    name: str
    language: str
    truth: str
    samples: Samples


Way = Callable[[Sequence[Piece]], list[str]]


@dataclass
class Run:
    """What a way gave: the texts, and the seconds of each repetition, on the clock and of the processors."""

    texts: list[str] = field(default_factory=list)
    clock_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)


def pieces(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of a folder."""
    index = folder / "index.tsv"
    if index.is_file():
        with index.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                language = row.get("language") or row["file"][:2]
                yield Piece(row["file"], language, row["reference"], decode(folder / row["file"]).channel(0))
        return
    beside = folder.parent / "truth"
    for call in sorted(folder.glob("*.wav")):
        truth = json.loads(((beside if beside.is_dir() else folder) / f"{call.stem}.json").read_text(encoding="utf-8"))
        audio = decode(call)
        for channel, is_agent in ((0, True), (1, False)):
            said = " ".join(turn["text"] for turn in truth["turns"] if (turn["speaker"] == "agent") == is_agent)
            yield Piece(f"{call.stem}:{channel}", truth["language"], said, audio.channel(channel))


def joined(found: Sequence[Piece], most_s: float) -> list[Piece]:
    """Return long pieces made of the found ones, language by language."""
    made: list[Piece] = []
    for language in sorted({piece.language for piece in found}):
        own = [piece for piece in found if piece.language == language]
        part: list[Piece] = []
        for piece in own:
            if part and sum(len(p.samples) for p in [*part, piece]) > most_s * SPEECH_RATE_HZ:
                made.append(_join(part))
                part = []
            part.append(piece)
        made.append(_join(part))
    return made


def _join(part: Sequence[Piece]) -> Piece:
    gap = np.zeros(int(SILENCE_S * SPEECH_RATE_HZ), dtype=np.float32)
    samples = np.concatenate([row for piece in part for row in (piece.samples, gap)])
    return Piece(f"{part[0].name}+{len(part) - 1}", part[0].language, " ".join(p.truth for p in part), samples)


def ways(weights: Weights, threads: int) -> dict[str, Way]:
    """Return the ways that can be run here."""
    ours = FasterWhisperEngine(weights, threads)
    model = WhisperModel(str(weights.folder), device="cpu", compute_type="int8", cpu_threads=threads)
    batched = BatchedInferencePipeline(model)
    found: dict[str, Way] = {
        "plain": lambda found: [
            _text(model.transcribe(one.samples, language=one.language, beam_size=5)[0]) for one in found
        ],
        "plain_greedy": lambda found: [
            _text(model.transcribe(one.samples, language=one.language, beam_size=1)[0]) for one in found
        ],
        "batched": lambda found: [
            _text(batched.transcribe(one.samples, language=one.language, beam_size=5, batch_size=8)[0]) for one in found
        ],
        "ours": lambda found: [_said(ours.listen(one.samples, one.language)) for one in found],
        "ours_together": lambda found: _together(ours, found),
    }
    if importlib.util.find_spec("whisper") is not None:
        found |= openai_ways(weights, threads)
    return found


def openai_ways(weights: Weights, threads: int) -> dict[str, Way]:
    """Return OpenAI's own implementation with the same weights, with five beams and greedy."""
    import torch  # noqa: PLC0415 (there only where the peer is)

    from audit_service.transcription.engines.openai_weights import load  # noqa: PLC0415 (brings torch)

    torch.set_num_threads(threads)
    model = load(weights)

    def way(beams: int | None) -> Way:
        return lambda found: [
            str(model.transcribe(one.samples, language=one.language, beam_size=beams, fp16=False)["text"])
            for one in found
        ]

    return {PEER: way(5), "openai_greedy": way(None)}


def _together(engine: FasterWhisperEngine, found: Sequence[Piece]) -> list[str]:
    """Return what is said in the pieces, as many together as the service takes."""
    texts: dict[int, str] = {}
    for language in sorted({piece.language for piece in found}):
        own = [number for number, piece in enumerate(found) if piece.language == language]
        for first in range(0, len(own), TOGETHER):
            group = own[first : first + TOGETHER]
            heard = engine.listen_together([found[number].samples for number in group], language)
            texts |= {number: _said(passages) for number, passages in zip(group, heard, strict=True)}
    return [texts[number] for number in range(len(found))]


def _said(passages: Sequence[HeardPassage]) -> str:
    return " ".join(passage.text for passage in passages)


def _text(segments: object) -> str:
    return " ".join(segment.text for segment in segments)  # type: ignore[attr-defined]


def places(truth: str, heard: str) -> tuple[set[int], set[int]]:
    """Return the places of the reference's characters that are written rightly, and those where anything is written."""
    result = jiwer.process_characters(truth, heard) if truth else None
    chunks = result.alignments[0] if result is not None else ()
    found: dict[str, set[int]] = defaultdict(set)
    for chunk in chunks:
        found[chunk.type] |= set(range(chunk.ref_start_idx, chunk.ref_end_idx))
    return found["equal"], found["equal"] | found["substitute"]


def measured(found: Sequence[Piece], chosen: Mapping[str, Way], repeat: int) -> dict[str, Run]:
    """Return what each way gave; the ways take turns, so that none has a quieter machine than the others."""
    runs = {name: Run() for name in chosen}
    for _ in range(repeat):
        for name, way in chosen.items():
            clock, processor = time.perf_counter(), time.process_time()
            runs[name].texts = way(found)
            runs[name].clock_s.append(time.perf_counter() - clock)
            runs[name].processor_s.append(time.process_time() - processor)
            print(f"{name}: {runs[name].clock_s[-1]:.0f} s", file=sys.stderr, flush=True)
    return runs


def judged(found: Sequence[Piece], texts: Sequence[str], baseline: Sequence[str]) -> dict[str, Counter[str]]:
    """Return by language: errors, length, and the characters that the baseline writes, kept and heard."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for piece, text, reference in zip(found, texts, baseline, strict=True):
        truth, heard = plain(piece.truth, piece.language), plain(text, piece.language)
        measure = jiwer.process_characters if piece.language == "zh" else jiwer.process_words
        result = measure(truth, heard)
        right, any_ = places(truth, heard)
        known, _ = places(truth, plain(reference, piece.language))
        counts[piece.language] += Counter(
            errors=result.substitutions + result.deletions + result.insertions,
            length=result.hits + result.substitutions + result.deletions,
            known=len(known),
            kept=len(right & known),
            heard=len(any_ & known),
        )
    return counts


def table(found: Sequence[Piece], runs: Mapping[str, Run], threads: int) -> Iterator[str]:
    """Yield the lines of the table."""
    sound_s = sum(len(piece.samples) for piece in found) / SPEECH_RATE_HZ
    languages = sorted({piece.language for piece in found})
    heads = [f"{language} {'CER' if language == 'zh' else 'WER'}    kept   heard" for language in languages]
    yield f"{len(found)} pieces, {sound_s:.0f} s of sound, {threads} threads"
    yield f"{'way':14} {'clock':>6} {'x peer':>6} {'proc.':>6} {'x peer':>6}  " + "  ".join(heads)
    peer = runs.get(PEER)
    for name, run in runs.items():
        clock, processor = statistics.median(run.clock_s), statistics.median(run.processor_s)
        line = f"{name:14} {sound_s / clock:6.1f} {_multiple(peer and peer.clock_s, clock)}"
        line += f" {sound_s * threads / processor:6.1f} {_multiple(peer and peer.processor_s, processor)}"
        counts = judged(found, run.texts, runs[BASELINE].texts if BASELINE in runs else run.texts)
        for language in languages:
            row = counts[language]
            known = max(1, row["known"])
            line += f"  {row['errors'] / row['length']:6.3f}  {row['kept'] / known:6.3f}  {row['heard'] / known:6.3f}"
        yield line


def _multiple(peer: Sequence[float] | None, seconds: float) -> str:
    return f"{statistics.median(peer) / seconds:6.2f}" if peer else "     –"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--ways", default="", help="which, divided by commas; all if not given")
    parser.add_argument("--join", type=float, default=0.0, help="join pieces of a language up to so many seconds")
    parser.add_argument("--repeat", type=int, default=1, help="how often each way runs, taking turns")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    weights = locate_weights(None, Path(tempfile.gettempdir()) / "weights")
    found = [piece for folder in options.folders for piece in pieces(folder)]
    if options.join:
        found = joined(found, options.join)
    able = ways(weights, options.threads)
    chosen = {name: able[name] for name in (options.ways.split(",") if options.ways else able)}
    for line in table(found, measured(found, chosen, options.repeat), options.threads):
        print(line, flush=True)


if __name__ == "__main__":
    main()
