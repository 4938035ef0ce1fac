"""Convert a host's stored hours, special days and rules into the slot engine's arguments."""

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

MOST_DAYS = 400  # the longest horizon, for hosts without one too
AROUND = timedelta(days=3)  # covers a call with its buffers, and a date in any zone


@dataclass(frozen=True)
class SpecialDay:
    """A date without the weekly hours, and the reason: a holiday, an override, or time off."""

    kind: UnavailableReason
    windows: tuple[Window, ...] = ()
    name: str = ""  # of the holiday; or the note of time off
    first: date | None = None  # first and last day of time off
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
    """Return the rules for a kind of call; the host's own apply where the kind has none."""

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
    """Return the engine's arguments for a host and starts in [start, end]."""
    return {
        "hours": hours(host, start, end),
        "rules": rules(host, kind),
        "now": now,
        "busy": busy,
        "bookings": bookings,
    }


def _windows(stored: Iterable[OpeningHours | OverrideWindow]) -> tuple[Window, ...]:
    return tuple(Window(window.opens, window.closes) for window in stored)
