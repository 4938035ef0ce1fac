"""The starts on offer, case by case, with expected instants worked out by hand.

What can be said of one start is in slots_cases.txt.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from lead_service.book.availability.intervals import Hours, Window
from lead_service.book.availability.slots import Booked, Busy, Rules, open_starts, why_not
from tests.support.windows import parse_window

LONDON, NEW_YORK, APIA = "Europe/London", "America/New_York", "Pacific/Apia"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def windows(text: str) -> tuple[Window, ...]:
    return tuple(parse_window(*part.split("-")) for part in text.split())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(starts: list[datetime], day: int = 0) -> str:
    """Write starts in UTC as `hh:mm`, with `ddT` in front where the day changes."""
    words = []
    for at in starts:
        words.append(f"{at:%H:%M}" if at.day == day else f"{at:%dT%H:%M}")
        day = at.day
    return " ".join(words)


def march(text: str) -> datetime:
    """Read `hh:mm` on March 10, 2026, a Tuesday, or `ddThh:mm` on another day."""
    return utc(f"2026-03-{text if 'T' in text else '10T' + text}")


def booking(start: str, id: int | None = 7) -> Booked:
    return Booked(id, march(start), 30)


def case(name: str, expected: str, **changes):
    """Create a case by changing a host in UTC, open 9 to 11 every day, on March 10."""
    return pytest.param(expected, changes, id=name)


ALL_FOUR = "09:00 09:30 10:00 10:30"
# fmt: off
RULE_CASES = [
    case("R2 a window can fill two dates", "00:00 12:00 11T00:00 12:00",
         open="", on={10: windows("00:00-48:00")}, duration=720, interval=720,
         span="00:00/13T00:00"),
    case("R3 a window within another adds no grid", "09:00 09:40",
         open="09:00-10:20 09:10-09:50", interval=40),
    case("R5 night and morning overlap", "00:00 00:20 00:40 01:00 01:20",
         open="00:00-02:00 23:40-25:30", interval=40, duration=30, span="00:00/12:00"),
    case("R9 a microsecond less is not", "10:30", now="09:00:00.000001", notice=60),
    case("R11 none a day is none", "", daily_limit=0),
    case("R12 the moved one is not busy to itself", ALL_FOUR, ours=[booking("09:30")], moving=7),
    case("R12 nor does it count for its day", ALL_FOUR,
         ours=[booking("09:30")], moving=7, daily_limit=1),
    case("R12 moving nothing leaves out nothing", "09:00 10:00 10:30",
         ours=[booking("09:30", id=None)]),
    case("R13 a microsecond later it is", "09:00 09:30 10:00", span="00:00/10:00:00.000001"),
    case("R13 a call may end after the query", "09:00 09:30", span="00:00/09:31", duration=60),
    case("R13 what begins after the query counts", "09:00",
         span="00:00/09:31", duration=60, busy="10:00/12:00"),
    case("R13 what began before the query counts", "10:30", busy="01T00:00/10:15"),
    case("R13 a reversed range holds nothing", "", span="11T10:00/10:00"),
]
# fmt: on


@pytest.mark.parametrize(("expected", "changes"), RULE_CASES)
def test_the_rules_hold(expected, changes):
    given = {"open": "09:00-11:00", "on": {}, "busy": "", "ours": [], "moving": None}
    given |= {"now": "01T00:00", "span": "00:00/11T00:00", **changes}
    start, end = map(march, given.pop("span").split("/"))
    weekly = dict.fromkeys(range(7), windows(given.pop("open")))
    overrides = {date(2026, 3, day): opened for day, opened in given.pop("on").items()}
    asked = {"now": march(given.pop("now")), "start": start, "end": end}
    asked["busy"] = [Busy(*map(march, event.split("/"))) for event in given.pop("busy").split()]
    asked |= {"bookings": given.pop("ours"), "moving": given.pop("moving")}
    found = open_starts(Hours("UTC", weekly, overrides), Rules(**given), **asked)
    assert times(found, day=10) == expected


NINE_TO_FIVE = Hours(LONDON, dict.fromkeys(range(7), windows("09:00-17:00")))


def test_calls_meet_across_a_skipped_date():
    hours = Hours(APIA, {3: windows("22:00-24:00"), 5: windows("00:00-02:00")})
    span = {"start": utc("2011-12-29T12:00"), "end": utc("2011-12-31T12:00")}
    found = open_starts(hours, Rules(duration=120, interval=60), now=LONG_AGO, **span)
    assert times(found) == "30T08:00 09:00 10:00"


def test_the_horizon_and_the_days_limit_follow_the_hosts_date():
    """At 11:00 UTC it is already tomorrow on Kiritimati, 14 hours ahead."""
    hours = Hours("Pacific/Kiritimati", dict.fromkeys(range(7), windows("00:00-01:00")))
    asked = {"now": march("10T10:00"), "start": march("10T00:00"), "end": march("13T00:00")}
    assert times(open_starts(hours, Rules(horizon_days=0), **asked)) == "10T10:00 10:30"
    made = [Booked(1, march("10T23:00"), 30)]
    found = open_starts(hours, Rules(daily_limit=1, horizon_days=1), bookings=made, **asked)
    assert times(found) == "11T10:00 10:30"


def test_a_start_is_open_in_whatever_zone_it_is_written():
    hours = Hours(NEW_YORK, {6: windows("01:30-02:00")})
    for fold, expected in ((0, "01T05:30"), (1, "01T06:30")):
        at = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo(NEW_YORK), fold=fold)
        assert times([at.astimezone(UTC)]) == expected
        assert why_not(hours, Rules(), at, now=LONG_AGO) is None
        assert why_not(hours, Rules(), at + timedelta(seconds=1), now=LONG_AGO)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"])
def test_a_range_at_the_ends_of_the_calendar_is_clipped(zone):
    hours = Hours(zone, dict.fromkeys(range(7), windows("00:00-48:00")))
    first = utc("0001-01-01T00:00")
    early = open_starts(hours, Rules(), now=first, start=first, end=utc("0002-01-02T00:00"))
    assert early[0] >= utc("0002-01-01T00:00")
    late = {"start": utc("9998-12-31T00:00"), "end": utc("9999-12-31T23:59")}
    assert open_starts(hours, Rules(), now=first, **late)[-1] < utc("9999-01-01T00:00")


@pytest.mark.parametrize("wrong", [{"duration": 0}, {"interval": 0}, {"notice": -1}])
def test_rules_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rules(**wrong)


@pytest.mark.parametrize("wrong", [(-1, 60), (1440, 1500), (0, 2881)])
def test_a_window_outside_its_date_is_refused(wrong):
    with pytest.raises(ValueError, match="1439"):
        Window(*wrong)


def test_an_instant_without_a_zone_and_an_unknown_zone_are_errors():
    asked = {"now": LONG_AGO, "start": march("10T00:00"), "end": march("11T00:00")}
    for name in asked:
        with pytest.raises(TypeError):
            open_starts(NINE_TO_FIVE, Rules(), **{**asked, name: datetime(2026, 3, 10)})
    with pytest.raises(ZoneInfoNotFoundError):
        open_starts(Hours("Europe/Nowhere", {}), Rules(), **asked)
