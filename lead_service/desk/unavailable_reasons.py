"""Why a start is not offered, in words for the team: the rule, and the thing in the way."""

from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from ..book.availability.slots import Unavailable, UnavailableReason
from ..formats import clock_time, short_date
from .labels import moment

Value = TypeVar("Value")
INSTANT = timedelta(microseconds=1)
UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))


def sentence(reason: Unavailable, zone: str, now: datetime) -> str:
    """Say in one sentence why a host in `zone` does not offer a start."""
    return WORDS[reason.kind](reason, zone, now)


def length(minutes: int) -> str:
    """Write a length in the largest unit that divides it: 2 days, 4 hours, 90 minutes."""
    fitting = (one for one in UNITS if minutes >= one[0] and minutes % one[0] == 0)
    size, unit = next(fitting, UNITS[-1])
    return f"{minutes // size} {unit}{'s' if minutes != size else ''}"


def _past(_reason: Unavailable, _zone: str, _now: datetime) -> str:
    return "It is past."


def _notice(reason: Unavailable, zone: str, now: datetime) -> str:
    return (
        f"It is too soon: a call is booked at least {length(reason.count or 0)} ahead,"
        f" which is from {moment(_held(reason.start), zone, now)} on."
    )


def _horizon(reason: Unavailable, _zone: str, _now: datetime) -> str:
    if reason.day is None:
        return "It is further ahead than any calendar reaches."
    return (
        f"It is too far ahead: calls are booked up to {length((reason.count or 0) * 1440)} ahead,"
        f" until {short_date(reason.day)}."
    )


def _override(reason: Unavailable, _zone: str, _now: datetime) -> str:
    return f"{short_date(_held(reason.day))} has hours of its own, and this time is not among them."


def _holiday(reason: Unavailable, _zone: str, _now: datetime) -> str:
    return f"{short_date(_held(reason.day))} is a public holiday: {reason.name}."


def _time_off(reason: Unavailable, zone: str, _now: datetime) -> str:
    local = ZoneInfo(zone)
    start, end = _held(reason.start), _held(reason.end) - INSTANT
    first, last = (at.astimezone(local).date() for at in (start, end))
    if first == last:
        return f"The host is off on {short_date(first)}."
    return f"The host is off from {short_date(first)} to {short_date(last)}."


def _hours(reason: Unavailable, zone: str, now: datetime) -> str:
    since = f" from {moment(reason.start, zone, now)}" if reason.start else ""
    until = f" until {moment(reason.end, zone, now)}" if reason.end else ""
    return f"It is outside the opening hours: closed{since}{until}." if since or until else CLOSED


def _grid(reason: Unavailable, _zone: str, _now: datetime) -> str:
    every = length(reason.count or 0)
    first = _held(reason.opens)
    opens = f"{first.hour % 12 or 12}:{first:%M}"
    half = "am" if first.hour < 12 else "pm"
    return f"It is between two starts: there is one every {every} from {opens} {half}."


def _length(reason: Unavailable, zone: str, _now: datetime) -> str:
    return (
        f"It would not end in time: a call takes {length(reason.count or 0)},"
        f" and the hours end at {clock_time(_held(reason.start), zone)}."
    )


def _limit(reason: Unavailable, _zone: str, _now: datetime) -> str:
    calls = "1 call" if reason.count == 1 else f"{reason.count} calls"
    return f"{short_date(_held(reason.day))} is full: the limit is {calls} a day."


def _booked(reason: Unavailable, zone: str, now: datetime) -> str:
    return f"Another call and its buffers take the time {_span(reason, zone, now)}."


def _busy(reason: Unavailable, zone: str, now: datetime) -> str:
    return f"The calendar \u201c{reason.name}\u201d is busy {_span(reason, zone, now)}."


def _unread(reason: Unavailable, _zone: str, _now: datetime) -> str:
    return (
        f"We don\u2019t know whether the calendar \u201c{reason.name}\u201d is free at that time,"
        " so visitors can\u2019t book it."
    )


def _span(reason: Unavailable, zone: str, now: datetime) -> str:
    """Write from when until when; the date once, where it is the same."""
    local = ZoneInfo(zone)
    start, end = _held(reason.start), _held(reason.end)
    one_day = start.astimezone(local).date() == (end.astimezone(local) - INSTANT).date()
    until = clock_time(end, zone) if one_day else moment(end, zone, now)
    return f"from {moment(start, zone, now)} to {until}"


def _held(value: Value | None) -> Value:
    """Return what every reason of this kind holds (see `UnavailableReason`)."""
    assert value is not None
    return value


CLOSED = "It is outside the opening hours. There are none near this time."
WORDS = {
    UnavailableReason.PAST: _past,
    UnavailableReason.NOTICE: _notice,
    UnavailableReason.HORIZON: _horizon,
    UnavailableReason.OVERRIDE: _override,
    UnavailableReason.HOLIDAY: _holiday,
    UnavailableReason.TIME_OFF: _time_off,
    UnavailableReason.HOURS: _hours,
    UnavailableReason.GRID: _grid,
    UnavailableReason.LENGTH: _length,
    UnavailableReason.LIMIT: _limit,
    UnavailableReason.HELD: lambda *_: "As many suspected calls wait for you as may wait.",
    UnavailableReason.BOOKED: _booked,
    UnavailableReason.BUSY: _busy,
    UnavailableReason.UNREAD: _unread,
}
