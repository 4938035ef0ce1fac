"""A host's stored hours, special days and rules, as the slot engine takes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ...call_types import CallType
from ..hosts.models import Host, OpeningHours, OverrideWindow
from . import holidays
from .intervals import Hours, Window
from .slots import Booked, Busy, Rules, UnavailableReason

MOST_DAYS = 400  # ahead; also for a host without a horizon, so that pages and posts agree
AROUND = timedelta(days=3)  # a call with its buffers may reach so far, and a date in any zone


@dataclass(frozen=True)
class SpecialDay:
    """A date on which the weekly hours do not hold, and why: a holiday, an override, time off."""

    kind: UnavailableReason
    windows: tuple[Window, ...] = ()
    name: str = ""  # of the holiday; of time off, its note
    first: date | None = None  # of time off
    last: date | None = None


def hours(host: Host, start: datetime, end: datetime) -> Hours:
    """Return a host's opening hours, with the special days that matter in [start, end)."""
    zone = ZoneInfo(host.zone)
    first, last = ((at.astimezone(zone)).date() for at in (start - AROUND, end + AROUND))
    special = special_days(host, first, last)
    return Hours(
        zone=host.zone,
        weekly={day: _windows(w for w in host.hours if w.weekday == day) for day in range(7)},
        overrides={day: why.windows for day, why in special.items()},
    )


def special_days(host: Host, first: date, last: date) -> dict[date, SpecialDay]:
    """Return the special dates in [first, last], in the host's zone.

    A dated override beats a public holiday: someone gave that date hours on purpose. Time off
    beats both.
    """
    found = {
        day: SpecialDay(UnavailableReason.HOLIDAY, name=name)
        for day, name in holidays.between(host.country, host.region, first, last)
    }
    for override in host.overrides:
        if first <= override.day <= last:
            found[override.day] = SpecialDay(UnavailableReason.OVERRIDE, _windows(override.windows))
    for off in host.time_off:
        away = SpecialDay(
            UnavailableReason.TIME_OFF, name=off.note, first=off.first_day, last=off.last_day
        )
        since, until = max(first, off.first_day), min(last, off.last_day)
        for number in range((until - since).days + 1):
            found[since + timedelta(days=number)] = away
    return found


def rules(host: Host, kind: CallType) -> Rules:
    """Return a host's rules for a kind of call: what the kind leaves open is the host's own."""

    def first(*values: int | None) -> int:
        return next(value for value in values if value is not None)

    return Rules(
        duration=kind.minutes,
        interval=host.interval,
        buffer_before=first(kind.buffer_before, host.buffer_before),
        buffer_after=first(kind.buffer_after, host.buffer_after),
        notice=first(kind.notice, host.notice),
        horizon_days=first(kind.horizon_days, host.horizon_days, MOST_DAYS),
        daily_limit=host.daily_limit,
        kind=kind.slug,
        kind_limit=kind.daily_limit,
    )


def situation(
    host: Host,
    kind: CallType,
    now: datetime,
    start: datetime,
    end: datetime,
    busy: Iterable[Busy],
    bookings: Iterable[Booked],
) -> dict[str, Any]:
    """Return what the engine must know of a host for starts in [start, end], by its arguments."""
    return {
        "hours": hours(host, start, end),
        "rules": rules(host, kind),
        "now": now,
        "busy": busy,
        "bookings": bookings,
    }


def _windows(stored: Iterable[OpeningHours | OverrideWindow]) -> tuple[Window, ...]:
    return tuple(Window(window.opens, window.closes) for window in stored)
