"""In which language something is said: of a call before it is heard, and of a segment by how it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping

SUPPORTED = ("zh", "en")
# A language that is not ours is believed only where it is likely and ours are not.
SURE, HARDLY = 0.6, 0.25
HAN = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
# A Chinese character carries about as much as two thirds of an English word.
HAN_A_WORD = 1.5


def unsupported(odds: Mapping[str, float]) -> str:
    """Return the language that is spoken instead of one of ours; empty where one of ours may be, or nobody knows."""
    if not odds:
        return ""
    likeliest = max(odds, key=lambda language: odds[language])
    ours = sum(odds.get(language, 0.0) for language in SUPPORTED)
    is_other = likeliest not in SUPPORTED and odds[likeliest] >= SURE and ours <= HARDLY
    return likeliest if is_other else ""


def of_text(text: str, otherwise: str) -> str:
    """Return the language that most of a text is written in; of a text without letters, ``otherwise``."""
    han, latin = len(HAN.findall(text)) / HAN_A_WORD, len(LATIN_WORD.findall(text))
    if not han and not latin:
        return otherwise
    return "zh" if han >= latin else "en"
