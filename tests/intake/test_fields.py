"""Single fields: what is clear is read, what is not is refused and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit_service import clock
from audit_service.intake import fields
from audit_service.intake.errors import FieldRefusedError


@pytest.mark.parametrize(
    ("text", "timezone", "expected"),
    [
        ("2026-03-02T10:15:00+08:00", "", datetime(2026, 3, 2, 2, 15, tzinfo=UTC)),
        ("2026-03-02T10:15:00+0800", "", datetime(2026, 3, 2, 2, 15, tzinfo=UTC)),
        ("2026-03-02 02:15:00Z", "", datetime(2026, 3, 2, 2, 15, tzinfo=UTC)),
        ("2026-03-02T10:15:00.25+08:00", "", datetime(2026, 3, 2, 2, 15, 0, 250_000, tzinfo=UTC)),
        ("2026/3/2 10:15", "Asia/Shanghai", datetime(2026, 3, 2, 2, 15, tzinfo=UTC)),
        # An offset says more than the zone, which is that of the person called.
        ("2026-03-02T10:15:00+08:00", "America/New_York", datetime(2026, 3, 2, 2, 15, tzinfo=UTC)),
        # The day the clocks went forward in New York: an hour before and after the gap.
        ("2026-03-08 01:59", "America/New_York", datetime(2026, 3, 8, 6, 59, tzinfo=UTC)),
        ("2026-03-08 03:00", "America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_clear_time_is_read(text: str, timezone: str, expected: datetime) -> None:
    assert fields.instant(text, timezone) == expected


@pytest.mark.parametrize(
    ("text", "timezone"),
    [
        ("2026-03-08 02:30", "America/New_York"),
        ("2025-11-02 01:30", "America/New_York"),
        ("02.03.2026 10:15", "Asia/Shanghai"),
        ("3/2/26 10:15 AM", "Asia/Shanghai"),
        ("20260302101500", "Asia/Shanghai"),
        ("1772417700", "Asia/Shanghai"),
        ("2026-03/02 10:15", "Asia/Shanghai"),
        ("2026-03-02 24:00", "Asia/Shanghai"),
        ("2026-03-02T10:15:00+99:00", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("", "Asia/Shanghai"),
    ],
)
def test_an_unclear_time_is_refused_with_a_remedy(text: str, timezone: str) -> None:
    with pytest.raises(FieldRefusedError) as refusal:
        fields.instant(text, timezone)
    assert refusal.value.remedy


@given(st.text(max_size=40))
def test_any_text_is_either_a_time_in_utc_or_refused(text: str) -> None:
    try:
        moment = fields.instant(text, "Asia/Shanghai")
    except FieldRefusedError:
        return
    assert moment.tzinfo is UTC


@given(st.datetimes(min_value=datetime(2000, 1, 2), max_value=datetime(2026, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - bounds are naive by contract
def test_a_time_written_as_iso_8601_comes_back(moment: datetime) -> None:
    assume((moment.utcoffset() or timedelta()).total_seconds() % 60 == 0)  # ISO 8601 has no seconds in an offset
    assert fields.instant(moment.isoformat()) == clock.utc(moment)


@pytest.mark.parametrize(("text", "expected"), [("95", 95.0), ("1:02", 62.0), ("1:00:05", 3605.0), (" 0.5 ", 0.5)])
def test_a_length_is_read_in_seconds(text: str, expected: float) -> None:
    assert fields.seconds(text) == expected


@pytest.mark.parametrize("text", ["inf", "1e9", "-3", "1:2:3:4", "95秒", "²"])
def test_a_length_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FieldRefusedError):
        fields.seconds(text)
