"""A passage: what one speaker says in a row, as one folded text whose every character knows its turn.

Recognisers cut speech where the speaker breathes, not where a sentence ends; so their segments are read together.
Typed messages are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from audit_service.detection._folding import count_steps
from audit_service.detection.folding import SENTENCE_ENDS, fold
from audit_service.detection.values import Conversation, Turn

BREATH_S = 2.0


class Place(NamedTuple):
    """A stretch of a turn, as character offsets of its text as written."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """Folded text of one or more turns; parallel lists, one entry a folded character."""

    speaker: str
    turns: tuple[int, ...]
    text: str
    of_turn: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]
    noise: int

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Return the running count of Chinese characters and Latin words."""
        return count_steps(self.text)

    def gap(self, left_end: int, right_start: int) -> int:
        """Return how many steps lie between two stretches; negative if they overlap."""
        return self.steps[right_start] - self.steps[left_end - 1] - 1

    def is_one_sentence(self, start: int, end: int) -> bool:
        """Tell whether the stretch lies in one sentence."""
        return self.sentences[start] == self.sentences[end - 1]

    def is_one_clause(self, start: int, end: int) -> bool:
        """Tell whether the stretch lies in one clause."""
        return self.clauses[start] == self.clauses[end - 1]

    def original_place(self, start: int, end: int) -> Place:
        """Return where a stretch was written; where it spans turns, in the turn that holds most of it."""
        if len(self.turns) == 1 and self.text[start] != " " != self.text[end - 1]:
            return Place(self.turns[0], self.starts[start], self.ends[end - 1])
        by_turn: dict[int, list[int]] = {}
        for place in range(start, end):
            by_turn.setdefault(self.of_turn[place], []).append(place)
        index, places = max(by_turn.items(), key=lambda item: (len(item[1]), -item[0]))
        real = [place for place in places if self.ends[place] > self.starts[place]]
        return Place(index, min(self.starts[place] for place in real), max(self.ends[place] for place in real))


def passages(conversation: Conversation, indexes: Iterable[int] | None = None) -> list[Passage]:
    """Return the passages of the conversation, or of those of its turns that ``indexes`` names."""
    chosen = range(len(conversation.turns)) if indexes is None else indexes
    if conversation.source == "typed":
        return [passage_of(conversation, [index]) for index in chosen]
    groups: list[list[int]] = []
    open_group: dict[str, list[int]] = {}
    for index in chosen:
        turn = conversation.turns[index]
        group = open_group.get(turn.speaker)
        if group is not None and _continues(conversation, group[-1], index):
            group.append(index)
        else:
            group = [index]
            groups.append(group)
            open_group[turn.speaker] = group
    return [passage_of(conversation, group) for group in groups]


def _continues(conversation: Conversation, former: int, index: int) -> bool:
    before, after = conversation.turns[former], conversation.turns[index]
    if before.end_s is None or after.start_s is None:
        return former + 1 == index
    return after.start_s - before.end_s <= BREATH_S


def passage_of(conversation: Conversation, indexes: list[int]) -> Passage:
    """Return the given turns, all of one speaker, as one passage."""
    if len(indexes) == 1:
        return _of_one_turn(conversation, indexes[0])
    rows: tuple[list[int], list[int], list[int], list[int], list[int]] = ([], [], [], [], [])
    of_turn, starts, ends, sentences, clauses = rows
    text = ""
    noise = sentence = clause = 0
    for index in indexes:
        turn = conversation.turns[index]
        folded = fold(turn.text)
        if text and folded.text and text[-1].isascii() and folded.text[0].isascii():
            text += " "
            for row, value in zip(rows, (index, 0, 0, sentence, clause), strict=True):
                row.append(value)
        text += folded.text
        noise += folded.noise
        of_turn += [index] * len(folded.text)
        starts += folded.starts
        ends += folded.ends
        sentences += [sentence + number for number in folded.sentences]
        clauses += [clause + number for number in folded.clauses]
        sentence = (sentences[-1] if sentences else 0) + _ends_sentence(turn)
        clause = (clauses[-1] if clauses else 0) + 1
    speaker = conversation.turns[indexes[0]].speaker
    return Passage(
        speaker,
        tuple(indexes),
        text,
        tuple(of_turn),
        tuple(starts),
        tuple(ends),
        tuple(sentences),
        tuple(clauses),
        noise,
    )


def _of_one_turn(conversation: Conversation, index: int) -> Passage:
    turn = conversation.turns[index]
    one = fold(turn.text)
    of_turn = (index,) * len(one.text)
    return Passage(
        turn.speaker, (index,), one.text, of_turn, one.starts, one.ends, one.sentences, one.clauses, one.noise
    )


def _ends_sentence(turn: Turn) -> bool:
    tail = turn.text.rstrip()[-1:]
    return tail in SENTENCE_ENDS or tail == "."
