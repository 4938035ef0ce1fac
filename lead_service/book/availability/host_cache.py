"""A process-wide cache of the active hosts, for the pages of times.

Reading a host takes six queries and the engine, most of such a page's time, and hosts seldom
change. One query checks the cache: `version` rises with every edit of a host, `succeeded_at` with
every reading of a calendar, and `calls_version` with every call that comes, moves or goes. Calls
are read when the latter has changed, and once a minute, so a full calendar costs a page nothing.
`bookings.create` reads everything again under locks, so nothing here decides who gets a time.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from ...call_types import CallType
from ..hosts.models import CalendarFeed, Host
from ..models import Booking
from . import busy_times, queries, slots
from .host_rules import AROUND, MOST_DAYS, rules, situation

AHEAD = timedelta(days=MOST_DAYS + 1)  # the horizon is a date, and ends later than its instant
_host, _feed = Host.__table__.c, CalendarFeed.__table__.c
NEWEST_CALL = select(func.max(Booking.id)).scalar_subquery()
STAMP = (
    select(
        _host.id,
        _host.calls_version,
        NEWEST_CALL,
        _host.version,
        _feed.id,
        _feed.succeeded_at,
        _feed.zone,
        _feed.known_until,
    )
    .outerjoin_from(Host.__table__, CalendarFeed.__table__)
    .where(_host.is_active)
    .order_by(_host.id, _feed.id)
)


@dataclass(frozen=True, eq=False)  # what has changed is another object, never an equal one
class HostSnapshot:
    """What was read of the hosts who take calls; for reading only, since many requests share it."""

    stamp: Sequence[Any]
    hosts: list[Host]  # by their ids
    stored: dict[int, list[slots.Busy]]  # by the calendar's id
    calls: dict[int, object]  # by the host's id, what changes with their calls
    found: dict[tuple[int, str], tuple[object, list[datetime]]] = field(default_factory=dict)

    def open_starts(
        self,
        session: Session,
        asked: Sequence[Host],
        kind: CallType,
        now: datetime,
        *,
        moving: int | None = None,
    ) -> list[datetime]:
        """Return the starts of a kind of call that may be chosen now of these hosts: UTC, sorted.

        The booking `moving` doesn't count as busy. It is worked out once a minute, and again when a
        booking comes or goes.
        """
        minute = now.replace(second=0, microsecond=0)
        found = []
        for host in asked:
            starts = self._starts(session, host, kind, minute, moving)
            earliest = now + timedelta(minutes=rules(host, kind).notice)  # R9, to the second
            found.append(starts[bisect_left(starts, earliest) :])
        return found[0] if len(found) == 1 else sorted(set().union(*found))

    def _starts(
        self, session: Session, host: Host, kind: CallType, minute: datetime, moving: int | None
    ) -> list[datetime]:
        """Work out a host's starts, or take those that were found for the same minute and calls."""
        key = minute, kind, self.calls[host.id]
        found = self.found.get((host.id, kind.slug))
        if moving is None and found and found[0] == key:
            return found[1]
        taken = queries.bookings(session, [host], minute - AROUND, minute + AHEAD + AROUND)
        busy = chain.from_iterable(
            busy_times.effective_busy_times(feed, self.stored[feed.id], minute)
            for feed in host.feeds
        )
        start, end = minute, minute + AHEAD
        known = situation(host, kind, minute, start, end, busy, taken[host.id])
        starts = slots.open_starts(**known, start=start, end=end, moving=moving)
        if moving is None:
            self.found[host.id, kind.slug] = key, starts
        return starts


_latest: WeakKeyDictionary[Engine, HostSnapshot] = WeakKeyDictionary()


def snapshot(session: Session) -> HostSnapshot:
    """Return what is known of the hosts who take calls; read anew where it has changed.

    For sessions that only read: one that is rolled back would take its hosts along.
    """
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    rows = session.connection().execute(STAMP).all()
    calls: dict[int, object] = {row[0]: row[1:3] for row in rows}
    stamp = [(row[0], *row[3:]) for row in rows]
    known = _latest.get(engine)
    if known is None or known.stamp != stamp:
        known = _latest[engine] = _load(session, stamp)
    return replace(known, calls=calls)


def _load(session: Session, stamp: Sequence[Any]) -> HostSnapshot:
    # On PostgreSQL another host may have come since the stamp was read: the next page has them.
    found = queries.active_hosts(session, only={row[0] for row in stamp})
    feeds = [feed for host in found for feed in host.feeds if feed.host is host]  # and loads it
    return HostSnapshot(stamp, found, busy_times.stored_busy_times(session, feeds), {})
