"""Find bookings that conflict with time off or special hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...book import models
from ...book.availability import host_rules, slots
from ...book.hosts.models import DateOverride, Host, TimeOff
from ...book.models import Booking

DAY = timedelta(days=1)  # no call is longer


class ConflictsWithCalls(Exception):
    """The time off conflicts with calls that the member hasn't confirmed; nothing is stored."""


@dataclass(frozen=True)
class Conflicts:
    """Time off with the upcoming calls in it, or a date's own hours with those outside of them."""

    of: TimeOff | DateOverride
    calls: Sequence[Booking]


def time_off(session: Session, host: Host, now: datetime) -> list[Conflicts]:
    """Return present and future time off, each with its conflicting calls."""
    return [
        Conflicts(off, between(session, host, off.first_day, off.last_day, now))
        for off in host.time_off
        if off.last_day >= _today(host, now)
    ]


def dates(session: Session, host: Host, now: datetime) -> list[Conflicts]:
    """Return future dates with their own hours, each with its conflicting calls."""
    return [
        Conflicts(one, _left_out(host, between(session, host, one.day, one.day, now)))
        for one in host.overrides
        if one.day >= _today(host, now)
    ]


def between(
    session: Session, host: Host, first: date, last: date, now: datetime
) -> Sequence[Booking]:
    """Return the host's upcoming calls that overlap the dates [first, last] in their zone."""
    days = slots.all_day(first, last + DAY, host.zone)
    return [
        call
        for call in coming(session, host, max(now, days.start - DAY))
        if call.starts_at < days.end and _end(call) > days.start
    ]


def coming(session: Session, host: Host, after: datetime) -> Sequence[Booking]:
    """Return the host's calls that begin after an instant, in order."""
    query = select(Booking).where(Booking.host_id == host.id, *models.coming(after))
    return session.scalars(query.order_by(Booking.starts_at)).all()


def _left_out(host: Host, calls: Sequence[Booking]) -> list[Booking]:
    """Return the calls that are outside of the host's present hours."""
    return [
        call
        for call in calls
        if slots.why_not(
            host_rules.hours(host, call.starts_at, _end(call)),
            slots.Rules(duration=call.duration, interval=5),
            call.starts_at,
            now=call.starts_at,
        )
    ]


def _end(call: Booking) -> datetime:
    return call.starts_at + timedelta(minutes=call.duration)


def _today(host: Host, now: datetime) -> date:
    return now.astimezone(ZoneInfo(host.zone)).date()
