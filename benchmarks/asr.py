"""Speed, errors and characters kept of ways to run Whisper on the same audio and weights, in one run.

Ways: openai-whisper (beam 5 and greedy; where it is installed, see requirements-openai.txt), faster-whisper plain and
batched, and ours. Errors are characters for Chinese, words for English. Kept: of the characters of the reference that
the plain decoder (faster-whisper, beam 5) aligns, the share that the way aligns too; less than 99 % is dropped speech.

Run: python benchmarks/asr.py FOLDER… [--ways ours,plain] [--join SECONDS]
A folder holds audio with ``index.tsv`` (file, language, text …) or JSON of true turns beside stereo calls.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
from asr_samples import plain
from faster_whisper import BatchedInferencePipeline, WhisperModel
from numpy.typing import NDArray

from audit_service.media.services import SPEECH_RATE_HZ, decode
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.weights import Weights, locate_weights

Samples = NDArray[np.float32]
Way = Callable[[Samples, str], str]
SILENCE_S = 0.5


@dataclass(frozen=True)
class Piece:
    """One channel of audio with what is said in it."""

    name: str
    language: str
    truth: str
    samples: Samples


def pieces(folder: Path) -> Iterator[Piece]:
    """Yield the pieces of a folder."""
    index = folder / "index.tsv"
    if index.is_file():
        with index.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                language = row.get("language") or row["file"][:2]
                yield Piece(row["file"], language, row["reference"], decode(folder / row["file"]).channel(0))
        return
    for truth_file in sorted(folder.glob("*.json")):
        truth = json.loads(truth_file.read_text(encoding="utf-8"))
        audio = decode(truth_file.with_suffix(".wav"))
        for channel, is_agent in ((0, True), (1, False)):
            said = " ".join(turn["text"] for turn in truth["turns"] if (turn["speaker"] == "agent") == is_agent)
            yield Piece(f"{truth_file.stem}:{channel}", truth["language"], said, audio.channel(channel))


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


def ways(weights: Weights) -> dict[str, Way]:
    """Return the ways that can be run here."""
    ours = FasterWhisperEngine(weights)
    model = WhisperModel(str(weights.folder), device="cpu", compute_type="int8", cpu_threads=2)
    batched = BatchedInferencePipeline(model)
    found: dict[str, Way] = {
        "plain": lambda samples, language: _text(model.transcribe(samples, language=language, beam_size=5)[0]),
        "plain_greedy": lambda samples, language: _text(model.transcribe(samples, language=language, beam_size=1)[0]),
        "batched": lambda samples, language: _text(
            batched.transcribe(samples, language=language, beam_size=5, batch_size=8)[0]
        ),
        "ours": lambda samples, language: " ".join(passage.text for passage in ours.listen(samples, language)),
    }
    if importlib.util.find_spec("whisper") is not None:
        from audit_service.transcription.engines.openai_weights import load  # noqa: PLC0415 (torch is there only where the peer is)

        original = load(weights)
        for name, beams in (("openai_beam_5", 5), ("openai_greedy", None)):
            found[name] = lambda samples, language, beams=beams: str(  # type: ignore[misc]
                original.transcribe(samples, language=language, beam_size=beams, fp16=False)["text"]
            )
    return found


def _text(segments: object) -> str:
    return " ".join(segment.text for segment in segments)  # type: ignore[attr-defined]


def aligned(truth: str, heard: str) -> set[int]:
    """Return the places of the reference's characters that stand in what was heard too."""
    result = jiwer.process_characters(truth, heard) if truth else None
    chunks = result.alignments[0] if result is not None else ()
    return {
        place for chunk in chunks if chunk.type == "equal" for place in range(chunk.ref_start_idx, chunk.ref_end_idx)
    }


def main() -> None:
    """Print a line for each way and language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--ways", default="")
    parser.add_argument("--join", type=float, default=0.0)
    options = parser.parse_args()
    weights = locate_weights(None, Path(tempfile.gettempdir()) / "weights")
    found = [piece for folder in options.folders for piece in pieces(folder)]
    if options.join:
        found = joined(found, options.join)
    able = ways(weights)
    chosen = options.ways.split(",") if options.ways else list(able)
    baseline: dict[str, set[int]] = {}
    for name in sorted(chosen, key=lambda way: way != "plain"):
        errors: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        seconds, heard_s = 0.0, 0.0
        for piece in found:
            begun = time.perf_counter()
            heard = plain(able[name](piece.samples, piece.language), piece.language)
            seconds += time.perf_counter() - begun
            heard_s += len(piece.samples) / SPEECH_RATE_HZ
            truth = plain(piece.truth, piece.language)
            measure = jiwer.process_characters if piece.language == "zh" else jiwer.process_words
            result = measure(truth, heard)
            kept = aligned(truth, heard)
            reference = baseline.setdefault(piece.name, kept)
            row = errors[piece.language]
            row[0] += result.substitutions + result.deletions + result.insertions
            row[1] += result.hits + result.substitutions + result.deletions
            row[2] += len(kept & reference)
            row[3] += len(reference)
        figures = "  ".join(
            f"{language} errors {row[0] / row[1]:.3f} kept {row[2] / max(1, row[3]):.3f}"
            for language, row in sorted(errors.items())
        )
        print(f"{name:14} {heard_s / seconds:5.1f} x real time  {figures}", flush=True)


if __name__ == "__main__":
    main()
