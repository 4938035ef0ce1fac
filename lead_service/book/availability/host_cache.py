"""A process-wide cache of the active hosts, for the pages of times.

Reading a host takes six queries and a run of the engine, most of the page's time, and hosts
rarely change. One query checks the cache: `version` increases with every edit of a host,
`succeeded_at` with every reading of a calendar, and `calls_version` with every change of a call. It
reads calls when `calls_version` has changed, and once a minute.
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


@dataclass(frozen=True, eq=False)  # a changed snapshot is a new object, compared by identity
class HostSnapshot:
    """The hosts who take calls. Read-only, because many requests share it."""

    stamp: Sequence[Any]
    hosts: list[Host]  # sorted by id
    stored: dict[int, list[slots.Busy]]  # busy times, by the calendar's id
    calls: dict[int, object]  # versions of their calls, by the host's id
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
        """Return the starts that these hosts offer now for a kind of call: UTC, sorted.

        The booking `moving` doesn't count as busy. Starts are computed once a minute, and
        again when a call changes.
        """
        minute = now.replace(second=0, microsecond=0)
        found = []
        for host in asked:
            starts = self._starts(session, host, kind, minute, moving)
            earliest = now + timedelta(minutes=rules(host, kind).notice)  # R9
            found.append(starts[bisect_left(starts, earliest) :])
        return found[0] if len(found) == 1 else sorted(set().union(*found))

    def _starts(
        self, session: Session, host: Host, kind: CallType, minute: datetime, moving: int | None
    ) -> list[datetime]:
        """Return a host's starts, computed or cached for the same minute and calls."""
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
    """Return the cached hosts who take calls, reloaded if they have changed.

    Use it in read-only sessions: a rollback would expire the cached hosts.
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
    # On PostgreSQL, leave out a host who was added since the stamp was read. Loads `feed.host`.
    found = queries.active_hosts(session, only={row[0] for row in stamp})
    feeds = [feed for host in found for feed in host.feeds if feed.host is host]
    return HostSnapshot(stamp, found, busy_times.stored_busy_times(session, feeds), {})
