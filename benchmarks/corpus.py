"""Read the labelled corpus: messages and calls with the stretches that show each category of conduct.

A file of messages holds one a line, ``FLAGS<TAB>text``, where the text carries its labels in place:
``{threat_violence:the words}``. A file of calls (``*-calls.txt``) holds turns ``A: …``, ``B: …``, ``T: …`` under
``## call NAME``. The guide to the labels is corpus/README.md. The split is by author: nobody stands in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "corpus"
SPLITS = ("train", "tune", "test")
SPEAKERS = {"A": "agent", "B": "borrower", "T": "third_party"}
_LABEL = re.compile(r"\{([a-z_]+):([^{}]*)\}")


@dataclass(frozen=True)
class Label:
    """One labelled stretch, as character offsets in the text of its turn."""

    category: str
    turn: int
    start: int
    end: int


@dataclass(frozen=True)
class Item:
    """One message (a single turn) or one call. ``turns`` are pairs of speaker and text."""

    id: str
    language: str
    author: str
    split: str
    recipient: str
    is_obfuscated: bool
    is_near_miss: bool
    turns: tuple[tuple[str, str], ...]
    labels: tuple[Label, ...]

    @property
    def categories(self) -> frozenset[str]:
        """Return the categories that the labels name."""
        return frozenset(label.category for label in self.labels)

    def recording(self, folder: Path) -> Path:
        """Return where speak.py writes the recording of a call; the seconds of its turns lie beside it."""
        return folder / self.split / f"{self.id.replace(':', '-')}.wav"


def unlabelled(marked: str, turn: int) -> tuple[str, list[Label]]:
    """Return a text without its marks, and the labels with their offsets."""
    parts: list[str] = []
    labels: list[Label] = []
    length = last = 0
    for match in _LABEL.finditer(marked):
        parts += [marked[last : match.start()], match[2]]
        start = length + match.start() - last
        length = start + len(match[2])
        labels.append(Label(match[1], turn, start, length))
        last = match.end()
    return "".join([*parts, marked[last:]]), labels


def messages(split: str) -> Iterator[Item]:
    """Return the messages of a split, in the order of file names and lines."""
    for file in sorted((ROOT / split).glob("*.txt")):
        if file.stem.endswith("-calls"):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            flags, _, marked = line.partition("\t")
            if not marked:
                continue
            text, labels = unlabelled(marked, 0)
            sender = next((name for letter, name in SPEAKERS.items() if letter in flags and letter != "A"), "agent")
            yield Item(
                id=f"{file.stem}:{number}",
                language=file.stem[:2],
                author=file.stem.rsplit("-", 1)[0],
                split=split,
                recipient="third_party" if "R" in flags or sender == "third_party" else "borrower",
                is_obfuscated="O" in flags,
                is_near_miss="L" in flags,
                turns=((sender, text),),
                labels=tuple(labels),
            )


def calls(split: str) -> Iterator[Item]:
    """Return the calls of a split."""
    for file in sorted((ROOT / split).glob("*-calls.txt")):
        for number, part in enumerate(re.split(r"(?m)^## .*$", file.read_text(encoding="utf-8"))[1:], 1):
            yield _call(file, split, number, part)


def _call(file: Path, split: str, number: int, part: str) -> Item:
    turns: list[tuple[str, str]] = []
    labels: list[Label] = []
    for line in part.strip().splitlines():
        letter, _, marked = line.partition(":")
        if letter.strip() not in SPEAKERS:
            continue
        text, found = unlabelled(marked.strip(), len(turns))
        turns.append((SPEAKERS[letter.strip()], text))
        labels += found
    is_to_third_party = "third_party" in {speaker for speaker, _ in turns}
    return Item(
        id=f"{file.stem}:{number}",
        language=file.stem[:2],
        author=file.stem.removesuffix("-calls"),
        split=split,
        recipient="third_party" if is_to_third_party else "borrower",
        is_obfuscated=False,
        is_near_miss=not labels,
        turns=tuple(turns),
        labels=tuple(labels),
    )
