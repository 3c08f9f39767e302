"""Disguise texts as senders do and as recognisers mishear: other characters of the same sound, pinyin, lost letters.

Training on disguised copies teaches the reader to see through what the folding of texts cannot undo (起su, 涨户, c*ll).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from functools import cache

from pypinyin import Style, lazy_pinyin

from audit_service.detection.folding import is_chinese

HOMOPHONE, PINYIN, INITIAL = 0.6, 0.8, 1.0
SHORT_FORMS = {
    "you": "u", "your": "ur", "are": "r", "to": "2", "too": "2", "for": "4", "please": "pls", "people": "ppl",
    "tonight": "2nite", "today": "2day", "tomorrow": "tmrw", "before": "b4", "because": "cuz", "with": "wiv",
    "and": "n", "the": "da", "that": "dat", "this": "dis", "they": "dey", "them": "dem", "then": "den",
    "there": "dere", "is": "iz", "was": "woz", "what": "wat", "when": "wen", "who": "hu", "why": "y", "be": "b",
    "see": "c", "have": "hav", "not": "nt", "don't": "dnt", "can't": "cnt", "can": "cn", "will": "wil",
    "would": "wud", "could": "cud", "from": "frm", "me": "mi", "my": "ma", "about": "abt", "message": "msg",
    "number": "num", "money": "moni", "again": "agen", "later": "l8r", "late": "l8", "wait": "w8", "mate": "m8",
    "great": "gr8", "hate": "h8", "one": "1", "everyone": "evry1", "someone": "sum1", "anyone": "ne1",
    "something": "sumthin", "know": "kno", "now": "nw", "just": "jst", "going": "goin", "want": "wnt", "good": "gud",
    "come": "cum", "love": "luv", "phone": "fone", "call": "cll", "police": "polce", "house": "hse", "friend": "frnd",
    "friends": "frnds", "family": "fam", "minutes": "mins", "through": "thru", "though": "tho", "okay": "ok",
    "thanks": "thx", "account": "acct", "office": "ofc", "picture": "pic",
}  # fmt: skip
SPELLINGS = (
    ("^th", "d"), ("ing$", "in"), ("er$", "a"), ("ck", "k"), ("ph", "f"), ("igh", "i"), ("wh", "w"), ("se$", "z"),
    ("s$", "z"), ("ed$", "d"), ("ll", "l"), ("ee", "e"), ("oo", "u"), ("ou", "u"), ("ea", "e"), ("c(?=[aou])", "k"),
)  # fmt: skip
SIGNS_FOR_LETTERS = {"o": "0", "i": "1", "e": "3", "a": "@", "s": "5", "t": "7", "l": "1", "g": "9"}
VOWELS = re.compile("(?<=.)[aeiou](?=.)")


class Disguiser:
    """Disguises texts; the same seed disguises the same texts in the same way.

    Args:
        texts: whose characters may stand for others of the same sound.
        chance: the source of chance.
    """

    def __init__(self, texts: Iterable[str], chance: random.Random) -> None:
        self._chance = chance
        alike: dict[str, set[str]] = {}
        for character in {sign for text in texts for sign in text if is_chinese(sign)}:
            alike.setdefault(broad_sound(character), set()).add(character)
        self._alike = {sound: sorted(characters) for sound, characters in alike.items()}

    def disguised(self, text: str, share: float) -> str:
        """Return ``text`` with about ``share`` of its characters (Chinese) or words (Latin) written otherwise."""
        if any(map(is_chinese, text)):
            return "".join(self._character(sign) if self._chance.random() < share else sign for sign in text)
        return " ".join(self._word(word) if self._chance.random() < 2 * share else word for word in text.split(" "))

    def _character(self, sign: str) -> str:
        if not is_chinese(sign):
            return sign
        chosen = self._chance.random()
        if chosen < HOMOPHONE:
            return self._chance.choice(self._alike.get(broad_sound(sign)) or [sign])
        spelled = sound(sign)
        return spelled if chosen < PINYIN else spelled[:1]

    def _word(self, word: str) -> str:
        short = SHORT_FORMS.get(word.lower())
        if short is not None:
            return short
        if len(word) < len("word"):
            return word
        return self._chance.choice(
            (
                self._lost,
                self._swapped,
                self._doubled,
                self._without_vowels,
                self._as_said,
                self._with_signs,
                self._apart,
            )
        )(word)

    def _lost(self, word: str) -> str:
        place = self._chance.randrange(1, len(word) - 1)
        return word[:place] + word[place + 1 :]

    def _swapped(self, word: str) -> str:
        place = self._chance.randrange(1, len(word) - 1)
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]

    def _doubled(self, word: str) -> str:
        place = self._chance.randrange(1, len(word))
        return word[:place] + word[place] + word[place:]

    def _without_vowels(self, word: str) -> str:
        return VOWELS.sub("", word)

    def _as_said(self, word: str) -> str:
        for pattern, plain in self._chance.sample(SPELLINGS, len(SPELLINGS)):
            said = re.sub(pattern, plain, word)
            if said != word:
                return said
        return self._without_vowels(word)

    def _with_signs(self, word: str) -> str:
        return "".join(
            SIGNS_FOR_LETTERS.get(sign, sign) if self._chance.random() < HOMOPHONE else sign for sign in word.lower()
        )

    def _apart(self, word: str) -> str:
        return self._chance.choice((".", " ", "-")).join(word)


@cache
def sound(character: str) -> str:
    """Return the pinyin of a character, without its tone."""
    return str(lazy_pinyin(character, style=Style.NORMAL)[0])


@cache
def broad_sound(character: str) -> str:
    """Return its sound with what recognisers and speakers confuse made one: zh and z, n and l, ing and in."""
    plain = sound(character)
    for several, one in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in")):
        plain = plain.replace(several, one)
    return "l" + plain[1:] if plain.startswith("n") and len(plain) > 1 else plain
