"""The text plane: one spelling for many, with a way back to the original.

NFKC, lower case, traditional to simplified (the character table of OpenCC), look-alike letters, characters taken
apart (扌丁 for 打), and everything that was put between the characters of a word removed. Every folded character
knows the stretch of original text it came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from audit_service.detection._folding import Alphabet, FoldedTexts
from audit_service.detection.syllables import is_syllable

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
CHINESE = re.compile("[㐀-鿿\U00020000-\U0003ffff]")
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
        known = Folded(*folded_texts([text]).rows(0))
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[text] = known
    return known


def folded_texts(texts: Sequence[str]) -> FoldedTexts:
    """Fold many texts at once, for the compiled parts of the engine."""
    return FoldedTexts(_alphabet(), texts)


@cache
def _alphabet() -> Alphabet:
    return Alphabet(_read, SPLIT_CHARACTERS, is_syllable, unleeted)


def _read(character: str) -> list[tuple[str, str]]:
    """Return what a character folds to, each part with its kind."""
    return [
        (_kind(part), LEET[part] if part in LEET and not part.isalnum() else part) for part in fold_character(character)
    ]


def _kind(part: str) -> str:
    if part.isalnum():
        return "kept"
    if part in LEET:
        return "leet_ordinary" if part in ORDINARY_SIGNS else "leet_odd"
    return next((kind for signs, kind in _SIGNS if part in signs), "space" if part.isspace() else "odd")


_SIGNS: tuple[tuple[Container[str], str], ...] = (
    (".", "dot"), (SENTENCE_ENDS, "sentence"), (CLAUSE_ENDS, "clause"), (JOINING, "joining"), (APOSTROPHES, "silent"),
    (ORDINARY_SIGNS, "ordinary"),
)  # fmt: skip


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
