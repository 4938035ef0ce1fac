"""Hold the engine to the minute-by-minute reference, in every zone and around its clock changes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lead_service.book.availability.intervals import Hours, Window
from lead_service.book.availability.slots import Booked, Busy, Rules, all_day, open_starts, why_not
from tests.support.windows import parse_window
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
# Sub-minute offsets, which no clock shows any more, ended in January 1972.
FIRST_YEAR, LAST_YEAR = 1973, 2040
AFTER_1973 = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()

some_zone = st.sampled_from(ODD_ZONES) | st.sampled_from(ZONES)
few = settings(suppress_health_check=[HealthCheck.too_slow])


@st.composite
def moments(draw, zone: str) -> datetime:
    """Draw a whole UTC minute, most often beside a clock change of the zone."""
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
    """Draw everything that the engine takes, with whatever matters near one moment."""
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


# Zone and date | hours by its clock | length/interval in minutes | starts in UTC | what it is
CLOCK_CASES = """
Europe/London 2026-01-05 | 09:00-10:00 | 30/30 | 05T09:00 09:30 | winter
Europe/London 2026-07-06 | 09:00-10:00 | 30/30 | 06T08:00 08:30 | summer
Europe/London 2026-03-29 | 00:00-03:00 | 30/30 | 29T00:00 00:30 01:00 01:30 | spring
Europe/London 2026-03-29 | 01:00-02:00 | 30/30 |  | spring, only the gap
Europe/London 2026-03-29 | 01:30-03:00 | 30/30 | 29T01:00 01:30 | spring, 01:30
Europe/London 2026-03-29 | 01:15-03:00 | 30/30 | 29T01:15 | spring, grid kept
Europe/London 2026-03-29 | 00:00-03:00 | 60/60 | 29T00:00 01:00 | spring, hours
Europe/London 2026-03-29 | 00:00-03:00 | 90/30 | 29T00:00 00:30 | spring, long calls
Europe/London 2026-03-28 | 23:00-26:30 | 60/60 | 28T23:00 29T00:00 | spring, evening eve
Europe/London 2026-10-25 | 00:00-02:00 | 30/30 | 24T23:00 23:30 25T00:00 00:30 01:00 01:30 | autumn
Europe/London 2026-10-25 | 01:30-02:00 | 30/30 | 25T00:30 01:30 | autumn, both 01:30s
Europe/London 2026-10-25 | 01:30-02:00 | 60/30 |  | autumn, not joined
Europe/London 2026-10-25 | 01:00-02:00 | 120/60 | 25T00:00 | autumn, one 2 h call
Europe/London 2026-10-25 | 02:00-03:00 | 30/30 | 25T02:00 02:30 | autumn, after it
Europe/London 2026-10-25 | 00:40-02:20 | 20/40 | 24T23:40 25T00:20 01:20 02:00 | autumn, 40-min grid
America/New_York 2026-01-05 | 09:00-10:00 | 30/30 | 05T14:00 14:30 | winter
America/New_York 2026-07-06 | 09:00-10:00 | 30/30 | 06T13:00 13:30 | summer
America/New_York 2026-03-08 | 01:00-04:00 | 60/60 | 08T06:00 07:00 | spring
America/New_York 2026-03-08 | 02:30-02:45 | 15/15 |  | spring, 02:30
America/New_York 2026-03-07 | 22:00-27:00 | 60/60 | 08T03:00 04:00 05:00 06:00 | spring, long night
America/New_York 2026-03-07 | 22:00-28:00 | 60/60 | 08T03:00 04:00 05:00 06:00 07:00 | spring, on
America/New_York 2026-11-01 | 01:00-03:00 | 60/60 | 01T05:00 06:00 07:00 | autumn
America/New_York 2026-11-01 | 01:30-02:00 | 30/30 | 01T05:30 06:30 | autumn, both 01:30
America/New_York 2026-10-31 | 22:00-26:00 | 60/60 | 01T02:00 03:00 04:00 05:00 06:00 | autumn, night
Australia/Lord_Howe 2026-07-06 | 09:00-10:00 | 30/30 | 05T22:30 23:00 | winter
Australia/Lord_Howe 2026-01-05 | 09:00-10:00 | 30/30 | 04T22:00 22:30 | summer
Australia/Lord_Howe 2026-04-05 | 01:00-03:00 | 30/30 | 04T14:00 14:30 15:00 15:30 16:00 | autumn
Australia/Lord_Howe 2026-04-05 | 01:30-02:00 | 60/30 | 04T14:30 | autumn, hour call
Australia/Lord_Howe 2026-10-04 | 01:00-03:30 | 30/30 | 03T14:30 15:00 15:30 16:00 | spring
Australia/Lord_Howe 2026-10-04 | 01:00-04:00 | 60/60 | 03T14:30 16:00 | spring, hours
Australia/Lord_Howe 2026-10-04 | 02:15-03:15 | 15/15 | 03T15:30 15:45 16:00 | spring, in the gap
Africa/Cairo 2026-01-05 | 09:00-10:00 | 30/30 | 05T07:00 07:30 | winter
Africa/Cairo 2026-07-06 | 09:00-10:00 | 30/30 | 06T06:00 06:30 | summer
Africa/Cairo 2026-04-24 | 00:00-02:00 | 30/30 | 23T22:00 22:30 | spring, no midnight
Africa/Cairo 2026-04-24 | 00:30-02:00 | 30/60 | 23T22:30 | spring, grid in gap
Africa/Cairo 2026-04-23 | 23:00-26:00 | 60/60 | 23T21:00 22:00 | spring, over midnight
Africa/Cairo 2026-04-23 | 23:00-26:00 | 120/60 | 23T21:00 | spring, one long call
Africa/Cairo 2026-10-29 | 22:00-24:00 | 60/60 | 29T19:00 20:00 21:00 | autumn, 23:00 twice
Africa/Cairo 2026-10-29 | 23:00-25:00 | 60/60 | 29T20:00 21:00 22:00 | autumn, over midnight
America/Santiago 2026-07-06 | 09:00-10:00 | 30/30 | 06T13:00 13:30 | winter
America/Santiago 2026-01-05 | 09:00-10:00 | 30/30 | 05T12:00 12:30 | summer
America/Santiago 2026-04-04 | 22:00-24:00 | 60/60 | 05T01:00 02:00 03:00 | autumn, 23:00 twice
America/Santiago 2026-04-04 | 22:00-24:00 | 180/60 | 05T01:00 | autumn, 3 h call
America/Santiago 2026-09-06 | 00:00-02:00 | 30/30 | 06T04:00 04:30 | spring, no midnight
America/Santiago 2026-09-05 | 23:00-26:00 | 60/60 | 06T03:00 04:00 | spring, night
Pacific/Apia 2026-01-05 | 09:00-10:00 | 30/30 | 04T20:00 20:30 | nowadays
Pacific/Apia 2011-12-30 | 09:00-17:00 | 30/30 |  | the skipped date
Pacific/Apia 2011-12-29 | 22:00-24:00 | 60/60 | 30T08:00 09:00 | the eve of the skip
Pacific/Apia 2011-12-29 | 22:00-26:00 | 60/60 | 30T08:00 09:00 | into the skipped date
Pacific/Apia 2011-12-31 | 00:00-02:00 | 60/60 | 30T10:00 11:00 | after the skip
Asia/Kathmandu 2026-01-05 | 09:00-10:00 | 30/30 | 05T03:15 03:45 | no clock changes
Asia/Kathmandu 2026-01-05 | 23:00-25:00 | 60/60 | 05T17:15 18:15 | past midnight
Pacific/Chatham 2026-04-05 | 02:45-03:45 | 60/60 | 04T13:00 14:00 | autumn
Antarctica/Troll 2026-03-29 | 01:00-04:00 | 60/60 | 29T01:00 | two-hour spring
Antarctica/Troll 2026-10-25 | 01:00-03:00 | 60/60 | 24T23:00 25T00:00 01:00 02:00 | two-hour autumn
Europe/Dublin 2026-10-25 | 01:30-02:00 | 30/30 | 25T00:30 01:30 | winter as an offset
UTC 2026-03-29 | 00:00-02:00 | 30/30 | 29T00:00 00:30 01:00 01:30 | no clock changes
UTC 2026-10-25 | 00:00-24:00 | 480/480 | 25T00:00 08:00 16:00 | the whole day
UTC 2026-10-25 | 23:00-25:00 | 30/60 | 25T23:00 26T00:00 | past midnight
Pacific/Kiritimati 2026-01-05 | 00:00-01:00 | 30/30 | 04T10:00 10:30 | the first to see a day
Pacific/Pago_Pago 2026-01-05 | 23:00-24:00 | 30/30 | 06T10:00 10:30 | the last to see a day
"""


@pytest.mark.long
@pytest.mark.parametrize("starts", [open_starts, reference_starts])
@pytest.mark.parametrize("row", CLOCK_CASES.strip().splitlines())
def test_engine_and_reference_offer_the_starts_computed_by_hand(starts, row):
    where, opening, lengths, expected, _ = (cell.strip() for cell in row.split("|"))
    zone, day = where.split()
    window = parse_window(*opening.split("-"))
    duration, interval = map(int, lengths.split("/"))
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    found = starts(
        Hours(zone, {date.fromisoformat(day).weekday(): (window,)}),
        Rules(duration=duration, interval=interval),
        now=noon - timedelta(30),
        start=noon - timedelta(2),
        end=noon + timedelta(2),
    )
    assert [f"{at:%dT%H:%M}" for at in found] == spelled_out(expected)


def spelled_out(text: str) -> list[str]:
    """Put the day in front of each time: it is written only where it changes."""
    times = []
    for word in text.split():
        times.append(word if "T" in word else f"{times[-1][:2]}T{word}")
    return times


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
@given(situations(), st.integers(0, 2160))
def test_a_range_has_the_starts_of_its_two_parts(situation, minutes):
    start, end = situation.pop("start"), situation.pop("end")
    cut = min(start + minutes * MINUTE, max(start, end))
    parts = [open_starts(start=a, end=b, **situation) for a, b in ((start, cut), (cut, end))]
    assert parts[0] + parts[1] == open_starts(start=start, end=end, **situation)


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


def test_no_zone_changes_its_clocks_twice_within_a_day():
    assert sum(len(transitions(zone)) for zone in ZONES) > 10_000
    for zone in ZONES:
        changes = transitions(zone)
        gaps = [later - earlier for earlier, later in pairwise(changes)]
        assert min(gaps, default=10**6) > 86_400, zone
