"""Query the database for open starts, free hosts, and the reason why a start isn't offered."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, selectinload

from ...call_types import CallType
from ..hosts.models import DateOverride, Host
from ..models import Booking, Status, coming
from . import slots
from .busy_times import busy_times
from .host_rules import AROUND, situation, special_days
from .slots import Unavailable, UnavailableReason
from .time_cells import CELL

ANY_START = CELL // timedelta(minutes=1)
WHOLE = (
    selectinload(Host.hours),
    selectinload(Host.overrides).selectinload(DateOverride.windows),
    selectinload(Host.time_off),
    selectinload(Host.feeds),
)

_booking = Booking.__table__.c
# The fields of slots.Booked. Built once and without ORM objects, since every page of times runs it.
BOOKED = (
    select(
        _booking.host_id,
        _booking.id,
        _booking.starts_at,
        _booking.duration,
        _booking.buffer_before,
        _booking.buffer_after,
        _booking.kind,
    )
    .where(
        _booking.host_id.in_(bindparam("hosts", expanding=True)),
        _booking.status == Status.CONFIRMED,
        _booking.starts_at >= bindparam("start"),
        _booking.starts_at < bindparam("end"),
    )
    .order_by(_booking.id)
)


@dataclass(frozen=True)
class WantedStart:
    """A start at which a host may take a call of a kind, as of `now`; both are in UTC.

    For a start that a member agreed on, notice, horizon and grid don't count: those are rules
    for visitors. The booking `moving` doesn't count as busy.
    """

    kind: CallType
    start: datetime
    now: datetime
    moving: int | None = None
    is_agreed: bool = False


def active_hosts(
    session: Session, *, lock: bool = False, only: Collection[int] | None = None
) -> list[Host]:
    """Return the hosts who take calls, in a fixed order so that locks never cross.

    With `only`, a set of ids, no other host is read or locked.
    """
    query = select(Host).where(Host.is_active).order_by(Host.id).options(*WHOLE)
    if only is not None:
        query = query.where(Host.id.in_(only))
    if lock:  # and refresh objects read before the lock
        query = query.with_for_update(of=Host).execution_options(populate_existing=True)
    return list(session.scalars(query))


def open_starts(
    session: Session,
    hosts: list[Host],
    kind: CallType,
    *,
    now: datetime,
    start: datetime,
    end: datetime,
    moving: int | None = None,
) -> list[datetime]:
    """Return the starts in [start, end) at which at least one host is free: aware UTC, sorted.

    The booking `moving` doesn't count as busy.
    """
    found: set[datetime] = set()
    for _, known in _situations(session, hosts, kind, now, start, end):
        found.update(slots.open_starts(**known, start=start, end=end, moving=moving))
    return sorted(found)


def free_hosts(session: Session, hosts: list[Host], wanted: WantedStart) -> list[Host]:
    """Return the hosts who can take a call, those with the fewest coming calls first."""
    free = [
        host
        for host, known in _situations_at(session, hosts, wanted)
        if slots.why_not(**known, at=wanted.start, moving=wanted.moving) is None
    ]
    if len(free) < 2:
        return free
    ahead = _coming_calls(session, wanted.now, wanted.moving)
    return sorted(free, key=lambda host: (ahead.get(host.id, 0), host.id))


def why_unavailable(session: Session, host: Host, wanted: WantedStart) -> Unavailable | None:
    """Return why a host doesn't offer a start, or None if they do."""
    _, known = next(_situations_at(session, [host], wanted))
    reason = slots.why_not(**known, at=wanted.start, moving=wanted.moving)
    if reason is None or reason.kind is not UnavailableReason.OVERRIDE or reason.day is None:
        return reason
    special = special_days(host, reason.day, reason.day)[reason.day]
    reason = replace(reason, kind=special.kind, name=special.name)
    if special.first is None or special.last is None:
        return reason
    away = slots.all_day(special.first, special.last + timedelta(days=1), host.zone)
    return replace(reason, start=away.start, end=away.end)


def offer(
    session: Session, host: Host, kind: CallType, now: datetime, days: int = 14
) -> dict[date, list[datetime]]:
    """Return the starts that a host offers on each of the next days, by the host's date.

    Includes dates without starts. Ignores whether the host is active: the desk shows what
    visitors would see.
    """
    zone = ZoneInfo(host.zone)
    today = now.astimezone(zone).date()
    found: dict[date, list[datetime]] = {today + timedelta(days=n): [] for n in range(days)}
    end = datetime.combine(today + timedelta(days=days), time(), zone).astimezone(UTC)
    for start in open_starts(session, [host], kind, now=now, start=now, end=end):
        found[start.astimezone(zone).date()].append(start)
    return found


def _situations_at(
    session: Session, hosts: list[Host], wanted: WantedStart
) -> Iterator[tuple[Host, dict[str, Any]]]:
    """Yield each host with the engine's arguments for one start."""
    at = wanted.start
    for host, known in _situations(session, hosts, wanted.kind, wanted.now, at, at):
        if wanted.is_agreed:
            anytime = {"notice": 0, "horizon_days": None, "interval": ANY_START}
            known["rules"] = replace(known["rules"], **anytime)
        yield host, known


def _situations(
    session: Session,
    hosts: list[Host],
    kind: CallType,
    now: datetime,
    start: datetime,
    end: datetime,
) -> Iterator[tuple[Host, dict[str, Any]]]:
    """Yield each host with the engine's arguments for starts in [start, end]."""
    around = start - AROUND, end + AROUND
    taken = bookings(session, hosts, *around)
    busy = busy_times(session, hosts, now, *around)
    for host in hosts:
        yield host, situation(host, kind, now, start, end, busy[host.id], taken[host.id])


def _coming_calls(session: Session, now: datetime, moving: int | None) -> dict[int, int]:
    """Count each host's coming calls, without the one that is being moved."""
    query = select(Booking.host_id, func.count()).where(*coming(now))
    if moving is not None:
        query = query.where(Booking.id != moving)
    return dict(session.execute(query.group_by(Booking.host_id)).all())


def bookings(
    session: Session, hosts: Iterable[Host], start: datetime, end: datetime
) -> dict[int, list[slots.Booked]]:
    """Return the live bookings of each host that start in [start, end)."""
    given = {"hosts": [host.id for host in hosts], "start": start, "end": end}
    found: dict[int, list[slots.Booked]] = defaultdict(list)
    for host_id, *booked in session.connection().execute(BOOKED, given):
        found[host_id].append(slots.Booked(*booked))
    return found
