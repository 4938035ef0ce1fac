"""Time off, and the calls that it hits: nobody goes away and forgets whom they were to meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..book import slots
from ..book.host_models import Host, TimeOff
from ..book.models import Booking, Status

DAY = timedelta(days=1)  # no call is longer


class HitsCalls(Exception):
    """Calls are in it that nobody has looked at yet; nothing is stored."""


@dataclass(frozen=True)
class Away:
    """One stretch of time off, with the calls that are still to take place in it."""

    off: TimeOff
    calls: Sequence[Booking]


def coming(session: Session, host: Host, now: datetime) -> list[Away]:
    """Return the time off that is not over, each with the calls that it hits."""
    today = now.astimezone(ZoneInfo(host.zone)).date()
    return [
        Away(off, hit_by(session, host, off.first_day, off.last_day, now))
        for off in host.time_off
        if off.last_day >= today
    ]


def hit_by(
    session: Session, host: Host, first: date, last: date, now: datetime
) -> Sequence[Booking]:
    """Return the host's coming calls that overlap the dates [first, last] of their zone."""
    away = slots.all_day(first, last + DAY, host.zone)
    query = (
        select(Booking)
        .where(Booking.host_id == host.id, Booking.status == Status.CONFIRMED)
        .where(Booking.starts_at > max(now, away.start - DAY), Booking.starts_at < away.end)
        .order_by(Booking.starts_at)
    )
    return [
        call
        for call in session.scalars(query)
        if call.starts_at + timedelta(minutes=call.duration) > away.start
    ]
