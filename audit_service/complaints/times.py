"""Rough times in people's words, in Chinese and English: what stretch of time do they mean?

``上周三晚上`` said on a Monday is the Wednesday of the week before, 18:00 to midnight. A mention becomes a stretch of
instants in UTC, counted from when the complaint was submitted, in the complainant's zone. Where words name an hour,
the stretch is that hour and an hour around it: memory is not a stop-watch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
NUMBER = r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})"
PARTS = {
    "凌晨": (0, 6), "早上": (5, 10), "早晨": (5, 10), "清晨": (5, 8), "上午": (8, 12), "中午": (11, 14),
    "下午": (12, 18), "傍晚": (17, 20), "晚上": (18, 24), "夜里": (20, 30), "半夜": (22, 30),
    "深夜": (22, 30), "晚": (18, 24),
    "morning": (5, 12), "noon": (11, 14), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 30),
}  # fmt: skip
AFTERNOON = {"下午", "傍晚", "晚上", "夜里", "半夜", "深夜", "晚", "afternoon", "evening", "night"}
WEEKDAYS_ZH = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
WEEKDAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
DAYS_AGO = {"今天": 0, "今晚": 0, "今早": 0, "昨天": 1, "昨晚": 1, "昨日": 1, "前天": 2, "前晚": 2, "大前天": 3}
IMPLIED_PARTS = {
    "昨晚": "晚上", "今晚": "晚上", "前晚": "晚上", "今早": "早上",
    "last night": "night", "tonight": "night", "this morning": "morning",
}  # fmt: skip
MARGIN = timedelta(hours=1)

ZH = re.compile(
    rf"(?:(?P<year>\d{{4}})年)?(?P<month>{NUMBER})月(?:份)?(?P<day>{NUMBER}[0-9十]?)[号日]"
    r"|(?P<ago>大前天|前天|前晚|昨天|昨日|昨晚|今天|今晚|今早)"
    r"|(?P<week>上上个?|上个?|这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
)
ZH_CLOCK = re.compile(
    rf"^[，,的 ]*(?:的?时候)?(?P<part>凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|夜里|半夜|深夜|晚)?[，,大概约 ]*"
    rf"(?:(?P<hour>{NUMBER}|\d{{1,2}})(?:[点时]|[:：](?=\d))(?P<half>半)?(?P<minute>\d{{1,2}})?)?"
)
EN = re.compile(
    rf"\b(?P<month>{'|'.join(MONTHS)})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?"
    r"|\b(?P<ago>yesterday|today|last night|tonight|this morning)\b"
    rf"|\b(?:(?P<week>last|this)\s+)?(?P<weekday>{'|'.join(WEEKDAYS_EN)})\b",
    re.IGNORECASE,
)
EN_CLOCK = re.compile(
    r"^[\s,]*(?:in the |at |around |about |late )*(?P<part>morning|noon|afternoon|evening|night)?[\s,]*"
    r"(?:at |around |about )*"
    r"(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>a\.?m\.?|p\.?m\.?))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TimeMention:
    """Where a time is named (characters of the text) and the stretch it means, UTC."""

    start: int
    end: int
    quote: str
    from_at: datetime
    to_at: datetime


def find_times(text: str, said_at: datetime, timezone: str) -> list[TimeMention]:
    """Return all times that ``text`` names, as said at ``said_at`` (aware) in the zone ``timezone``."""
    today = said_at.astimezone(ZoneInfo(timezone)).date()
    mentions = [*_mentions(text, today, timezone, ZH, ZH_CLOCK), *_mentions(text, today, timezone, EN, EN_CLOCK)]
    return sorted(mentions, key=lambda mention: mention.start)


def resolve(text: str, said_at: datetime, timezone: str) -> tuple[datetime, datetime] | None:
    """Return the stretch that all times in ``text`` span together, or None if it names none."""
    mentions = find_times(text, said_at, timezone)
    if not mentions:
        return None
    return min(mention.from_at for mention in mentions), max(mention.to_at for mention in mentions)


def _mentions(
    text: str, today: date, timezone: str, day: re.Pattern[str], clock: re.Pattern[str]
) -> Iterator[TimeMention]:
    for match in day.finditer(text):
        meant = _day(match, today)
        if meant is None:
            continue
        tail = clock.match(text[match.end() :])
        end = match.end() + (tail.end() if tail and (tail["part"] or tail["hour"]) else 0)
        from_at, to_at = _stretch(meant, match, tail, timezone)
        yield TimeMention(match.start(), end, text[match.start() : end], from_at, to_at)


def _day(match: re.Match[str], today: date) -> date | None:
    if match["month"]:
        return _calendar_day(match, today)
    if match["ago"]:
        word = match["ago"].lower()
        return today - timedelta(days=1 if word in {"yesterday", "last night"} else DAYS_AGO.get(word, 0))
    return _weekday(match, today)


def _calendar_day(match: re.Match[str], today: date) -> date | None:
    month_text = match["month"].lower()
    month = MONTHS.index(month_text) + 1 if month_text in MONTHS else _number(month_text)
    day = _number(match["day"])
    try:
        meant = date(int(match["year"] or today.year), month, day)
    except ValueError:
        return None
    if match["year"] is None and meant > today:
        return meant.replace(year=meant.year - 1)
    return meant


def _weekday(match: re.Match[str], today: date) -> date:
    word = match["weekday"].lower()
    weekday = WEEKDAYS_ZH[word] if word in WEEKDAYS_ZH else WEEKDAYS_EN.index(word)
    monday = today - timedelta(days=today.weekday())
    week = match["week"] or ""
    if week.startswith("上"):
        return monday + timedelta(days=weekday - 7 * week.count("上"))
    back = (today.weekday() - weekday) % 7
    if week.lower() == "last" and back == 0:
        back = 7
    return today - timedelta(days=back)


def _stretch(day: date, match: re.Match[str], tail: re.Match[str] | None, timezone: str) -> tuple[datetime, datetime]:
    part = (tail["part"] or "").lower() if tail else ""
    said = (match["ago"] or "").lower()
    if not part:
        part = IMPLIED_PARTS.get(said, "")
    if tail and tail["hour"]:
        at = _instant(day, _hour(tail, part), timezone)
        return at - MARGIN, at + MARGIN
    first, last = PARTS.get(part, (0, 24))
    return _instant(day, first, timezone), _instant(day, last, timezone)


def _hour(tail: re.Match[str], part: str) -> float:
    hour = _number(tail["hour"])
    suffix = (tail["half"] or "").lower()
    minute = 30 if suffix == "半" else int(tail["minute"] or 0)
    is_afternoon = suffix.startswith("p") or (part in AFTERNOON and not suffix.startswith("a"))
    noon = 12
    if is_afternoon and hour < noon and not (part in {"半夜", "深夜", "夜里"} and hour < 6):  # noqa: PLR2004 - 半夜两点 is 02:00
        hour += noon
    if suffix.startswith("a") and hour == noon:
        hour = 0
    return hour + minute / 60


def _instant(day: date, hour: float, timezone: str) -> datetime:
    """Return ``hour`` hours after local midnight of ``day``, UTC; hours above 24 belong to the next day."""
    days, rest = divmod(hour, 24)
    local = datetime.combine(day + timedelta(days=int(days)), time.min, ZoneInfo(timezone)) + timedelta(hours=rest)
    return local.astimezone(UTC)


def _number(text: str) -> int:
    """Return the value of one or two digits or of a Chinese number up to 99."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return DIGITS.get(text[-1:], 0)
    return (DIGITS.get(tens, 1) if tens else 1) * 10 + DIGITS.get(ones, 0)
