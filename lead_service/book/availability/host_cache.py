"""A process-wide cache of the active hosts, for the pages of times.

Reading a host takes six queries and the engine, most of such a page's time, and hosts seldom
change. One query checks the cache: `version` rises with every edit of a host, `succeeded_at` with
every reading of a calendar. Bookings are read for each page. `bookings.create` reads everything
again under locks, so nothing in this cache decides who gets a time.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ...call_types import CallType
from ..hosts.models import CalendarFeed, Host
from . import busy_times, queries, slots
from .host_rules import AROUND, MOST_DAYS, hours, rules

AHEAD = timedelta(days=MOST_DAYS + 1)  # the horizon is a date, and ends later than its instant
_host, _feed = Host.__table__.c, CalendarFeed.__table__.c
STAMP = (
    select(_host.id, _host.version, _feed.id, _feed.succeeded_at, _feed.zone, _feed.known_until)
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

        The booking `moving` is in nobody's way. It is worked out once a minute, and again when a
        booking comes or goes.
        """
        minute = now.replace(second=0, microsecond=0)
        taken = queries.bookings(session, asked, minute - AROUND, minute + AHEAD + AROUND)
        found = []
        for host in asked:
            starts = self._starts(host, kind, taken[host.id], minute, moving)
            earliest = now + timedelta(minutes=rules(host, kind).notice)  # R9, to the second
            found.append(starts[bisect_left(starts, earliest) :])
        return found[0] if len(found) == 1 else sorted(set().union(*found))

    def _starts(
        self,
        host: Host,
        kind: CallType,
        taken: list[slots.Booked],
        minute: datetime,
        moving: int | None,
    ) -> list[datetime]:
        """Work out a host's starts, or take those that were found for the same minute and calls."""
        if moving is not None:
            return _starts(self, host, kind, taken, minute, moving)
        known = self.found.get((host.id, kind.slug))
        if known is None or known[0] != (minute, kind, taken):
            key = minute, kind, taken
            known = key, _starts(self, host, kind, taken, minute, None)
            self.found[host.id, kind.slug] = known
        return known[1]


_latest: WeakKeyDictionary[Engine, HostSnapshot] = WeakKeyDictionary()


def snapshot(session: Session) -> HostSnapshot:
    """Return what is known of the hosts who take calls; read anew where it has changed."""
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    stamp = session.connection().execute(STAMP).all()
    known = _latest.get(engine)
    if known is None or known.stamp != stamp:
        known = _latest[engine] = _load(session, stamp)
    return known


def _load(session: Session, stamp: Sequence[Any]) -> HostSnapshot:
    found = queries.active_hosts(session)
    feeds = [feed for host in found for feed in host.feeds if feed.host is host]  # and loads it
    return HostSnapshot(stamp, found, busy_times.stored_busy_times(session, feeds))


def _starts(
    known: HostSnapshot,
    host: Host,
    kind: CallType,
    taken: list[slots.Booked],
    minute: datetime,
    moving: int | None,
) -> list[datetime]:
    start, end = minute, minute + AHEAD
    return slots.open_starts(
        hours(host, start, end),
        rules(host, kind),
        now=minute,
        start=start,
        end=end,
        busy=chain(
            *(
                busy_times.effective_busy_times(feed, known.stored[feed.id], minute)
                for feed in host.feeds
            )
        ),
        bookings=taken,
        moving=moving,
    )
