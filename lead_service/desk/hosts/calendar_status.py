"""Describe the state of a host's calendar, without its secret address."""

from dataclasses import dataclass
from datetime import datetime

from ...book.availability import busy_times
from ...book.calendars import feed_address
from ...book.hosts.models import CalendarFeed
from ...formats import moment


@dataclass(frozen=True)
class State:
    """The state of one calendar: its name, server and validity."""

    feed: CalendarFeed
    server: str
    is_current: bool
    words: str
    widened: list[str]  # why it blocks more time than its events


def state(feed: CalendarFeed, now: datetime) -> State:
    """Describe the state of a calendar, with times in its host's zone."""
    current = busy_times.is_current(feed, now)
    words = _current(feed, now) if current else _not_believed(feed, now)
    server = feed_address.host_of(feed.url)
    return State(feed, server, current, words, feed.widened.splitlines())


def _current(feed: CalendarFeed, now: datetime) -> str:
    zone = feed.host.zone
    assert feed.succeeded_at  # a current calendar has been read
    read = f"Read {moment(feed.succeeded_at, zone, now)}."
    if not feed.fault:
        return read
    until = moment(feed.succeeded_at + busy_times.FRESH, zone, now)
    return f"{read} The last attempt failed: {feed.fault}. We use the times we read until {until}."


def _not_believed(feed: CalendarFeed, now: datetime) -> str:
    name = f"the calendar \u201c{feed.label}\u201d"
    fault = f" The last attempt failed: {feed.fault}." if feed.fault else ""
    if feed.succeeded_at is None:
        return f"We haven\u2019t read {name} yet. Visitors see no times until we do.{fault}"
    read = f"We last read {name} {moment(feed.succeeded_at, feed.host.zone, now)}"
    if feed.zone != feed.host.zone:
        return f"{read}, in another time zone. Visitors see no times until we read it again."
    return f"{read}, which is too long ago. Visitors see no times.{fault}"
