"""The syllables of Mandarin, without their tones."""

from __future__ import annotations

from functools import cache

from pypinyin import Style, lazy_pinyin, pinyin_dict


@cache
def syllable(character: str) -> str:
    """Return the most usual tone-less reading of a Chinese character (``lü`` is ``lv``)."""
    if ord(character) not in pinyin_dict.pinyin_dict:
        return character
    return str(lazy_pinyin(character, style=Style.NORMAL)[0])


@cache
def known_syllables() -> frozenset[str]:
    """Return all tone-less syllables of Mandarin that the common characters have."""
    return frozenset(syllable(chr(code)) for code in range(0x4E00, 0x9FA6)) - {""}


def is_syllable(letters: str) -> bool:
    """Tell whether Latin letters spell a syllable."""
    return letters in known_syllables()
