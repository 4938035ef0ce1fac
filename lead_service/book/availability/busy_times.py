"""Busy times from the hosts' own calendars, and how long a reading stays valid."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ..hosts.models import BusyTime, CalendarFeed, Host
from .slots import Busy

FRESH = timedelta(hours=24)  # an older reading isn't trusted
ALWAYS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def busy_times(
    session: Session, hosts: list[Host], now: datetime, start: datetime, end: datetime
) -> dict[int, list[Busy]]:
    """Return each host's busy times in [start, end), by the host's id.

    Time without information is never free: all of it if the calendar was not
    read yet, or not within FRESH, or in another zone; and the time beyond the
    part that was read.
    """
    feeds = [feed for host in hosts for feed in host.feeds]
    stored = stored_busy_times(session, feeds, BusyTime.ends_at > start, BusyTime.starts_at < end)
    found: dict[int, list[Busy]] = defaultdict(list)
    for feed in feeds:
        found[feed.host_id] += effective_busy_times(feed, stored[feed.id], now)
    return found


def stored_busy_times(
    session: Session, feeds: Sequence[CalendarFeed], *where: ColumnElement[bool]
) -> dict[int, list[Busy]]:
    """Return the stored busy times of each calendar, by its id, valid or not."""
    stored: dict[int, list[Busy]] = defaultdict(list)
    labels = {feed.id: feed.label for feed in feeds}
    query = select(BusyTime.feed_id, BusyTime.starts_at, BusyTime.ends_at)
    query = query.where(BusyTime.feed_id.in_(labels), *where)
    for feed_id, starts_at, ends_at in session.execute(query) if labels else ():
        stored[feed_id].append(Busy(starts_at, ends_at, labels[feed_id]))
    return stored


def effective_busy_times(feed: CalendarFeed, stored: Sequence[Busy], now: datetime) -> list[Busy]:
    """Return a calendar's busy times: the stored ones, and time without information."""
    return [_unknown(feed, now), *stored]


def is_current(feed: CalendarFeed, now: datetime) -> bool:
    """Say whether the last reading of a calendar is still valid."""
    if feed.succeeded_at is None or feed.zone != feed.host.zone:
        return False
    return now - feed.succeeded_at <= FRESH


def calendar_problems(hosts: list[Host], now: datetime) -> Iterator[str]:
    """Yield one line for each calendar without a valid reading, for people who can fix it."""
    for host in hosts:
        for feed in host.feeds:
            if not is_current(feed, now):
                yield (
                    f"host {host.id} offers no times: the calendar {feed.label!r} was {_last(feed)}"
                )


def _unknown(feed: CalendarFeed, now: datetime) -> Busy:
    since, until = ALWAYS
    if is_current(feed, now) and feed.known_until:
        since = feed.known_until
    return Busy(since, until, feed.label, is_known=False)


def _last(feed: CalendarFeed) -> str:
    """Say when a calendar was last read, and its present fault."""
    fault = f" ({feed.fault})" if feed.fault else ""
    if feed.succeeded_at is None:
        return f"never read{fault}"
    return f"last read at {feed.succeeded_at:%Y-%m-%d %H:%M} UTC{fault}"
