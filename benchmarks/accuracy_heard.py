"""Precision, recall and F1 on calls of the corpus as Whisper base hears them, beside the same calls as written.

``python benchmarks/speak.py FOLDER …`` speaks them first. The transcripts come from the project's own pipeline with its
defaults and are kept beside the recordings. Prints totals only, never words.

- errors: characters (Chinese) or words (English) that the transcripts have wrong, missing or too many;
- by call: one decision is one category in one call, as in accuracy.py;
- by turn: one decision is one category in one turn. What is found in the transcript counts for the turn of the same
  side that holds its label and overlaps in time, else for the turn that it overlaps most.

Run: python benchmarks/accuracy_heard.py FOLDER [--split tune] [--again] [--categories]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from accuracy import ROOT, UNJUDGED, Tally, conversation
from asr_samples import error, plain
from detection_samples import by_keywords
from layers import words_only

import corpus
from audit_service.detection import Conversation, Engine, Turn, load_packs
from audit_service.transcription.engines.faster_whisper import FasterWhisperEngine
from audit_service.transcription.pipeline import ListeningOptions, transcribe_file
from audit_service.transcription.weights import locate_weights

LEAST_OVERLAP_S = 0.2
DRAWS = 2000
Place = tuple[int | None, str]
"""The index of a turn in the transcript, and a category found there."""
Find = Callable[[Conversation], set[Place]]


@dataclass(frozen=True)
class SpokenCall:
    """A call of the corpus, the seconds of its turns in the recording, and what was heard."""

    item: corpus.Item
    seconds: tuple[tuple[float, float], ...]
    heard: Conversation

    def turn_of(self, heard: Turn, category: str) -> int | None:
        """Return the true turn that a category found in a heard turn counts for; None if nobody spoke there."""
        labelled = {label.turn for label in self.item.labels if label.category == category}
        overlaps = {
            number: overlap
            for number, ((speaker, _), seconds) in enumerate(zip(self.item.turns, self.seconds, strict=True))
            if (speaker == "agent") == (heard.speaker == "agent")
            and (overlap := _overlap(seconds, (heard.start_s or 0.0, heard.end_s or 0.0))) >= LEAST_OVERLAP_S
        }
        return max(overlaps, key=lambda number: (number in labelled, overlaps[number]), default=None)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    return min(one[1], other[1]) - max(one[0], other[0])


def listen(item: corpus.Item, file: Path, engine: FasterWhisperEngine) -> list[Turn]:
    """Return the turns of a recording as the pipeline hears them."""
    result = transcribe_file(file, engine, ListeningOptions(item.language, 0, item.recipient))
    return [Turn(part.speaker, part.text, part.start_s, part.end_s, part.confidence) for part in result.segments]


def spoken_calls(split: str, folder: Path, *, is_anew: bool) -> list[SpokenCall]:
    """Return the calls of a split that have a recording; those that were not heard yet are heard now."""
    engine = FasterWhisperEngine(locate_weights(None, Path(tempfile.gettempdir()) / "weights"))
    found = []
    for item in corpus.calls(split):
        file = item.recording(folder)
        if not file.exists():
            continue
        kept = file.with_suffix(".heard.json")
        if is_anew or not kept.exists():
            turns = [vars(turn) for turn in listen(item, file, engine)]
            kept.write_text(json.dumps(turns, ensure_ascii=False), encoding="utf-8")
        turns = tuple(Turn(**turn) for turn in json.loads(kept.read_text(encoding="utf-8")))
        seconds = tuple((start, end) for start, end in json.loads(file.with_suffix(".json").read_text()))
        found.append(SpokenCall(item, seconds, replace(conversation(item), turns=turns, source="asr")))
    return found


def errors(calls: Iterable[SpokenCall], language: str) -> tuple[int, int]:
    """Return the errors of the transcripts and the length of the references, side by side."""
    wrong = length = 0
    for call in calls:
        for is_agent in (True, False):
            true = " ".join(text for speaker, text in call.item.turns if (speaker == "agent") == is_agent)
            heard = " ".join(turn.text for turn in call.heard.turns if (turn.speaker == "agent") == is_agent)
            reference = plain(true, language)
            if reference:
                found, total = error(reference, plain(heard, language), language)
                wrong, length = wrong + found, length + total
    return wrong, length


def by_engine(engine: Engine) -> Find:
    """Return a finder that asks the engine."""
    return lambda given: {(finding.turn, finding.category) for finding in engine.scan(given).findings}


def keywords(given: Conversation) -> set[Place]:
    """Return the categories whose keywords stand in each turn."""
    return {
        (number, category)
        for number, turn in enumerate(given.turns)
        for category in by_keywords(replace(given, turns=(turn,)))
    }


def judged(call: SpokenCall, find: Find, *, is_heard: bool) -> tuple[Tally, Tally]:
    """Return the tallies of one call, by call and by turn, of what was heard or of what is written."""
    by_call, by_turn = Tally(), Tally()
    given = call.heard if is_heard else conversation(call.item)
    found = find(given)
    by_call.add(call.item.categories, {category for _, category in found})
    placed = {
        (call.turn_of(given.turns[turn], category) if is_heard else turn, category)
        for turn, category in found
        if turn is not None
    }
    truth = {(label.turn, label.category) for label in call.item.labels}
    for number in {turn for turn, _ in truth | placed}:
        categories = frozenset(category for turn, category in truth if turn == number)
        by_turn.add(categories, {category for turn, category in placed if turn == number})
    return by_call, by_turn


def total(tallies: Iterable[Tally]) -> Tally:
    """Return tallies added up."""
    whole = Tally()
    for tally in tallies:
        whole.right.update(tally.right)
        whole.extra.update(tally.extra)
        whole.missed.update(tally.missed)
    return whole


def interval(tallies: Sequence[Tally]) -> tuple[float, float]:
    """Return where the F1 of other calls of this kind would lie in 95 of 100 cases (calls drawn anew, fixed seed)."""
    counts = np.array([[tally.right.total(), tally.extra.total() + tally.missed.total()] for tally in tallies])
    drawn = counts[np.random.default_rng(1).integers(0, len(counts), (DRAWS, len(counts)))].sum(axis=1)
    low, high = np.percentile(2 * drawn[:, 0] / np.maximum(1, 2 * drawn[:, 0] + drawn[:, 1]), [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    """Print the errors of the transcripts and a table of findings, for each language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="tune", choices=corpus.SPLITS)
    parser.add_argument("--again", action="store_true", help="transcribe anew what was transcribed before")
    parser.add_argument("--categories", action="store_true")
    given = parser.parse_args()
    packs = load_packs([ROOT / "rules" / "cn", ROOT / "rules" / "us"])
    finders: dict[str, Find] = {
        "rules and model": by_engine(Engine(packs)),
        "rules alone": by_engine(Engine([words_only(pack) for pack in packs])),
        "keyword list": keywords,
    }
    every = spoken_calls(given.split, given.folder, is_anew=given.again)
    for language, unit in (("zh", "characters"), ("en", "words")):
        calls = [call for call in every if call.item.language == language]
        if not calls:
            continue
        wrong, length = errors(calls, language)
        whole = sum(item.language == language for item in corpus.calls(given.split))
        labels = sum(len(call.item.categories - UNJUDGED) for call in calls)
        minutes = sum(max(end for _, end in call.seconds) for call in calls) / 60
        print(f"\n{given.split} {language}: {len(calls)} of {whole} calls, {minutes:.0f} minutes, {labels} categories")
        print(
            f"  errors: {wrong / length:.3f} of {length} {unit}; below: precision, recall, F1 (95 % interval by calls)"
        )
        for name, find in finders.items():
            for source in ("heard", "written"):
                tallies = [judged(call, find, is_heard=source == "heard") for call in calls]
                by_call, by_turn = (total(kind) for kind in zip(*tallies, strict=True))
                low, high = interval([one for one, _ in tallies])
                print(
                    f"  {name:16} {source:8}"
                    + "  by call {:.3f} {:.3f} {:.3f}".format(*by_call.rates())
                    + f" ({low:.2f}-{high:.2f})"
                    + "  by turn {:.3f} {:.3f} {:.3f}".format(*by_turn.rates())
                )
                for category in by_call.categories if given.categories and find is not keywords else ():
                    print("      {:32} {:.2f} {:.2f} {:.2f}".format(category, *by_call.rates(category)))


if __name__ == "__main__":
    main()
