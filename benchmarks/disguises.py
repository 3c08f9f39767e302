"""Disguise texts as senders do and as recognisers mishear: other characters of the same sound, pinyin, lost letters.

Training on disguised copies teaches the reader to see through what the folding of texts cannot undo (起su, 涨户, c*ll).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cache

from pypinyin import Style, lazy_pinyin

from audit_service.detection.folding import is_chinese

HOMOPHONE, PINYIN, INITIAL = 0.6, 0.8, 1.0
SHORT_FORMS = {
    "you": "u", "your": "ur", "are": "r", "to": "2", "for": "4", "please": "pls", "people": "ppl", "tonight": "2nite",
    "tomorrow": "tmrw", "before": "b4", "because": "cuz", "with": "w", "and": "n", "call": "cll", "police": "polce",
}  # fmt: skip


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
        place = self._chance.randrange(1, len(word) - 1)
        if self._chance.random() < HOMOPHONE:
            return word[:place] + word[place + 1 :]
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


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
