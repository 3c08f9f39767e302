"""The compiled parts of the engine give what plain Python gives: folded texts, places of words, sums of weights."""

from __future__ import annotations

import io
import itertools
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.detection._folding import count_steps
from audit_service.detection._searching import Automaton, Words
from audit_service.detection._weighing import BUCKET_BITS
from audit_service.detection.folding import (
    APOSTROPHES,
    CLAUSE_ENDS,
    JOINING,
    LEET,
    ORDINARY_SIGNS,
    SENTENCE_ENDS,
    SPLIT_CHARACTERS,
    Folded,
    fold,
    fold_character,
    folded_texts,
    is_chinese,
    unleeted,
)
from audit_service.detection.pieces import pieces_of
from audit_service.detection.sounds import hides_pinyin
from audit_service.detection.wordings import ANY_CONDUCT, ANY_SIGNAL, WordingModel

ROOT = Path(__file__).resolve().parents[2]
SIGNS = "你打电话还钱法院扌丁氵去payw1th0359€@$.,，。！'’ -/#*·\n\u3000８４🐶éｐ還ﬁ½㎏\u0301\u200b\ud800"
WRITING = st.text(alphabet=SIGNS, max_size=24)
CORPUS = [
    re.sub(r"\{[a-z_]+:([^{}]*)\}", r"\1", line.partition("\t")[2])
    for split in ("train", "tune")
    for file in sorted((ROOT / "corpus" / split).glob("*.txt"))
    for line in file.read_text(encoding="utf-8").splitlines()[::3]
]


class PlainFold:
    """The fold, written plainly: one character at a time, left to right."""

    def __init__(self, text: str) -> None:
        self.original = text
        self.row: list[tuple[str, int, int, int, int]] = []
        self.sentence = self.clause = self.noise = 0
        self.pending_space = self.pending_gap = False
        self.pending_signs = ""
        place = 0
        while place < len(text):
            whole = SPLIT_CHARACTERS.get(text[place : place + 2])
            if whole is not None:
                self.noise += 1
                self.keep(whole, place, place + 2)
                place += 2
                continue
            for part in fold_character(text[place]):
                self.take(part, place)
            place += 1
        self.unleet()
        self.join_spelled_words()

    def take(self, character: str, place: int) -> None:
        if character.isalnum():
            self.keep(character, place, place + 1)
        elif character in LEET and self.is_inside_word(place):
            self.keep(LEET[character], place, place + 1)
            self.noise += 1
        elif character == ".":
            after = self.original[place + 1 : place + 2]
            if after and not after.isspace() and self.row:
                self.pending_space = True
                self.pending_signs += "."
            else:
                self.boundary(is_sentence=True)
        elif character in SENTENCE_ENDS or character in CLAUSE_ENDS:
            self.boundary(is_sentence=character in SENTENCE_ENDS)
        elif character in JOINING:
            self.pending_signs += character
        elif character.isspace():
            self.pending_space = self.pending_gap = True
        elif character not in APOSTROPHES:
            self.pending_space = True
            self.pending_signs += character

    def is_inside_word(self, place: int) -> bool:
        before, after = self.original[place - 1 : place], self.original[place + 1 : place + 2]
        return bool(before) and bool(after) and (before + after).isascii() and (before + after).isalpha()

    def boundary(self, *, is_sentence: bool) -> None:
        self.clause += 1
        self.sentence += is_sentence
        self.pending_space = True
        self.pending_gap = False
        self.pending_signs = ""

    def keep(self, folded: str, start: int, end: int) -> None:
        if self.row:
            before = self.row[-1][0]
            if self.pending_signs and not self.pending_gap and self.row[-1][4] == self.clause:
                self.noise += self.hides(before, folded)
            if self.pending_space and not is_chinese(before) and not is_chinese(folded):
                self.row.append((" ", start, start, self.sentence, self.clause))
        self.pending_space = self.pending_gap = False
        self.pending_signs = ""
        self.row.append((folded, start, end, self.sentence, self.clause))

    def hides(self, before: str, after: str) -> bool:
        if is_chinese(before) and is_chinese(after):
            return True
        if is_chinese(before) or is_chinese(after) or before.isdigit() or after.isdigit():
            return False
        return not ORDINARY_SIGNS.issuperset(self.pending_signs)

    def unleet(self) -> None:
        for word in re.finditer("[a-z0-9]+", "".join(entry[0] for entry in self.row)):
            if re.search("[a-z]", word.group()):
                for place, plain in zip(range(*word.span()), unleeted(word.group()), strict=True):
                    self.noise += self.row[place][0] != plain
                    self.row[place] = (plain, *self.row[place][1:])

    def join_spelled_words(self) -> None:
        text = "".join(entry[0] for entry in self.row)
        drop = {
            place
            for run in re.finditer(r"(?<![^ ])[a-z](?: [a-z]){2,}(?![^ ])", text)
            for place in range(run.start() + 1, run.end() - 1, 2)
        }
        self.noise += bool(drop)
        self.row = [entry for place, entry in enumerate(self.row) if place not in drop]

    def result(self) -> Folded:
        characters = [entry[0] for entry in self.row]
        starts, ends, sentences, clauses = (tuple(entry[n] for entry in self.row) for n in range(1, 5))
        return Folded("".join(characters), starts, ends, plain_steps(characters), sentences, clauses, self.noise)


def plain_steps(characters: list[str]) -> tuple[int, ...]:
    """Return the running number of Chinese characters and Latin words."""
    begins = [
        sign != " " and (is_chinese(sign) or before == " " or is_chinese(before))
        for before, sign in itertools.pairwise([" ", *characters])
    ]
    return tuple(itertools.accumulate(map(int, begins)))


def is_folded_as_plainly(texts: list[str]) -> bool:
    together = folded_texts(texts)
    for number, text in enumerate(texts):
        plain = PlainFold(text).result()
        hides = plain.noise > 0 or hides_pinyin(plain.text)
        if plain != Folded(*together.rows(number)) or plain != fold(text) or together.hides(number) != hides:
            return False
        if count_steps(plain.text) != plain.steps:
            return False
    return True


@given(st.lists(WRITING, max_size=6))
@settings(max_examples=1000, deadline=None)
def test_texts_are_folded_as_plain_python_folds_them(texts: list[str]) -> None:
    assert is_folded_as_plainly(texts)


def test_real_messages_are_folded_as_plain_python_folds_them() -> None:
    chance = random.Random(5)  # noqa: S311 (no secret)

    def soiled(text: str) -> str:
        places = sorted(chance.choices(range(len(text) + 1), k=3))
        return "".join(
            text[begin:end] + chance.choice(SIGNS) for begin, end in zip([0, *places], [*places, None], strict=True)
        )

    assert is_folded_as_plainly(CORPUS)
    assert is_folded_as_plainly([soiled(text) for text in CORPUS])


@given(st.lists(st.text("abcd你我他", min_size=1, max_size=5), max_size=30), st.text("abcdx你我他", max_size=60))
@settings(max_examples=1000, deadline=None)
def test_the_automaton_finds_every_place_of_every_literal(literals: list[str], text: str) -> None:
    found = Automaton([map(ord, literal) for literal in literals]).matches([ord(sign) for sign in text])
    naive = [
        (number, start, start + len(literal))
        for number, literal in enumerate(literals)
        for start in range(len(text))
        if text.startswith(literal, start)
    ]
    assert sorted(found) == sorted(naive)
    assert [end for _, _, end in found] == sorted(end for _, _, end in found)


def test_characters_beyond_the_basic_plane_are_found() -> None:
    literals = ["\U00020000你", "🐶", "ab"]
    found = Automaton([map(ord, literal) for literal in literals]).matches([ord(sign) for sign in "x\U00020000你🐶"])
    assert found == [(0, 1, 3), (1, 3, 4)]


def test_an_empty_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Automaton([[1], []])


@given(
    st.lists(st.sampled_from(["pay", "pay*", "pay now", "你还钱", "还钱", "还", "sue你", "你sue"]), unique=True),
    WRITING,
)
@settings(max_examples=500, deadline=None)
def test_latin_words_are_found_whole_and_chinese_ones_in_one_clause(words: list[str], noise: str) -> None:
    folded = fold(f"pay now, {noise} 你还钱pays。你，sue你还")
    latin = "[^ \u3400-\u9fff]"
    naive = []
    for number, word in enumerate(words):
        plain = word.rstrip("*")
        before = "" if is_chinese(plain[0]) else f"(?<!{latin})"
        after = "" if word.endswith("*") or is_chinese(plain[-1]) else f"(?!{latin})"
        for match in re.finditer(f"(?={before}{re.escape(plain)}{after})", folded.text):
            last = folded.clauses[match.start() + len(plain) - 1]
            if not is_chinese(plain[0]) or folded.clauses[match.start()] == last:
                naive.append((number, match.start(), match.start() + len(plain)))
    assert sorted(Words(words).places(folded.text, folded.clauses)) == sorted(naive)


def plain_pieces(text: str) -> list[tuple[str, int]]:
    """Return the pieces of a folded text with their buckets, by the formula alone."""
    base, mask = 0x9E3779B97F4A7C15, (1 << 64) - 1
    salts = (0x1B873593CC9E2D51, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63)

    def mixed(codes: list[int]) -> int:
        return sum(code * pow(base, power, 1 << 64) for power, code in enumerate(codes)) & mask

    def bucket(value: int) -> int:
        value &= mask
        return (((value ^ (value >> 32)) * 0xFF51AFD7ED558CCD) & mask) >> (64 - BUCKET_BITS)

    tokens = list(re.finditer(r"[\u3400-\u9fff]|[^ \u3400-\u9fff]+", text))
    found = []
    for length in (1, 2, 3):
        for first in range(len(tokens) - length + 1):
            run = tokens[first : first + length]
            value = 0
            for token in run:
                value = value * base + mixed([*map(ord, token.group())])
            found.append((text[run[0].start() : run[-1].end()], bucket(value * salts[length - 1])))
    bounded = re.sub(r"[ \u3400-\u9fff]", "#", f" {text} ")
    for place in range(len(bounded) - 3):
        window = bounded[place : place + 4]
        if "#" not in window[1:3] and window.count("#") < 2:
            found.append((f" {text} "[place : place + 4].strip(), bucket(mixed([*map(ord, window)]) * salts[3])))
    return found


@given(st.text("打电话钱 payw12éa", max_size=20))
@settings(max_examples=500, deadline=None)
def test_pieces_are_those_of_the_formula(text: str) -> None:
    line = fold(text).text
    pieces = pieces_of([line])
    rows = zip(pieces.starts, pieces.ends, pieces.buckets, strict=True)
    spelled = [(line[max(0, start) : end].strip(), bucket) for start, end, bucket in rows]
    assert spelled == plain_pieces(line)


def test_log_odds_are_the_plain_sums() -> None:
    chance = np.random.default_rng(1)
    lines = [fold(text).text for text in CORPUS[::40]] + [""]
    buckets = chance.permutation(np.unique(pieces_of(lines[::2]).buckets))
    rarity = chance.uniform(1, 9, len(buckets)).astype(np.float32)
    weights = chance.normal(0, 1, (len(buckets), 3)).astype(np.float16)
    weights[:2] = [[6e-8, -6e-5, 0.0], [-0.0, 65504, 1e-7]]
    bias = np.array([-1, 0.5, 0.25], dtype=np.float32)
    stored = io.BytesIO()
    names = f"a\n{ANY_CONDUCT}\n{ANY_SIGNAL}"
    np.savez(stored, buckets=buckets, rarity=rarity, weights=weights, bias=bias, categories=np.array(names))
    row_of = {bucket: row for row, bucket in enumerate(buckets.tolist())}
    model = WordingModel(stored.getvalue())
    odds = model.odds(lines)
    for line, found in zip(lines, odds, strict=True):
        rows = [row_of[bucket] for bucket in pieces_of([line]).buckets if bucket in row_of]
        length = np.sqrt(max(np.sum(np.square(rarity[rows]), dtype=np.float64), 1e-9))
        shares = weights[rows].astype(np.float32) * rarity[rows][:, None]
        sums = np.sum(shares, axis=0, dtype=np.float64) / length + bias
        np.testing.assert_allclose(found, sums, rtol=1e-5, atol=1e-5)


def test_texts_whose_log_odds_reach_a_bar_are_named() -> None:
    model = WordingModel((ROOT / "rules" / "us" / "model" / "wording.npz").read_bytes())
    texts = folded_texts(CORPUS)
    odds = model.odds([texts.line(number) for number in range(texts.count)])
    for bar in (-3.0, -1.0, 0.0):
        may = model.may_propose(texts, [(2, 0, bar, bar), (5, 1, bar + 1, bar)], (False, False), np.inf)
        first = (odds[:, 2] >= bar) & (odds[:, -2] >= bar)
        second = (odds[:, 5] >= bar + 1) & (odds[:, -1] >= bar + 1)
        assert list(may) == (first | second).tolist()
        assert 0 < sum(may) < len(may)
