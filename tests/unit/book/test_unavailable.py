"""The reason why a start is not offered agrees with the engine, and names the obstacle."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

from lead_service.book.availability.intervals import Hours
from lead_service.book.availability.slots import (
    Booked,
    Busy,
    Rules,
    Unavailable,
    UnavailableReason,
    why_not,
)
from tests.support.windows import parse_window

NINE_TO_FIVE = (parse_window("09:00", "17:00"),)
LONDON = Hours("Europe/London", dict.fromkeys(range(5), NINE_TO_FIVE))
NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)  # a Monday, in winter time


def at(text: str) -> datetime:
    """Read `ddThh:mm` of March 2026, in UTC."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


def asked(start: str, hours: Hours = LONDON, **changes) -> Unavailable | None:
    known = {name: changes.pop(name) for name in ("busy", "bookings", "moving") if name in changes}
    return why_not(hours, Rules(**changes), at(start), now=NOW, **known)


def test_the_past_is_the_first_reason():
    assert asked("08T09:10", notice=60) == Unavailable(UnavailableReason.PAST)


def test_the_reason_for_notice_names_the_first_possible_start():
    assert asked("09T10:00", notice=240) == Unavailable(
        UnavailableReason.NOTICE, at("09T12:00"), count=240
    )
    assert asked("09T12:00", notice=240) is None


def test_the_horizon_names_its_last_date():
    beyond = Unavailable(UnavailableReason.HORIZON, count=3, day=date(2026, 3, 12))
    assert asked("13T09:00", horizon_days=3) == beyond


def test_closed_hours_say_from_when_until_when():
    assert asked("14T09:00") == Unavailable(UnavailableReason.HOURS, at("13T17:00"), at("16T09:00"))
    assert asked("10T17:00") == Unavailable(UnavailableReason.HOURS, at("10T17:00"), at("11T09:00"))


def test_without_opening_hours_there_are_no_edges():
    assert asked("10T09:00", Hours("UTC", {})) == Unavailable(UnavailableReason.HOURS)


def test_a_date_with_its_own_hours_is_named():
    off = replace(LONDON, overrides={date(2026, 3, 10): ()})
    assert asked("10T09:00", off) == Unavailable(UnavailableReason.OVERRIDE, day=date(2026, 3, 10))
    assert asked("11T09:00", off) is None


def test_the_reason_for_a_start_off_the_grid_names_the_grid():
    late = Hours("Asia/Kathmandu", dict.fromkeys(range(7), (parse_window("09:20", "17:00"),)))
    grid = Unavailable(UnavailableReason.GRID, count=30, opens=time(9, 20))
    assert asked("10T04:00", late) == grid  # 09:45 there
    assert asked("10T03:35", late) is None


def test_a_call_that_is_too_long_runs_into_the_closed_time():
    over = Unavailable(UnavailableReason.LENGTH, at("10T17:00"), at("11T09:00"), count=90)
    assert asked("10T16:00", duration=90) == over


def test_a_full_day_names_its_limit():
    bookings = [Booked(1, at("10T14:00"), 30)]
    full = Unavailable(UnavailableReason.LIMIT, count=1, day=date(2026, 3, 10))
    assert asked("10T09:00", daily_limit=1, bookings=bookings) == full
    assert asked("10T09:00", daily_limit=1, bookings=bookings, moving=1) is None


def test_a_busy_calendar_is_named_with_the_times_of_the_event():
    lunch = Busy(at("10T12:15"), at("10T13:00"), "Work")
    busy = Unavailable(UnavailableReason.BUSY, lunch.start, lunch.end, name="Work")
    assert asked("10T12:30", busy=[lunch]) == busy
    assert asked("10T13:00", busy=[lunch]) is None
    assert asked("10T13:00", buffer_before=5, busy=[lunch]) == busy


def test_another_call_comes_before_an_event_and_is_told_without_its_buffers():
    event = Busy(at("10T09:00"), at("10T12:00"), "Work")
    booked = Booked(7, at("10T10:00"), 30, 15, 15)
    call = Unavailable(UnavailableReason.BOOKED, at("10T10:00"), at("10T10:30"), booking=7)
    assert asked("10T10:30", busy=[event], bookings=[booked]) == call


def test_a_calendar_that_was_not_read_is_no_event():
    unread = Busy(at("01T00:00"), at("31T00:00"), "Work", is_known=False)
    assert asked("10T09:00", busy=[unread]).kind is UnavailableReason.UNREAD


def test_the_hour_that_is_missing_in_spring_is_no_start_and_the_doubled_one_is_two():
    night = Hours("Europe/London", dict.fromkeys(range(7), (parse_window("00:00", "04:00"),)))
    assert asked("29T01:00", night) is None  # reads 02:00
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]  # both read 01:30
    assert [why_not(night, Rules(), start, now=NOW) for start in twice] == [None, None]
