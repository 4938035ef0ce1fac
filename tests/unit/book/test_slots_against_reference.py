"""Compare the engine with the minute-by-minute reference in every zone and around clock changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lead_service.book.availability.intervals import Hours, Window
from lead_service.book.availability.slots import Booked, Busy, Rules, all_day, open_starts, why_not
from tests.unit.book.slots_reference import clock_changes, reference_starts, transitions

MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones() - {"localtime", "posixrules"})
# Zones with half-hour and two-hour changes, changes at midnight, a skipped date, odd offsets.
ODD_ZONES = (
    *("Australia/Lord_Howe", "Antarctica/Troll", "Africa/Cairo", "America/Santiago"),
    *("Pacific/Apia", "America/Havana", "America/St_Johns", "Asia/Gaza", "Pacific/Chatham"),
    *("Asia/Kathmandu", "Africa/Casablanca", "Europe/London", "America/New_York"),
    *("Europe/Dublin", "Pacific/Kwajalein", "UTC"),
)
# Sub-minute offsets ended in January 1972.
FIRST_YEAR, LAST_YEAR = 1973, 2040
AFTER_1973 = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()

some_zone = st.sampled_from(ODD_ZONES) | st.sampled_from(ZONES)
few = settings(suppress_health_check=[HealthCheck.too_slow])


@st.composite
def moments(draw, zone: str) -> datetime:
    """Generate a whole UTC minute, usually near a clock change of the zone."""
    changes = clock_changes(zone, FIRST_YEAR, LAST_YEAR)
    if changes and draw(st.integers(0, 4)):
        return draw(st.sampled_from(changes)) + draw(st.integers(-1500, 1500)) * MINUTE
    days = draw(st.integers(0, (LAST_YEAR + 40 - FIRST_YEAR) * 365))
    return datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) + timedelta(days, minutes=draw(minutes_of_day))


minutes_of_day = st.integers(0, 47).map(lambda half: half * 30) | st.integers(0, 1439)
lengths = st.sampled_from([0, -30, 15, 30, 60, 90, 120, 480, 1440]) | st.integers(1, 1440)
windows = st.builds(
    lambda start, length: Window(start, min(start + length, 2880)), minutes_of_day, lengths
)
days_windows = st.lists(windows, min_size=1, max_size=3).map(tuple)
some_windows = days_windows | st.just(())


@st.composite
def situations(draw) -> dict:
    """Generate the engine's arguments, with all intervals near one moment."""
    zone = draw(some_zone)
    middle = draw(moments(zone))
    day = middle.astimezone(ZoneInfo(zone)).date()
    near = st.integers(-1440, 1440).map(lambda minutes: middle + minutes * MINUTE)
    dates = st.integers(-2, 2).map(lambda days: day + timedelta(days))
    every_day = draw(days_windows)
    weekly = draw(
        st.just(dict.fromkeys(range(7), every_day))
        | st.dictionaries(st.integers(0, 6), days_windows, min_size=4)
    )
    overrides = draw(st.dictionaries(dates, some_windows, max_size=2))
    start = draw(near) + timedelta(seconds=draw(st.sampled_from([0, 0, 1, 59.5])))
    return {
        "hours": Hours(zone, weekly, overrides),
        "rules": draw(all_rules),
        "now": middle
        - draw(st.sampled_from([1440, 2880]) | st.integers(0, 2880)) * MINUTE
        + timedelta(microseconds=draw(st.sampled_from([0, 0, 1, 30_000_000]))),
        "start": start,
        "end": start + draw(st.sampled_from([1440, 2160]) | st.integers(-1, 2160)) * MINUTE,
        "busy": tuple(draw(st.lists(events(near), max_size=4))),
        "bookings": tuple(draw(st.lists(booked(near), max_size=4))),
        "moving": draw(st.none() | st.integers(0, 4)),
    }


all_rules = st.builds(
    Rules,
    duration=st.sampled_from([15, 30, 45, 60, 120]) | st.integers(1, 180),
    interval=st.sampled_from([10, 15, 20, 30, 45, 60]) | st.integers(1, 120),
    buffer_before=st.sampled_from([0, 0, 5, 10]) | st.integers(0, 90),
    buffer_after=st.sampled_from([0, 0, 5, 10]) | st.integers(0, 90),
    notice=st.sampled_from([0, 0, 0, 60, 1440]),
    horizon_days=st.none() | st.integers(1, 4) | st.just(0),
    daily_limit=st.none() | st.integers(1, 3) | st.just(0),
)


def events(near) -> st.SearchStrategy[Busy]:
    lasting = st.sampled_from([30, 0, -30, 0.5]) | st.integers(1, 240)
    return st.builds(lambda start, length: Busy(start, start + length * MINUTE), near, lasting)


def booked(near) -> st.SearchStrategy[Booked]:
    pad = st.sampled_from([0, 10, 30])
    return st.builds(Booked, st.integers(0, 4), near, st.integers(15, 120), pad, pad)


@few
@given(situations())
def test_the_engine_offers_the_same_starts_as_the_reference(situation):
    expected = reference_starts(**situation)
    assert open_starts(**situation) == expected


def latest_changes() -> dict[tuple[datetime, timedelta, timedelta], str]:
    """Return each zone's three latest clock changes: the moment, what it changed, and a zone.

    Zones that change the same offset to the same one at the same moment are one here.
    """
    found = {}
    for zone in ZONES:
        for at in [at for at in transitions(zone) if at > AFTER_1973][-3:]:
            moment = datetime.fromtimestamp(at, UTC)
            sides = (moment - MINUTE, moment)
            offsets = [side.astimezone(ZoneInfo(zone)).utcoffset() for side in sides]
            found[(moment, *offsets)] = zone
    return found


@pytest.mark.long
def test_every_zone_agrees_with_the_reference_at_its_latest_clock_changes():
    every_day = (Window(0, 100), Window(115, 190), Window(1270, 1510))
    rules = Rules(duration=25, interval=20)
    changes = latest_changes()
    assert len(changes) > 200
    for (change, *_), zone in changes.items():
        hours = Hours(zone, dict.fromkeys(range(7), every_day))
        span = {"start": change - 200 * MINUTE, "end": change + 200 * MINUTE}
        asked = {"now": change - timedelta(3), **span}
        assert open_starts(hours, rules, **asked) == reference_starts(hours, rules, **asked), zone


@few
@given(situations(), st.data())
def test_a_start_has_a_reason_exactly_where_it_is_not_listed(situation, data):
    start, end = situation.pop("start"), situation.pop("end")
    listed = open_starts(start=start, end=end, **situation)
    minute = st.integers(0, 2160).map(lambda n: start.replace(second=0, microsecond=0) + n * MINUTE)
    at = data.draw(st.sampled_from(listed) | minute if listed else minute)
    is_open = at in listed or at in reference_at(at, situation)
    assert (why_not(at=at, **situation) is None) == is_open
    assert why_not(at=at + timedelta(microseconds=1), **situation)


def reference_at(at: datetime, situation: dict) -> list[datetime]:
    return reference_starts(start=at, end=at + MINUTE, **situation)


@few
@given(some_zone, st.data())
def test_an_all_day_event_blocks_just_the_time_that_shows_its_dates(zone, data):
    host = ZoneInfo(zone)
    first = data.draw(moments(zone)).astimezone(host).date()
    last = first + timedelta(data.draw(st.integers(-1, 2)))
    event = all_day(first, last, zone)
    minute = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(2)
    shown = [
        at
        for at in (minute + n * MINUTE for n in range(6 * 1440))
        if first <= at.astimezone(host).date() < last
    ]
    if shown:
        assert (event.start, event.end) == (shown[0], shown[-1] + MINUTE)
    else:
        assert event.start >= event.end


@pytest.mark.parametrize("edge", [date.min, date.max])
def test_dates_at_the_ends_of_the_calendar_are_clipped(edge):
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        event = all_day(date.min, edge, zone)
        assert event.start.year == 2
        assert event.end.year == (2 if edge == date.min else 9999)
