"""Rough times in people's words, in Chinese and English: what stretch of time do they mean?

``上周三晚上`` said on a Monday is the Wednesday of the week before, 18:00 to midnight. A mention becomes a stretch of
instants in UTC, counted from when the complaint was submitted, in the complainant's zone. Where words name an hour,
the stretch is an hour either side of it: memory is not a stop-watch. An hour that may be of the morning or of the
evening (``3点``, ``at 9:40``) gives the stretch from the one to the other. A day of the near future is what somebody
was told to pay by, not when something happened, and counts as no mention.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
NUMBER = r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})"
DEEP, EVENING, AFTERNOON = {"夜里", "半夜", "深夜"}, {"晚上", "晚", "evening", "night"}, {"下午", "傍晚", "afternoon"}
NOON = {"中午", "noon"}
PARTS = {
    "凌晨": (0, 6), "早上": (5, 10), "早晨": (5, 10), "清晨": (5, 8), "早": (5, 10), "上午": (8, 12),
    "中午": (11, 14), "下午": (12, 18), "傍晚": (17, 20), "晚上": (18, 24), "晚": (18, 24),
    "夜里": (20, 30), "半夜": (22, 30), "深夜": (22, 30),
    "morning": (5, 12), "noon": (11, 14), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 30),
}  # fmt: skip
PART_OF_WORD = {
    "昨晚": "晚上", "今晚": "晚上", "前晚": "晚上", "今早": "早上", "今晨": "早上",
    "last night": "night", "tonight": "night", "this morning": "morning",
}  # fmt: skip
DAYS_AGO = {
    "今天": 0, "今日": 0, "今晚": 0, "今早": 0, "今晨": 0, "昨天": 1, "昨晚": 1, "昨日": 1,
    "前天": 2, "前晚": 2, "前日": 2, "大前天": 3,
    "today": 0, "tonight": 0, "this morning": 0, "yesterday": 1, "last night": 1, "the day before yesterday": 2,
}  # fmt: skip
WORDS_EN = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
WEEKDAYS_ZH = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
WEEKDAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MARGIN_H = 1
NOON_H, MIDNIGHT_H = 12, 24
SMALL_HOURS = 5  # an hour below this, said of an evening or night, belongs to the next civil day
EARLY_AFTERNOON = 3  # 中午1点 to 中午3点
DEADLINE = timedelta(days=60)
OLDEST_YEAR = 1990
# Where 3/4 is the third of April.
DAY_FIRST = ("Europe/", "Asia/Kolkata", "Asia/Calcutta")

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY = rf"(?:{'|'.join(WEEKDAYS_EN)})"
_PART_ZH = r"凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|夜里|半夜|深夜|早|晚"
_WEEKDAY_ZH_AFTER = r"(?:\s*[（(，,]?\s*(?:周|星期|礼拜)[一二三四五六日天]\s*[）)]?)?"

CLOCK_ZH = re.compile(
    rf"^[，,的 ]*(?P<part>{_PART_ZH})?[，,大概约快在 ]*"
    rf"(?:(?P<hour>{NUMBER})(?:[点时]钟?|:(?=\d))"
    r"(?:(?P<half>半)|(?P<quarter>[一三])刻|(?P<minute>\d{1,2}|[零一二三四五六七八九十]{2,3}|[一二三四五六七八九十](?=分)))?)?"
)
CLOCK_EN = re.compile(
    r"^T?[\s,]*(?:(?:in the|at|around|about|late|early|,)\s*)*(?P<part>morning|noon|afternoon|evening|night)?[\s,]*"
    r"(?:(?:(?P<at>(?:at|around|about)\s+)|(?<=T)|(?=\d{1,2}:\d|\d{1,2}\s*[ap]\.?m\b))(?:at |around |about )*"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?:\s*(?P<suffix>[ap])\.?m\b\.?)?)?",
    re.IGNORECASE,
)
CLOCK_BEFORE = re.compile(
    r"(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*"
    r"(?:(?P<suffix>[ap])\.?m\b\.?|in the (?P<part>morning|afternoon|evening))"
    r"|(?P<late>morning|afternoon|evening|night))[\s,]*(?:on|of)?\s*$",
    re.IGNORECASE,
)
LOOK_BACK = 40


@dataclass(frozen=True)
class TimeMention:
    """Where a time is named (characters of the text) and the stretch it means, UTC."""

    start: int
    end: int
    quote: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True)
class _Days:
    """The civil days that a mention names, the part of the day that its word implies, and where it stands."""

    start: int
    end: int
    first: date
    last: date
    part: str = ""


@dataclass(frozen=True)
class _Setting:
    """What rough words are counted from."""

    today: date
    timezone: str


def find_times(text: str, said_at: datetime, timezone: str) -> list[TimeMention]:
    """Return all times that ``text`` names, as said at ``said_at`` (aware) in the zone ``timezone``."""
    setting = _Setting(said_at.astimezone(ZoneInfo(timezone)).date(), timezone)
    plain = _plain(text)
    mentions = []
    for days in _apart([*_all_days(plain, setting)]):
        start, end, hours = _clock(plain, days)
        from_at = _instant(days.first, hours[0], timezone)
        to_at = _instant(days.last, hours[1], timezone)
        mentions.append(TimeMention(start, end, text[start:end], from_at, to_at))
    return mentions


def resolve(text: str, said_at: datetime, timezone: str) -> tuple[datetime, datetime] | None:
    """Return the stretch that all times in ``text`` span together, or None if it names none."""
    mentions = find_times(text, said_at, timezone)
    if not mentions:
        return None
    return min(mention.from_at for mention in mentions), max(mention.to_at for mention in mentions)


def _plain(text: str) -> str:
    """Return ``text`` with full-width characters folded, each still one character, so that offsets hold."""
    folded = (unicodedata.normalize("NFKC", character) for character in text)
    return "".join(new if len(new) == 1 else old for old, new in zip(text, folded, strict=True))


def _all_days(text: str, setting: _Setting) -> Iterator[_Days]:
    for pattern, read in READERS:
        for match in pattern.finditer(text):
            days = read(match, setting)
            if days is not None:
                yield days


def _apart(found: list[_Days]) -> list[_Days]:
    """Return the mentions in order; of two that overlap, the one that begins first, else the longer."""
    kept: list[_Days] = []
    for days in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or days.start >= kept[-1].end:
            kept.append(days)
    return kept


def _one(match: re.Match[str], day: date | None, part: str = "") -> _Days | None:
    return None if day is None else _Days(match.start(), match.end(), day, day, part)


def _calendar_day(year: int | None, month: int, day: int, today: date) -> date | None:
    """Return a day of the calendar; without a year the latest such day, and none if it lies just ahead."""
    if year is not None and not OLDEST_YEAR <= year <= today.year + 1:
        return None
    try:
        meant = date(year or today.year, month, day)
        if year is None and meant > today:
            return None if meant - today <= DEADLINE else meant.replace(year=meant.year - 1)
    except ValueError:
        return None
    return meant


def _read_zh_date(match: re.Match[str], setting: _Setting) -> _Days | None:
    said = match["year"] or ""
    years = {"": None, "今": setting.today.year, "去": setting.today.year - 1}
    year = years[said] if said in years else int(said)
    return _one(match, _calendar_day(year, _number(match["month"]), _number(match["day"]), setting.today))


def _read_day_of_month(match: re.Match[str], setting: _Setting) -> _Days | None:
    """Read ``上个月5号``, ``这个月5号`` and ``5号晚上``: of this month if it is past, else of the month before."""
    today, day = setting.today, _number(match["day"])
    which = match["which"] or ""
    before = today.replace(day=1) - timedelta(days=1)
    month = before if which.startswith("上") or (not which and day > today.day) else today
    return _one(match, _calendar_day(month.year, month.month, day, today))


def _read_en_date(match: re.Match[str], setting: _Setting) -> _Days | None:
    month = MONTHS.index(match["month"][:3].lower()) + 1
    year = int(match["year"]) if match["year"] else None
    return _one(match, _calendar_day(year, month, int(match["day"]), setting.today))


def _read_numeric(match: re.Match[str], setting: _Setting) -> _Days | None:
    if match["year"]:
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        return _one(match, _calendar_day(year, month, day, setting.today))
    first, second = int(match["first"]), int(match["second"])
    month, day = (second, first) if setting.timezone.startswith(DAY_FIRST) else (first, second)
    year_after = int(match["year_after"]) if match["year_after"] else None
    return _one(match, _calendar_day(year_after, month, day, setting.today))


def _read_ago(match: re.Match[str], setting: _Setting) -> _Days | None:
    word = " ".join(match["ago"].lower().split())
    return _one(match, setting.today - timedelta(days=DAYS_AGO[word]), PART_OF_WORD.get(word, ""))


def _read_days_ago(match: re.Match[str], setting: _Setting) -> _Days | None:
    text = match["days"].lower()
    days = WORDS_EN[text] if text in WORDS_EN else _number(text)
    return _one(match, setting.today - timedelta(days=days))


def _read_week(match: re.Match[str], setting: _Setting) -> _Days | None:
    """Read ``上周`` and ``last week`` without a day: the whole of it."""
    weeks = max(1, match.group().count("上"))
    monday = setting.today - timedelta(days=setting.today.weekday() + 7 * weeks)
    return _Days(match.start(), match.end(), monday, monday + timedelta(days=6))


def _read_zh_weekday(match: re.Match[str], setting: _Setting) -> _Days | None:
    week, weekday, today = match["week"] or "", WEEKDAYS_ZH[match["weekday"]], setting.today
    if week.startswith("下"):
        return None
    if week:
        monday = today - timedelta(days=today.weekday())
        day = monday + timedelta(days=weekday - 7 * week.count("上"))
        return None if day > today else _one(match, day)
    return _one(match, today - timedelta(days=(today.weekday() - weekday) % 7))


def _read_en_weekday(match: re.Match[str], setting: _Setting) -> _Days | None:
    week, weekday, today = (match["week"] or "").lower(), WEEKDAYS_EN.index(match["weekday"].lower()), setting.today
    if week == "next":
        return None
    back = (today.weekday() - weekday) % 7
    if back == 0 and week in {"last", "past"}:
        back = 7
    day = today - timedelta(days=back)
    if match["day"]:
        # Tuesday the 3rd: the latest such Tuesday; within a year and a half every pair occurs.
        weeks = (day - timedelta(days=7 * count) for count in range(80))
        return _one(match, next((one for one in weeks if one.day == int(match["day"])), None))
    return _one(match, day)


READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], _Setting], _Days | None]], ...] = (
    (
        re.compile(
            rf"(?:(?<!\d)(?P<year>\d{{4}}|去|今)年)?(?<![\d一二三四五六七八九十])(?P<month>{NUMBER})月(?:份)?"
            rf"(?P<day>{NUMBER})[号日]{_WEEKDAY_ZH_AFTER}"
        ),
        _read_zh_date,
    ),
    (
        re.compile(rf"(?P<which>上个?月|这个?月|本月)(?P<day>{NUMBER})[号日]{_WEEKDAY_ZH_AFTER}"),
        _read_day_of_month,
    ),
    (
        re.compile(rf"(?P<which>)(?<![\d月年第工])(?P<day>\d{{1,2}})[号日](?=[，, 的]*(?:{_PART_ZH}))"),
        _read_day_of_month,
    ),
    (
        re.compile(
            r"(?<![\d-])(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"
            r"|(?<![\d/.])(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year_after>\d{4}))?(?![\d/]|\s*(?:of\b|的))"
        ),
        _read_numeric,
    ),
    (
        re.compile(
            rf"\b(?:{_WEEKDAY},?\s+)?{_MONTH}\s+(?P<day>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}})\b)?",
            re.IGNORECASE,
        ),
        _read_en_date,
    ),
    (
        re.compile(
            rf"\b(?:{_WEEKDAY},?\s+)?(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?\s+{_MONTH}"
            r"(?:,?\s+(?P<year>\d{4})\b)?",
            re.IGNORECASE,
        ),
        _read_en_date,
    ),
    (re.compile(r"(?P<ago>大前天|前天|前日|前晚|昨天|昨日|昨晚|今天|今日|今晚|今早|今晨)"), _read_ago),
    (
        re.compile(
            r"\b(?P<ago>the\s+day\s+before\s+yesterday|yesterday|today|last\s+night|tonight|this\s+morning)\b",
            re.IGNORECASE,
        ),
        _read_ago,
    ),
    (re.compile(rf"(?P<days>{NUMBER})天(?:以|之)?前"), _read_days_ago),
    (re.compile(rf"\b(?P<days>\d{{1,2}}|{'|'.join(WORDS_EN)})\s+days?\s+ago\b", re.IGNORECASE), _read_days_ago),
    (re.compile(r"上+个?(?:周|星期|礼拜)(?![一二三四五六日天末])|\blast\s+week\b", re.IGNORECASE), _read_week),
    (
        re.compile(r"(?P<week>下+个?|上+个?|这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"),
        _read_zh_weekday,
    ),
    (
        re.compile(
            rf"\b(?:(?:this\s+)?(?P<week>last|past|this|next)\s+)?(?P<weekday>{_WEEKDAY})\b"
            r"(?:,?\s+the\s+(?P<day>\d{1,2})(?:st|nd|rd|th)\b)?",
            re.IGNORECASE,
        ),
        _read_en_weekday,
    ),
)


def _clock(text: str, days: _Days) -> tuple[int, int, tuple[float, float]]:
    """Return where the mention with its time of day starts and ends, and the hours that it means."""
    whole_day = (0.0, float(MIDNIGHT_H))
    if days.first != days.last:
        return days.start, days.end, whole_day
    for pattern in (CLOCK_ZH, CLOCK_EN):
        match = pattern.match(text[days.end :])
        if match and (match["part"] or match["hour"]):
            hours = _hours(match, (match["part"] or days.part).lower())
            if hours is not None:
                return days.start, days.end + len(match.group().rstrip(" ,，的")), hours
    before = CLOCK_BEFORE.search(text[max(0, days.start - LOOK_BACK) : days.start])
    if before:
        hours = _hours(before, (before["part"] or before["late"] or days.part).lower())
        if hours is not None:
            return days.start - len(before.group()), days.end, hours
    return days.start, days.end, PARTS.get(days.part, whole_day)


def _hours(match: re.Match[str], part: str) -> tuple[float, float] | None:
    """Return the hours after midnight that a time of day means, or None if there is no such time."""
    if not match["hour"]:
        return PARTS[part]
    hour, minute = _number(match["hour"]), _minute(match)
    if hour > MIDNIGHT_H or minute >= 60:  # noqa: PLR2004 - minutes of an hour
        return PARTS.get(part)
    on_24 = _on_24(hour, part, (match.groupdict().get("suffix") or "").lower())
    if on_24 is None:
        return hour + minute / 60 - MARGIN_H, hour + NOON_H + minute / 60 + MARGIN_H
    return on_24 + minute / 60 - MARGIN_H, on_24 + minute / 60 + MARGIN_H


def _minute(match: re.Match[str]) -> int:
    groups = match.groupdict()
    if groups.get("half"):
        return 30
    if groups.get("quarter"):
        return 15 * DIGITS[groups["quarter"]]
    return _number(groups["minute"]) if groups.get("minute") else 0


def _on_24(hour: int, part: str, suffix: str) -> int | None:
    """Return an hour of the twelve-hour clock on the twenty-four-hour one; None where it may be either."""
    is_clear = hour > NOON_H or hour == 0
    if is_clear:
        return hour
    if suffix:
        of_day = hour % NOON_H + (NOON_H if suffix == "p" else 0)
        return of_day + MIDNIGHT_H if part == "night" and of_day < SMALL_HOURS else of_day
    if part in EVENING or (part in DEEP and hour >= SMALL_HOURS):
        return hour + MIDNIGHT_H if hour < SMALL_HOURS else hour + NOON_H
    if part in AFTERNOON or (part in NOON and hour <= EARLY_AFTERNOON):
        return hour % NOON_H + NOON_H
    if part:
        return 0 if part == "凌晨" and hour == NOON_H else hour
    return NOON_H if hour == NOON_H else None


def _instant(day: date, hour: float, timezone: str) -> datetime:
    """Return ``hour`` hours after local midnight of ``day``, UTC; hours below 0 or above 24 are of another day."""
    local = datetime.combine(day, time.min, ZoneInfo(timezone)) + timedelta(hours=hour)
    return local.astimezone(UTC)


def _number(text: str) -> int:
    """Return the value of one or two digits or of a Chinese number up to 99."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return DIGITS.get(text[-1:], 0)
    return (DIGITS.get(tens, 1) if tens else 1) * 10 + DIGITS.get(ones, 0)
