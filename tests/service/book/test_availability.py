"""Availability: special days, calendars, several hosts, and the reasons for closed times."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from lead_service.book.availability import queries
from lead_service.book.availability.busy_times import FRESH, calendar_problems
from lead_service.book.availability.slots import UnavailableReason
from lead_service.book.hosts.models import (
    BusyTime,
    CalendarFeed,
    DateOverride,
    Host,
    OpeningHours,
    OverrideWindow,
    TimeOff,
)
from tests.service.conftest import MONDAY_MORNING as NOW
from tests.support.app.call_types import KIND
from tests.support.app.visitor_forms import book

THURSDAY = date(2026, 11, 26)  # Thanksgiving in the United States
NINE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def change(app, database, at):
    """Change the hosts within a transaction, and flush."""

    def change(work) -> None:
        def done(session) -> None:
            work(session.scalars(select(Host).order_by(Host.id)).all(), session)
            session.flush()

        database.write(done)

    return change


@pytest.fixture
def seen(database):
    """Return the open starts of one day, as hh:mm."""

    def seen(day: date = THURSDAY, **asked) -> list[str]:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        with database.read() as session:
            hosts = queries.active_hosts(session)
            span = {"now": NOW, "start": start, "end": start + timedelta(days=1)}
            return [
                f"{at:%H:%M}" for at in queries.open_starts(session, hosts, KIND, **span, **asked)
            ]

    return seen


@pytest.fixture
def why(database):
    """Return why the first host does not offer a start."""

    def why(start: datetime = NINE):
        with database.read() as session:
            host = session.scalars(select(Host).order_by(Host.id)).first()
            return queries.why_unavailable(session, host, queries.WantedStart(KIND, start, NOW))

    return why


def feed(**known) -> CalendarFeed:
    """Add a calendar that was just read."""
    fresh = {"fetched_at": NOW, "succeeded_at": NOW, "known_until": NOW + timedelta(days=120)}
    given = {"url": "https://example.com/x.ics", "label": "Work", "zone": "UTC", **fresh, **known}
    return CalendarFeed(**given)


def second(hosts, session, **more) -> Host:
    """Add a host who takes calls on Thursdays from nine to ten."""
    ben = Host(name="Ben", email="ben@example.com", zone="UTC", **more)
    ben.hours = [OpeningHours(weekday=3, opens=540, closes=600)]
    session.add(ben)
    return ben


# -- Special days -------------------------------------------------------------------------------


def test_a_public_holiday_closes_the_day_where_it_is_one(change, seen, why):
    assert seen()[0] == "09:00"
    change(lambda hosts, _: setattr(hosts[0], "country", "US"))
    assert seen() == []
    assert why().kind is UnavailableReason.HOLIDAY
    assert why().name == "Thanksgiving Day"
    change(lambda hosts, _: setattr(hosts[0], "country", "GB"))
    assert len(seen()) == 16


def test_the_holidays_of_a_region_are_its_own(change, seen):
    change(lambda hosts, _: setattr(hosts[0], "country", "US"))
    day_after_thanksgiving = date(2026, 11, 27)
    assert len(seen(day_after_thanksgiving)) == 16
    change(lambda hosts, _: setattr(hosts[0], "region", "CA"))
    assert seen(day_after_thanksgiving) == []


def test_a_country_missing_from_a_newer_list_has_no_holidays(change, seen):
    change(lambda hosts, _: (setattr(hosts[0], "country", "XX"), setattr(hosts[0], "region", "Y")))
    assert len(seen()) == 16


def test_special_hours_override_a_holiday_and_time_off_overrides_both(change, seen, why):
    windows = [OverrideWindow(opens=600, closes=660)]

    def differ(hosts, _) -> None:
        hosts[0].country = "US"
        hosts[0].overrides = [DateOverride(day=THURSDAY, windows=windows)]

    change(differ)
    assert seen() == ["10:00", "10:30"]
    assert why().kind is UnavailableReason.OVERRIDE
    off = TimeOff(first_day=THURSDAY - timedelta(days=2), last_day=THURSDAY, note="Away")
    change(lambda hosts, _: hosts[0].time_off.append(off))
    assert seen() == seen(THURSDAY - timedelta(days=2)) == []
    assert seen(THURSDAY + timedelta(days=1)) != []
    away = why()
    assert (away.kind, away.name) == (UnavailableReason.TIME_OFF, "Away")
    assert (away.start, away.end) == (NINE - 57 * HOUR, NINE + 15 * HOUR)


def test_special_days_follow_the_hosts_date(change, seen):
    """At 9:00 UTC it is 22:00 in Auckland, where Thursday ends at 11:00 UTC."""

    def move(hosts, _) -> None:
        hosts[0].zone = "Pacific/Auckland"
        hosts[0].hours = [OpeningHours(weekday=day, opens=0, closes=1440) for day in range(7)]
        hosts[0].time_off = [TimeOff(first_day=THURSDAY, last_day=THURSDAY)]

    change(move)
    assert seen()[0] == "11:00"


# -- Calendars ----------------------------------------------------------------------------------


def with_feed(change, **known) -> None:
    def add(hosts, session) -> None:
        hosts[0].feeds = [feed(**known)]
        session.flush()
        times = {"starts_at": NINE, "ends_at": NINE + 7 * HOUR}
        session.add(BusyTime(feed_id=hosts[0].feeds[0].id, **times))

    change(add)


def test_only_a_calendars_busy_times_are_closed(change, seen, why):
    with_feed(change)
    assert seen() == ["16:00", "16:30"]
    assert (why().kind, why().name, why().start) == (UnavailableReason.BUSY, "Work", NINE)


@pytest.mark.parametrize(
    "known",
    [
        {"succeeded_at": None},
        {"succeeded_at": NOW - FRESH - timedelta(seconds=1)},
        {"zone": "Europe/London"},
        {"known_until": NOW},
    ],
    ids=["never read", "too old", "read by another clock", "known so far only"],
)
def test_unknown_time_is_not_free(change, seen, why, known):
    with_feed(change, **known)
    assert seen() == []
    assert why(NINE + 7 * HOUR).kind is UnavailableReason.UNREAD
    assert why(NINE + 7 * HOUR).name == "Work"


def test_the_last_valid_reading_counts_for_a_day(change, seen):
    with_feed(change, succeeded_at=NOW - FRESH, fetched_at=NOW, fault="it did not answer in time")
    assert seen() == ["16:00", "16:30"]


def test_an_outdated_calendar_is_reported_with_its_fault(change, database):
    def said() -> list[str]:
        with database.read() as session:
            return list(calendar_problems(queries.active_hosts(session), NOW))

    with_feed(change)
    assert said() == []
    change(lambda hosts, _: setattr(hosts[0].feeds[0], "succeeded_at", None))
    change(lambda hosts, _: setattr(hosts[0].feeds[0], "fault", "it answered 404"))
    (line,) = said()
    assert "offers no times: the calendar 'Work' was never read (it answered 404)" in line


# -- Several hosts ------------------------------------------------------------------------------


@pytest.mark.both_engines
def test_calls_go_to_the_host_with_the_fewest_upcoming_calls(client, change, database):
    change(second)

    def free() -> list[str]:
        with database.read() as session:
            hosts = queries.active_hosts(session)
            wanted = queries.WantedStart(KIND, NINE, NOW)
            return [host.email for host in queries.free_hosts(session, hosts, wanted)]

    assert free() == ["team@example.com", "ben@example.com"]
    book(client)
    assert free() == ["ben@example.com", "team@example.com"]
