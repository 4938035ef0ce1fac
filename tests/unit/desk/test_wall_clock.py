"""Wall-clock times that don't exist, and those that exist twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.desk import wall_clock


@pytest.mark.parametrize(
    ("zone", "gap", "fold"),
    [
        ("Europe/London", "2026-03-29T01:30", "2026-10-25T01:30"),
        ("America/New_York", "2026-03-08T02:30", "2026-11-01T01:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-04-05T01:45"),
        ("Africa/Cairo", "2026-04-24T00:30", "2026-10-29T23:30"),
        ("America/Santiago", "2026-09-06T00:30", "2026-04-04T23:30"),
    ],
)
def test_a_reading_in_a_gap_is_no_instant_and_one_in_a_fold_is_two(zone, gap, fold):
    assert wall_clock.instants(datetime.fromisoformat(gap), zone) == []
    first, second = wall_clock.instants(datetime.fromisoformat(fold), zone)
    assert first < second
    assert wall_clock.offset(first, zone) != wall_clock.offset(second, zone)


def test_a_date_that_a_zone_skipped_has_no_time_at_all():
    for hour in range(24):
        assert wall_clock.instants(datetime(2011, 12, 30, hour), "Pacific/Apia") == []


zones = st.sampled_from(["UTC", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"])


@given(st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1)), zones)
def test_every_instant_is_among_those_of_its_reading(instant, zone):
    at = instant.replace(second=0, microsecond=0, tzinfo=UTC)
    reading = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    found = wall_clock.instants(reading, zone)
    assert at in found
    assert len(found) <= 2
    assert all(abs(one - at) <= timedelta(hours=2) for one in found)


NO_READINGS = ["", "soon", "2026-11-24T25:00", "2026-02-30T09:00", "2026-11-24T09:00+01:00"]
NO_READINGS += ["0001-01-01T00:00", "9999-12-31T23:59", "2026-11-24T09:00Z"]


@pytest.mark.parametrize("typed", NO_READINGS)
def test_an_invalid_date_and_time_is_none(typed):
    assert wall_clock.parse(typed) is None
