"""What a request not to be contacted covers: all contact, one channel, some hours, the place of work.

A heard "not after six", "only by e-mail", "don't call me at work" becomes a dated obligation that later contacts are
held to; what is not understood more narrowly covers everything, and an officer can narrow it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NOON = 12
ALL, REPRESENTED, WORK = "all", "represented", "work"
WORKING_HOURS = ("09:00", "18:00")
_DIGITS = {sign: number for number, sign in enumerate("零一二三四五六七八九十")} | {"两": 2}
_HOUR_ZH = (
    r"(?P<part>早上|上午|中午|下午|晚上|夜里|晚)?"
    r"(?P<hour>十[一二]|[一二三四五六七八九十两]|\d{1,2})(?:点|:00)(?P<half>半)?"
)
_BOUND_ZH = re.compile(rf"{_HOUR_ZH}(?:钟)?(?:以|之)?(?P<side>前|后)")
_ONLY_ZH = re.compile(
    r"只(?:能|可以|在)|(?:再|才)(?:打|联系)|以?后.{0,4}(?:可以|再)打|后我(?:自己)?会接|后(?:有空|方便)"
)
_HOUR_EN = r"(?P<hour>\d{1,2}|eight|nine|ten|noon|six|seven|five)(?::\d{2})?\s*(?P<part>a\.?m\.?|p\.?m\.?)?"
_BOUND_EN = re.compile(rf"\b(?P<side>before|after|until|till|past)\s+{_HOUR_EN}", re.IGNORECASE)
_WORDS_EN = {"five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "noon": 12}
_WORK = re.compile(
    r"上班(?:时间|的时候)?|单位|公司|at (?:work|the office|my job)|my (?:job|work|workplace|office)|workplace",
    re.IGNORECASE,
)
_CHANNELS = tuple(
    (channel, re.compile("|".join(patterns), re.IGNORECASE))
    for channel, patterns in {
        "call": (
            "(?:别|不要|不许|停止)(?:再)?(?:给我)?打电话",
            "发(?:短信|微信|邮件).{0,4}(?:就行|即可|吧)",
            r"(?:by|in) (?:e-?mail|post|letter|writing|text)\b",
            "no more (?:phone )?calls|stop calling",
        ),
        "sms": (
            "(?:别|不要|不许)(?:再)?(?:给我)?发(?:短信|消息|信息)",
            r"(?:stop|don'?t|quit) (?:texting|text)\b|no more texts",
        ),
        "email": ("(?:别|不要)(?:再)?(?:给我)?发邮件", r"(?:stop|don'?t|quit) e-?mail(?:ing)?\b"),
    }.items()
)


@dataclass(frozen=True)
class CeaseTerms:
    """What a request covers.

    Attributes:
        scope: ``all``, ``represented``, ``work`` (the place of work, in working hours), or ``hours HH:MM-HH:MM`` (the
            hours, in the person's own zone, in which there must be no contact; they may run over midnight).
        channel: the only channel that it is about; None for every channel.
    """

    scope: str = ALL
    channel: str | None = None


def terms_of(words: str) -> CeaseTerms:
    """Return what the ``words`` of a request, Chinese or English, cover."""
    channels = [channel for channel, pattern in _CHANNELS if pattern.search(words)]
    channel = channels[0] if len(channels) == 1 else None
    hours = _hours(words)
    if hours is not None:
        return CeaseTerms(f"hours {hours[0]}-{hours[1]}", channel)
    return CeaseTerms(WORK if _WORK.search(words) else ALL, channel)


def _hours(words: str) -> tuple[str, str] | None:
    """Return the hours without contact that the words name: before and after bounds, or outside those allowed."""
    bounds = dict([*_bounds_zh(words), *_bounds_en(words)])
    if not bounds:
        return None
    if _ONLY_ZH.search(words) or re.search(r"\bonly\b", words, re.IGNORECASE):
        bounds = {{"before": "after", "after": "before"}[side]: hour for side, hour in bounds.items()}
    return bounds.get("after", "00:00"), bounds.get("before", "00:00" if "after" not in bounds else "08:00")


def _bounds_zh(words: str) -> list[tuple[str, str]]:
    found = []
    for match in _BOUND_ZH.finditer(words):
        text = match["hour"]
        hour = int(text) if text.isdigit() else sum(_DIGITS[sign] for sign in text)
        if match["part"] in {"下午", "晚上", "夜里", "晚"} and hour < NOON:
            hour += 12
        found.append(
            ("before" if match["side"] == "前" else "after", f"{hour % 24:02}:{30 if match['half'] else 0:02}")
        )
    return found


def _bounds_en(words: str) -> list[tuple[str, str]]:
    found = []
    for match in _BOUND_EN.finditer(words):
        text = match["hour"].lower()
        hour = _WORDS_EN.get(text) or int(text)
        part = (match["part"] or "").lower().replace(".", "")
        if (part == "pm" and hour < NOON) or (not part and match["side"].lower() in {"after", "past"} and hour < NOON):
            hour += 12
        side = "after" if match["side"].lower() in {"after", "past"} else "before"
        found.append((side, f"{hour % 24:02}:00"))
    return found
