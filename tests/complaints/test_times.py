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
        ("2026年3月3日下午两点四十", "03-03 13:00", "03-03 15:00"),
        ("三月五日22点多", "03-05 21:00", "03-05 23:00"),
        ("3月3号晚上十点半", "03-03 21:30", "03-03 23:30"),
        ("三月二十一号", "03-21 00:00", "03-22 00:00"),
        ("昨天", "03-09 00:00", "03-10 00:00"),
        ("昨晚", "03-09 18:00", "03-10 00:00"),
        ("前天中午", "03-08 11:00", "03-08 14:00"),
        ("大前天", "03-07 00:00", "03-08 00:00"),
        ("上周三晚上", "03-04 18:00", "03-05 00:00"),
        ("上上周五", "02-27 00:00", "02-28 00:00"),
        ("星期天上午", "03-08 08:00", "03-08 12:00"),
        ("3月4日半夜两点", "03-04 01:00", "03-04 03:00"),
        ("3月6号 14:40", "03-06 13:40", "03-06 15:40"),
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
        ("March 2, 2026 at 12 a.m.", "03-01 23:00", "03-02 01:00"),
    ],
)
def test_english(text: str, first: str, last: str) -> None:
    assert stretch(text, SAID_EN, CHICAGO) == (first, last)


@pytest.mark.parametrize("text", ["", "他们一直打电话", "some time ago", "2月31号", "第三方"])
def test_no_time_is_no_time(text: str) -> None:
    assert resolve(text, SAID_ZH, SHANGHAI) is None


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
