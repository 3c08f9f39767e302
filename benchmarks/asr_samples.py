"""Character (zh) and word (en) errors and speed on sample calls, ours beside plain faster-whisper, in one run.

Run: python benchmarks/asr_samples.py --calls samples/calls --truth samples/truth
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import jiwer
from faster_whisper import WhisperModel

from audit_service.media.services import decode
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.normalisation import normalise
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.weights import locate_weights

NO_WORD = re.compile(r"[^\w\s]|_")


def plain(text: str, language: str) -> str:
    """Return text without punctuation, lower case; Chinese without spaces."""
    bare = NO_WORD.sub("", normalise(text, language)).lower()
    return bare.replace(" ", "") if language == "zh" else bare


def error(truth: str, heard: str, language: str) -> tuple[int, int]:
    """Return (errors, reference length) in characters for Chinese, in words for English."""
    measure = jiwer.process_characters if language == "zh" else jiwer.process_words
    result = measure(truth, heard)
    reference = len(truth) if language == "zh" else len(truth.split())
    return result.substitutions + result.deletions + result.insertions, reference


def main() -> None:
    """Print a line for each call and the totals of both engines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    given = parser.parse_args()
    weights = locate_weights(None, Path(tempfile.gettempdir()) / "weights")
    ours, baseline = FasterWhisperEngine(weights), WhisperModel(str(weights.folder), device="cpu", compute_type="int8")
    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    seconds = {"ours": 0.0, "plain": 0.0, "audio": 0.0}
    for truth_file in sorted(given.truth.glob("*-[0-9][0-9].json")):
        truth = json.loads(truth_file.read_text(encoding="utf-8"))
        call, language = given.calls / f"{truth_file.stem}.wav", truth["language"]
        reference = {
            speaker: plain(
                " ".join(t["text"] for t in truth["turns"] if (t["speaker"] == "agent") == speaker), language
            )
            for speaker in (True, False)
        }
        began = time.monotonic()
        result = transcribe_file(call, ours, ListeningOptions(language, 0, "borrower"))
        seconds["ours"] += time.monotonic() - began
        seconds["audio"] += result.duration_s * 2
        line = [truth_file.stem]
        for speaker, channel in ((True, 0), (False, 1)):
            text = " ".join(segment.text for segment in result.segments if segment.channel == channel)
            wrong, length = error(reference[speaker], plain(text, language), language)
            totals["ours", language][0] += wrong
            totals["ours", language][1] += length
            line.append(f"{'agent' if speaker else 'other'} {wrong / length:.2f}")
        audio = decode(call)
        began = time.monotonic()
        for speaker, channel in ((True, 0), (False, 1)):
            found, _ = baseline.transcribe(audio.channel(channel), language=language, beam_size=5)
            text = " ".join(segment.text for segment in found)
            wrong, length = error(reference[speaker], plain(text, language), language)
            totals["plain", language][0] += wrong
            totals["plain", language][1] += length
        seconds["plain"] += time.monotonic() - began
        print("  ".join(line))
    for (engine, language), (wrong, length) in sorted(totals.items()):
        unit = "CER" if language == "zh" else "WER"
        print(
            f"{engine:6} {language}: {unit} {wrong / length:.3f}; {seconds['audio'] / seconds[engine]:.1f} x real time"
        )


if __name__ == "__main__":
    main()
