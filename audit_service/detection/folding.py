"""The text plane: one spelling for many, with a way back to the original.

NFKC, lower case, traditional to simplified (the character table of OpenCC), look-alike letters, characters taken
apart (扌丁 for 打), and everything that was put between the characters of a word removed. Every folded character
knows the stretch of original text it came from.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

SENTENCE_ENDS = frozenset("。！？!?;；\n…")
CLAUSE_ENDS = frozenset('，、：,:“”"「」『』《》（）()【】[]')
# A component on the left never stands alone in ordinary writing, so a pair can only be one character taken apart.
SPLIT_CHARACTERS = {
    "扌丁": "打", "扌爪": "抓", "扌召": "招", "扌甫": "捕", "扌匕": "批", "扌包": "抱", "氵去": "法", "氵曹": "漕",
    "讠斥": "诉", "讠兑": "说", "讠正": "证", "讠斤": "诉", "讠人": "认", "亻昔": "借", "亻责": "债", "亻贷": "贷",
    "钅戋": "钱", "忄白": "怕", "犭句": "狗", "犭者": "猪", "纟合": "给", "纟及": "级", "饣我": "饿", "阝完": "院",
    "冫欠": "次", "彳聿": "律", "彳主": "往", "贝戋": "贱", "贝分": "贫", "刂歹": "列",
}  # fmt: skip
LOOK_ALIKES = str.maketrans("аеорсхуіѕԁӏνοαεκ", "aeopcxyisdlvoaek")
LEET = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "9": "g", "@": "a", "$": "s", "€": "e", "¢": "c",
}  # fmt: skip
_WORD = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*")
_DIGITS_INSIDE = re.compile(r"(?<=[a-z])(?:11|([0134579])\1?)(?=[a-z])")
_DIGIT_FIRST = re.compile(r"[135][a-z]{3,}")
_DIGIT_LAST = re.compile(r"[a-z]{3,}3")
_COUNTED = frozenset({
    "day", "days", "min", "mins", "minute", "minutes", "hrs", "hour", "hours", "week", "weeks", "wks", "month",
    "months", "mths", "year", "years", "yrs", "sec", "secs", "times", "per", "emi", "emis", "usd", "kes", "inr",
    "php", "ngn", "pesos", "bob", "naira", "rupees", "dollars", "pounds", "percent", "grand", "quid", "bucks",
    "lakh", "lakhs", "crore", "thousand", "hundred", "million", "people", "ppl", "calls", "more", "and", "for",
})  # fmt: skip
APOSTROPHES = frozenset("'’`´")
ORDINARY_SIGNS = frozenset("-./:&+@#%=–—")
JOINING = frozenset("*_|~^·•\u00ad\u200b\u200c\u200d\u2060\ufeff")
_SPELLED_LETTERS = 3
MOST_REMEMBERED = 8192


@dataclass(frozen=True)
class Folded:
    """A folded text. Parallel lists, one entry a folded character.

    Attributes:
        starts, ends: the stretch of original text, as character offsets.
        steps: running count of Chinese characters and Latin words.
        sentences, clauses: running number of the sentence and of the clause.
        noise: how many foreign characters were found inside words: evidence of evasion.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    steps: tuple[int, ...]
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]
    noise: int


_remembered: dict[str, Folded] = {}


def is_chinese(character: str) -> bool:
    """Tell whether ``character`` is a Chinese character."""
    return "㐀" <= character <= "鿿" or "\U00020000" <= character <= "\U0003ffff"


@cache
def _simplified() -> dict[str, str]:
    lines = (files("opencc") / "dictionary" / "TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    table = {}
    for line in lines:
        traditional, _, simplified = line.partition("\t")
        first = simplified.split(" ")[0].strip()
        if len(traditional) == 1 and len(first) == 1:
            table[traditional] = first
    return table


@lru_cache(maxsize=50_000)
def fold_character(character: str) -> str:
    """Return the folded form of one character: nothing for a mark, several for a ligature."""
    plain = unicodedata.normalize("NFKC", character).lower().translate(LOOK_ALIKES)
    table = _simplified()
    return "".join(table.get(part, part) for part in plain if not unicodedata.combining(part))


def fold(text: str) -> Folded:
    """Fold ``text``; the same text always folds to the same value."""
    known = _remembered.get(text)
    if known is None:
        folder = _Folder(text)
        folder.run()
        known = folder.result()
        remember(text, known)
    return known


def remember(text: str, folded: Folded) -> None:
    """Keep what ``text`` folds to for the next who asks."""
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[text] = folded


class _Folder:
    """Walks a text once, left to right."""

    def __init__(self, text: str) -> None:
        self.original = text
        self.characters: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.sentences: list[int] = []
        self.clauses: list[int] = []
        self.sentence = self.clause = self.noise = 0
        self.pending_space = self.pending_gap = False
        self.pending_signs = ""

    def run(self) -> None:
        place = 0
        while place < len(self.original):
            whole = SPLIT_CHARACTERS.get(self.original[place : place + 2])
            if whole is not None:
                self.noise += 1
                self.keep(whole, place, place + 2)
                place += 2
                continue
            for part in fold_character(self.original[place]):
                self.take(part, place)
            place += 1

    def take(self, character: str, place: int) -> None:
        if character.isalnum():
            self.keep(character, place, place + 1)
        elif character in LEET and self.is_inside_word(place):
            self.keep(LEET[character], place, place + 1)
            self.noise += 1
        elif character == ".":
            self.full_stop(place)
        elif character in SENTENCE_ENDS:
            self.boundary(is_sentence=True)
        elif character in CLAUSE_ENDS:
            self.boundary(is_sentence=False)
        elif character in JOINING:
            self.pending_signs += character
        elif character.isspace():
            self.pending_space = self.pending_gap = True
        elif character not in APOSTROPHES:
            self.pending_space = True
            self.pending_signs += character

    def is_inside_word(self, place: int) -> bool:
        before = self.original[place - 1 : place]
        after = self.original[place + 1 : place + 2]
        return bool(before) and bool(after) and (before + after).isascii() and (before + after).isalpha()

    def full_stop(self, place: int) -> None:
        """A full stop ends a sentence, unless it stands between two characters, as in 法.院 or U.S."""
        after = self.original[place + 1 : place + 2]
        if after and not after.isspace() and self.characters:
            self.pending_space = True
            self.pending_signs += "."
        else:
            self.boundary(is_sentence=True)

    def boundary(self, *, is_sentence: bool) -> None:
        self.clause += 1
        self.sentence += is_sentence
        self.pending_space = True
        self.pending_gap = False
        self.pending_signs = ""

    def keep(self, folded: str, start: int, end: int) -> None:
        previous = self.characters[-1] if self.characters else ""
        if self.pending_signs and previous and not self.pending_gap and self.clauses[-1] == self.clause:
            self.noise += _hide(self.pending_signs, previous, folded)
        if self.pending_space and previous and not is_chinese(previous) and not is_chinese(folded):
            self.append(" ", start, start)
        self.pending_space = self.pending_gap = False
        self.pending_signs = ""
        self.append(folded, start, end)

    def append(self, folded: str, start: int, end: int) -> None:
        self.characters.append(folded)
        self.starts.append(start)
        self.ends.append(end)
        self.sentences.append(self.sentence)
        self.clauses.append(self.clause)

    def result(self) -> Folded:
        self.unleet()
        self.join_spelled_words()
        return Folded(
            text="".join(self.characters),
            starts=tuple(self.starts),
            ends=tuple(self.ends),
            steps=count_steps(self.characters),
            sentences=tuple(self.sentences),
            clauses=tuple(self.clauses),
            noise=self.noise,
        )

    def unleet(self) -> None:
        """Read digits that stand for letters as these letters."""
        row = self.characters
        text = "".join(row)
        for word in _WORD.finditer(text) if len(text) == len(row) else ():
            plain = unleeted(word.group())
            if plain != word.group():
                self.noise += sum(map(str.__ne__, plain, word.group()))
                row[word.start() : word.end()] = plain

    def join_spelled_words(self) -> None:
        """Drop the spaces of three or more single letters in a row (a r r e s t)."""
        drop: set[int] = set()
        run: list[int] = []
        row = self.characters
        for place in range(len(row) + 1):
            if self.is_single_letter(place):
                run.append(place)
            elif place == len(row) or row[place] != " ":
                if len(run) >= _SPELLED_LETTERS:
                    drop.update(range(run[0] + 1, run[-1], 2))
                run = []
        if drop:
            self.noise += 1
            kept = [place for place in range(len(row)) if place not in drop]
            for name in ("characters", "starts", "ends", "sentences", "clauses"):
                values = getattr(self, name)
                setattr(self, name, [values[place] for place in kept])

    def is_single_letter(self, place: int) -> bool:
        row = self.characters
        if place >= len(row) or not (row[place].isascii() and row[place].isalpha()):
            return False
        is_start = place == 0 or row[place - 1] == " "
        return is_start and (place + 1 == len(row) or row[place + 1] == " ")


@lru_cache(maxsize=8192)
def unleeted(word: str) -> str:
    """Return a folded Latin word with letters for the digits that look like them: arr3st, bl00dy, 0ver, 5tate, cas3.

    Not what counts (10k, 5days), numbers things (form7) or sounds like its digit (b4, gr8, evry1).
    """
    if not set(word) - set("0abcdefghijklmnopqrstuvwxyz"):
        return word.replace("0", "o")
    plain = _DIGITS_INSIDE.sub(lambda found: "ll" if found[0] == "11" else LEET[found[1]] * len(found[0]), word)
    if _DIGIT_FIRST.fullmatch(plain) and plain[1:] not in _COUNTED:
        plain = LEET[plain[0]] + plain[1:]
    if _DIGIT_LAST.fullmatch(plain):
        plain = plain[:-1] + LEET[plain[-1]]
    return plain


def _hide(signs: str, before: str, after: str) -> bool:
    """Tell whether signs between two characters hide a word: not beside digits, nor a hyphen or an address in Latin."""
    if is_chinese(before) and is_chinese(after):
        return True
    if is_chinese(before) or is_chinese(after) or before.isdigit() or after.isdigit():
        return False
    return not ORDINARY_SIGNS.issuperset(signs)


def count_steps(characters: list[str]) -> tuple[int, ...]:
    """Return the running number of Chinese characters and Latin words up to and with each character."""
    steps: list[int] = []
    step = 0
    is_in_word = False
    for character in characters:
        if character == " ":
            is_in_word = False
        elif is_chinese(character):
            step += 1
            is_in_word = False
        elif not is_in_word:
            step += 1
            is_in_word = True
        steps.append(step)
    return tuple(steps)
