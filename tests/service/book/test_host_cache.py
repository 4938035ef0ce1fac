"""The cache of hosts always agrees with the slot engine."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from lead_service.book.availability import host_cache, queries
from lead_service.book.forms import start_text
from lead_service.book.hosts.models import BusyTime, CalendarFeed, Host
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.call_types import KIND
from tests.support.app.hosts import add_host, change_host
from tests.support.app.visitor_forms import book, open_starts

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))


def shown(context, now, *, moving=None):
    with context.database.read() as session:
        found = host_cache.snapshot(session)
        return found.open_starts(session, found.hosts, KIND, now, moving=moving)


def said(database, now, *, moving=None):
    """Compute the starts with the engine, from hosts read on a separate connection."""
    with database.read() as session:
        hosts, until = queries.active_hosts(session), now + host_cache.AHEAD
        return queries.open_starts(
            session, hosts, KIND, now=now, start=now, end=until, moving=moving
        )


def read_calendar(database, at, *busy):
    """Store busy times of a host's calendar, like the deliver process."""

    def work(session):
        feed = session.scalar(select(CalendarFeed)) or CalendarFeed(
            host_id=1, url="https://calendar.example.com/x.ics", label="Own", zone="UTC"
        )
        session.add(feed)
        session.flush()
        session.execute(update(CalendarFeed).values(succeeded_at=at, known_until=at + 60 * DAY))
        session.query(BusyTime).delete()
        rows = [{"feed_id": feed.id, "starts_at": a, "ends_at": b} for a, b in busy]
        if rows:
            session.execute(insert(BusyTime), rows)

    database.write(work)


def test_notice_counts_to_the_second(context, database):
    change_host(database, notice=60)
    on_grid = MONDAY_MORNING + HOUR
    times = [on_grid + step for step in (-MINUTE, -SECOND, 0 * SECOND, SECOND, 59 * SECOND, MINUTE)]
    assert [shown(context, now) for now in times] == [said(database, now) for now in times]
    assert shown(context, on_grid)[0] - HOUR == on_grid
    assert shown(context, on_grid + SECOND)[0] - HOUR > on_grid


@pytest.mark.both_engines
def test_an_edit_made_elsewhere_is_seen_at_once(context, database):
    before = shown(context, MONDAY_MORNING)
    change_host(database, interval=60, daily_limit=1)
    after = shown(context, MONDAY_MORNING)
    assert after == said(database, MONDAY_MORNING) != before
    change_host(database, is_active=False)
    assert shown(context, MONDAY_MORNING) == []


@pytest.mark.both_engines
def test_a_call_booked_elsewhere_is_seen_at_once_and_frees_its_time_when_it_moves(
    client, context, database
):
    before = shown(context, MONDAY_MORNING)
    book(client, start_text(before[3]))
    assert shown(context, MONDAY_MORNING) == [one for one in before if one != before[3]]
    assert shown(context, MONDAY_MORNING, moving=1) == before


def test_a_new_reading_of_a_calendar_is_used_at_once_and_expires(context, database):
    free, now = shown(context, MONDAY_MORNING), MONDAY_MORNING
    read_calendar(database, now, (now, now + DAY))
    assert shown(context, now) == said(database, now)
    assert shown(context, now)[0] >= now + DAY
    read_calendar(database, now + MINUTE)
    assert shown(context, now) == free
    stale = now + 25 * HOUR
    assert shown(context, stale) == said(database, stale) == []


def test_starts_are_those_of_all_hosts_or_of_a_chosen_one(client, context, database):
    change_host(database, notice=0)
    other = add_host(database, zone="Asia/Tokyo", notice=600)
    everybody = shown(context, MONDAY_MORNING)
    assert everybody == said(database, MONDAY_MORNING)
    with context.database.read() as session:
        found = host_cache.snapshot(session)
        alone = [found.open_starts(session, [host], KIND, MONDAY_MORNING) for host in found.hosts]
    assert sorted({*alone[0], *alone[1]}) == everybody
    assert open_starts(client, host=str(other))[0] == start_text(alone[1][0])


def test_hosts_are_read_again_only_when_they_have_changed(context, database):
    with context.database.read() as session:
        first = host_cache.snapshot(session)
        assert host_cache.snapshot(session).hosts is first.hosts
    change_host(database, name="Ann Example")
    with context.database.read() as session:
        again = host_cache.snapshot(session)
    assert again.hosts is not first.hosts
    assert [host.name for host in again.hosts] == ["Ann Example"]
    with database.read() as session:
        assert session.scalars(select(Host.version)).one() == 2


@pytest.mark.both_engines
def test_a_host_who_starts_taking_calls_while_the_page_reads_is_on_the_next_page(
    client, context, database, monkeypatch
):
    """On PostgreSQL, each statement of a read transaction sees other transactions' commits."""
    before, active_hosts = shown(context, MONDAY_MORNING), queries.active_hosts
    change_host(database, name="Ann Example")  # so that hosts are read again

    def read_after_another_came(session, **asked):
        monkeypatch.setattr(queries, "active_hosts", active_hosts)
        add_host(database, zone="Asia/Tokyo")
        return active_hosts(session, **asked)

    monkeypatch.setattr(queries, "active_hosts", read_after_another_came)
    assert shown(context, MONDAY_MORNING) == before
    assert shown(context, MONDAY_MORNING) == said(database, MONDAY_MORNING) != before


def test_a_cached_page_keeps_its_canonical_address(client):
    assert 'rel="canonical" href="http://127.0.0.1:8000/book/"' in client.get("/book").text
    assert 'rel="canonical" href="http://127.0.0.1:8000/book/"' in client.get("/book/").text
