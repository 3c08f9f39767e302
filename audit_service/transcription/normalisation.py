"""Normalise what an engine wrote: simplified Chinese, NFC, half-width letters and digits."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

WIDE = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
SPACE_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff，。？！])\s+(?=[\u3400-\u9fff，。？！])")
HALF_TO_FULL = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；"})


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


def normalise(text: str, language: str) -> str:
    """Return ``text`` in the written form that readers and rules expect; the original is kept by the caller."""
    plain = unicodedata.normalize("NFC", text).translate(WIDE).strip()
    if language != "zh":
        return re.sub(r"\s+", " ", plain)
    simplified: str = _converter().convert(plain)
    return SPACE_BETWEEN_HAN.sub("", simplified.translate(HALF_TO_FULL))
