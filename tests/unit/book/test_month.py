"""Months, days and times on the page of open times."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lead_service.book.availability import month as availability_month
from lead_service.book.visitor import timezones
from lead_service.formats import clock_time

FIRST = datetime(2026, 10, 20, tzinfo=UTC)
starts = st.lists(
    st.integers(0, 90 * 48).map(lambda half_hours: FIRST + timedelta(minutes=30 * half_hours)),
    unique=True,
    min_size=1,
).map(sorted)
zones = st.sampled_from(sorted(timezones._places()))
dates = st.dates(FIRST.date() - timedelta(days=60), FIRST.date() + timedelta(days=200))


def times_of(day: availability_month.Day) -> list[datetime]:
    return sorted(start for _, found in (*day.parts, *day.odd_parts) for start in found)


@given(starts, zones)
def test_going_from_month_to_month_shows_every_start_on_its_own_date(found, zone):
    shown, month = {}, availability_month.month(found, zone)
    assert month.earlier is None
    while month:
        for on, day in month.days.items():
            assert {start.astimezone(ZoneInfo(zone)).date() for start in times_of(day)} == {on}
            assert month.first <= on < month.until
            assert day.count == len(times_of(day))
            assert shown.setdefault(on, day) == day  # a week may be seen in two months
        month = availability_month.month(found, zone, month.later) if month.later else None
    assert [start for on in sorted(shown) for start in times_of(shown[on])] == found


@given(starts, zones, st.integers(0, 6))
def test_at_first_four_weeks_are_shown_where_so_much_is_open(found, zone, first):
    month = availability_month.month(found, zone, first_weekday=first)
    last = found[-1].astimezone(ZoneInfo(zone)).date()
    assert len(month.dates) >= 28 or last < month.until
    assert month.until.day == 1 or month.until.weekday() == first
    shown = month.weekdays[month.first_column]
    assert shown == f"{month.dates[0]:%a}"


@given(starts, zones, st.data())
def test_choosing_a_day_that_is_seen_at_first_turns_no_month(found, zone, data):
    month = availability_month.month(found, zone)
    chosen = availability_month.month(
        found, zone, day=data.draw(st.sampled_from(sorted(month.days)))
    )
    assert (chosen.first, chosen.until, chosen.days) == (month.first, month.until, month.days)


def test_a_month_that_extends_into_the_next_names_both():
    for first, name in (
        (datetime(2026, 11, 26, tzinfo=UTC), "November\u2009\u2013\u2009December 2026"),
        (datetime(2026, 12, 26, tzinfo=UTC), "December 2026\u2009\u2013\u2009January 2027"),
        (datetime(2026, 11, 2, tzinfo=UTC), "November 2026"),
    ):
        found = [first + timedelta(days=number) for number in range(40)]
        assert availability_month.month(found, "UTC").name == name


@given(starts, zones, dates)
def test_any_requested_month_has_a_link_to_open_times(found, zone, wanted):
    month = availability_month.month(found, zone, wanted)
    assert (month.chosen is None) == (not month.days) == (month.next_open is not None)
    if month.next_open:
        assert month.next_open in availability_month.month(found, zone, day=month.next_open).days
    for neighbor in filter(None, (month.earlier, month.later)):
        assert availability_month.month(found, zone, neighbor).first == neighbor
    assert set(month.days) <= set(month.dates)


@given(starts, zones, dates)
def test_a_day_that_is_open_is_chosen_and_another_is_named_as_missed(found, zone, wanted):
    month = availability_month.month(found, zone, day=wanted)
    is_open = wanted in {start.astimezone(ZoneInfo(zone)).date() for start in found}
    assert (month.missed is None) == is_open
    if is_open:
        assert month.chosen.date == wanted


@given(starts, zones)
def test_the_first_open_day_is_chosen_by_itself(found, zone):
    assert times_of(availability_month.month(found, zone).chosen)[0] == found[0]


@given(starts, zones, dates)
def test_the_dates_shown_run_to_the_end_of_a_month_or_week_without_a_gap(found, zone, wanted):
    month = availability_month.month(found, zone, wanted)
    shown = month.dates
    assert shown == [shown[0] + timedelta(days=number) for number in range(len(shown))]
    assert (
        shown[-1] + timedelta(days=1) == month.until >= availability_month._following(month.first)
    )
    assume(shown[0] != month.first)
    assert shown[0].isoweekday() == 7  # only whole weeks are left out


def test_without_open_times_there_is_no_month():
    assert availability_month.month([], "UTC") is None


def test_implausible_dates_are_moved_to_open_times():
    for wanted in (date.min, date.max):
        assert availability_month.month([FIRST], "UTC", wanted, wanted).first == date(2026, 10, 1)


def test_times_are_grouped_as_people_speak_of_a_day():
    hours = (0, 4, 5, 6, 7, 11, 12, 16, 17, 20, 21, 23)
    found = [FIRST + timedelta(hours=hour) for hour in hours]
    day = availability_month.month(found, "UTC").chosen

    def read(parts) -> list:
        return [(name, [start.hour for start in starts]) for name, starts in parts]

    assert read(day.parts) == [
        ("Morning", [7, 11]),
        ("Afternoon", [12, 16]),
        ("Evening", [17, 20]),
    ]
    assert read(day.odd_parts) == [("Night", [0, 4]), ("Morning", [5, 6]), ("Evening", [21, 23])]


def test_an_hour_that_comes_twice_says_which_one_it_is():
    found = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (4, 5, 6, 7)]
    times = [clock_time(start, "America/New_York") for start in found]
    assert times == ["12:30 am", "1:30 am EDT", "1:30 am EST", "2:30 am"]
    assert clock_time(found[1], "America/New_York", is_24_hours=True) == "01:30 EDT"


@pytest.mark.parametrize(
    ("zone", "wanted", "hours"),
    [
        ("UTC", 10, [9, 10, 11]),
        ("UTC", 7, [7, 8, 9]),  # not in the night before it
        ("UTC", 3, [2, 3, 4]),  # but in that night if it was requested
        ("Asia/Tokyo", 5, [4, 5, 6]),
    ],
)
def test_the_nearest_starts_are_around_the_one_that_is_gone(zone, wanted, hours):
    found = [FIRST + timedelta(hours=hour) for hour in range(24)]
    near = availability_month.nearest(found, FIRST + timedelta(hours=wanted), zone, 3)
    assert [start.hour for start in near] == hours
