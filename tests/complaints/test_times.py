"""Rough times mean stretches: table of what people write and what they mean."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from audit_service.complaints.times import find_times, resolve

SHANGHAI, CHICAGO = "Asia/Shanghai", "America/Chicago"
# Tuesday, 10 March 2026, 09:00 in Shanghai.
SAID_ZH = datetime(2026, 3, 10, 9, 0, tzinfo=ZoneInfo(SHANGHAI))
SAID_EN = datetime(2026, 3, 10, 9, 0, tzinfo=ZoneInfo(CHICAGO))


def stretch(text: str, said: datetime, zone: str) -> tuple[str, str] | None:
    found = resolve(text, said, zone)
    if found is None:
        return None
    first, last = (instant.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") for instant in found)
    return first, last


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("3月3号下午", "03-03 12:00", "03-03 18:00"),
        ("2026年3月3日下午两点四十", "03-03 13:40", "03-03 15:40"),
        ("三月五日22点多", "03-05 21:00", "03-05 23:00"),
        ("3月3号晚上十点半", "03-03 21:30", "03-03 23:30"),
        ("二月二十一号", "02-21 00:00", "02-22 00:00"),
        ("昨天", "03-09 00:00", "03-10 00:00"),
        ("昨晚", "03-09 18:00", "03-10 00:00"),
        ("前天中午", "03-08 11:00", "03-08 14:00"),
        ("大前天", "03-07 00:00", "03-08 00:00"),
        ("上周三晚上", "03-04 18:00", "03-05 00:00"),
        ("上上周五", "02-27 00:00", "02-28 00:00"),
        ("星期天上午", "03-08 08:00", "03-08 12:00"),
        ("3月4日半夜两点", "03-04 01:00", "03-04 03:00"),
        ("3月6号 14:40", "03-06 13:40", "03-06 15:40"),
        ("2026-03-06 14:40", "03-06 13:40", "03-06 15:40"),
        ("３／６ 下午", "03-06 12:00", "03-06 18:00"),
        ("3月3号（周二）晚上", "03-03 18:00", "03-04 00:00"),
        ("周日晚上12点", "03-08 23:00", "03-09 01:00"),
        ("昨晚一点", "03-10 00:00", "03-10 02:00"),
        ("前天中午1点", "03-08 12:00", "03-08 14:00"),
        ("下午三点一刻，3月2号", "03-02 00:00", "03-03 00:00"),
        ("3月2号下午三点一刻", "03-02 14:15", "03-02 16:15"),
        ("3月2号3点", "03-02 02:00", "03-02 16:00"),
        ("三天前", "03-07 00:00", "03-08 00:00"),
        ("上个月5号", "02-05 00:00", "02-06 00:00"),
        ("5号晚上", "03-05 18:00", "03-06 00:00"),
        ("25号晚上", "02-25 18:00", "02-26 00:00"),
        ("上周", "03-02 00:00", "03-09 00:00"),
        ("3月3号99点", "03-03 00:00", "03-04 00:00"),
    ],
)
def test_chinese(text: str, first: str, last: str) -> None:
    assert stretch(text, SAID_ZH, SHANGHAI) == (first, last)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("on March 3rd around 9:40 pm", "03-03 20:40", "03-03 22:40"),
        ("March 3 at night", "03-03 18:00", "03-04 06:00"),
        ("yesterday morning", "03-09 05:00", "03-09 12:00"),
        ("last Tuesday evening", "03-03 17:00", "03-04 00:00"),
        ("on Friday", "03-06 00:00", "03-07 00:00"),
        ("last night", "03-09 18:00", "03-10 06:00"),
        ("last night at 2 a.m.", "03-10 01:00", "03-10 03:00"),
        ("3 March 2026", "03-03 00:00", "03-04 00:00"),
        ("the 3rd of March at 9pm", "03-03 20:00", "03-03 22:00"),
        ("Tuesday, March 3rd", "03-03 00:00", "03-04 00:00"),
        ("Tuesday the 3rd", "03-03 00:00", "03-04 00:00"),
        ("at 9:40 pm on Mar. 3", "03-03 20:40", "03-03 22:40"),
        ("around 7 in the morning on Monday", "03-09 06:00", "03-09 08:00"),
        ("the evening of March 3", "03-03 17:00", "03-04 00:00"),
        ("March 3rd at 21:40", "03-03 20:40", "03-03 22:40"),
        ("3/4/2026", "03-04 00:00", "03-05 00:00"),
        ("the day before yesterday", "03-08 00:00", "03-09 00:00"),
        ("two days ago", "03-08 00:00", "03-09 00:00"),
        ("last week", "03-02 00:00", "03-09 00:00"),
        ("this past Tuesday", "03-03 00:00", "03-04 00:00"),
        ("March 2, 2026 at 12 a.m.", "03-01 23:00", "03-02 01:00"),
    ],
)
def test_english(text: str, first: str, last: str) -> None:
    assert stretch(text, SAID_EN, CHICAGO) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "他们一直打电话",
        "some time ago",
        "2月31号",
        "第三方",
        "工号8860号",
        "9999年12月31日",
        "0001-01-01",
        "1/3 of my pay",
    ],
)
def test_no_time_is_no_time(text: str) -> None:
    assert resolve(text, SAID_ZH, SHANGHAI) is None


@pytest.mark.parametrize("text", ["3月20日前还清", "下周三", "本周五", "next Monday", "by March 20"])
def test_what_lies_just_ahead_is_a_deadline_and_no_time_of_an_incident(text: str) -> None:
    assert resolve(text, SAID_ZH, SHANGHAI) is None


def test_day_and_month_change_places_by_zone() -> None:
    found = resolve("5/2", SAID_ZH, "Europe/London")
    assert found is not None
    assert (found[0].month, found[0].day) == (2, 5)


def test_a_day_later_in_the_year_is_last_years() -> None:
    found = resolve("12月24日", SAID_ZH, SHANGHAI)
    assert found is not None
    assert found[0].year == 2025


def test_mentions_say_where_they_stand() -> None:
    text = "先是3月3号下午打来，昨晚又打。"
    assert [text[mention.start : mention.end] for mention in find_times(text, SAID_ZH, SHANGHAI)] == [
        "3月3号下午",
        "昨晚",
    ]


def test_the_day_of_a_clock_change_has_23_hours() -> None:
    """Clocks went forward in Chicago on 8 March 2026."""
    found = resolve("March 8", SAID_EN, CHICAGO)
    assert found is not None
    assert (found[1] - found[0]).total_seconds() == 23 * 3600
