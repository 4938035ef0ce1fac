"""The hosts' calendars: what the pure slot engine needs to know of each of them."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from . import slots
from .models import Booking, Host, Status

AROUND = timedelta(days=2)  # longer than any booking with its buffers, and than a host's day


def active_hosts(session: Session, *, lock: bool = False) -> list[Host]:
    """Return the hosts who take calls, in a fixed order so that locks never cross."""
    query = select(Host).where(Host.is_active).order_by(Host.id).options(selectinload(Host.hours))
    return list(session.scalars(query.with_for_update(of=Host) if lock else query))


def open_starts(
    session: Session,
    hosts: list[Host],
    *,
    now: datetime,
    start: datetime,
    end: datetime,
    moving: int | None = None,
) -> list[datetime]:
    """Return the starts in [start, end) at which at least one host is free: aware UTC, sorted.

    The booking whose id is `moving` is not in its own way (slots R12).
    """
    taken = _bookings(session, hosts, start - AROUND, end + AROUND)
    found: set[datetime] = set()
    for host in hosts:
        found.update(
            slots.open_starts(
                hours(host),
                rules(host),
                now=now,
                start=start,
                end=end,
                bookings=taken[host.id],
                moving=moving,
            )
        )
    return sorted(found)


def free_hosts(
    session: Session, hosts: list[Host], at: datetime, now: datetime, *, moving: int | None = None
) -> list[Host]:
    """Return the hosts who can take a call at `at`, those with the fewest coming calls first."""
    taken = _bookings(session, hosts, now - AROUND, datetime.max.replace(tzinfo=now.tzinfo))
    free = [
        host
        for host in hosts
        if slots.is_open(
            hours(host), rules(host), at, now=now, bookings=taken[host.id], moving=moving
        )
    ]
    return sorted(free, key=lambda host: (len(taken[host.id]), host.id))


def is_offered(hosts: list[Host], at: datetime, now: datetime) -> bool:
    """Say whether a start would be open if nobody had booked anything."""
    return any(slots.is_open(hours(host), rules(host), at, now=now) for host in hosts)


def hours(host: Host) -> slots.Hours:
    """Return a host's opening hours as the engine takes them."""
    weekly: dict[int, tuple[slots.Window, ...]] = {}
    for window in host.hours:
        weekly[window.weekday] = (
            *weekly.get(window.weekday, ()),
            slots.Window(window.opens, window.closes),
        )
    return slots.Hours(zone=host.zone, weekly=weekly)


def rules(host: Host) -> slots.Rules:
    """Return a host's rules as the engine takes them."""
    return slots.Rules(
        duration=host.duration,
        interval=host.interval,
        buffer_before=host.buffer_before,
        buffer_after=host.buffer_after,
        notice=host.notice,
        horizon_days=host.horizon_days,
        daily_limit=host.daily_limit,
    )


def _bookings(
    session: Session, hosts: list[Host], start: datetime, end: datetime
) -> dict[int, list[slots.Booked]]:
    """Return the live bookings of each host that start in [start, end)."""
    query = select(Booking).where(
        Booking.host_id.in_([host.id for host in hosts]),
        Booking.status == Status.CONFIRMED,
        Booking.starts_at >= start,
        Booking.starts_at < end,
    )
    found: dict[int, list[slots.Booked]] = defaultdict(list)
    for booking in session.scalars(query):
        found[booking.host_id].append(
            slots.Booked(
                booking.id,
                booking.starts_at,
                booking.duration,
                booking.buffer_before,
                booking.buffer_after,
            )
        )
    return found
