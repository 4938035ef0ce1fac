"""Say why a start is not offered: the first rule that it breaks, and the thing in the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from .hours import Hours, Opening, closed, openings
from .slots import Booked, Busy, Rules
from .zones import DAY, EPOCH_DAY, FIRST, LAST, MINUTE, day_of, instant, moment

FAR = 15 * DAY  # how far the edges of a closed time are looked for


class Kind(StrEnum):
    """The rule that is broken, with what a reason of this kind holds."""

    PAST = "past"
    NOTICE = "notice"  # count: minutes asked for; start: the first instant that is late enough
    HORIZON = "horizon"  # count: days, None at the end of the calendar; day: the last one
    OVERRIDE = "override"  # day: the date with hours of its own, or none
    HOLIDAY = "holiday"  # day, name: the holiday's
    TIME_OFF = "time_off"  # day; start, end: from when until when the time off lasts
    HOURS = "hours"  # start, end: from when until when it is closed, None for longer than FAR
    GRID = "grid"  # count: minutes between starts; opens: the reading of the first
    LENGTH = "length"  # count: minutes of a call; start, end: the closed time that it runs into
    LIMIT = "limit"  # count: calls that are enough for a day; day
    BOOKED = "booked"  # start, end: of the other call without its buffers; booking: its id
    BUSY = "busy"  # start, end; name: the calendar's, never the event's
    UNREAD = "unread"  # name: the calendar of which nothing is known at that time


@dataclass(frozen=True)
class Reason:
    """Hold a broken rule and what is in the way; instants are UTC, `day` is the host's date."""

    kind: Kind
    start: datetime | None = None
    end: datetime | None = None
    count: int | None = None
    day: date | None = None
    opens: time | None = None
    name: str = ""
    booking: object = None


def why_not(
    hours: Hours,
    rules: Rules,
    at: datetime,
    *,
    now: datetime,
    busy: Iterable[Busy] = (),
    bookings: Iterable[Booked] = (),
    moving: object = None,
) -> Reason | None:
    """Give why `at` is not on offer, or None exactly where `slots.is_open` says that it is.

    Arguments and errors are those of `is_open`. Of several reasons it is the one that no other
    choice at that hour could mend: first the date, then the hours, then what fills them.
    Holidays and time off are overrides to the engine; `calendar.why_not` tells them apart.
    """
    zone, wanted = ZoneInfo(hours.zone), instant(at)
    others = [booked for booked in bookings if moving is None or booked.id != moving]
    return (
        _too_soon(rules, wanted, instant(now))
        or _too_far(rules, zone, wanted, instant(now))
        or _outside(hours, rules, zone, wanted)
        or _full(rules, zone, wanted, others)
        or min(_in_the_way(rules, wanted, busy, others), key=_begin, default=None)
    )


def _too_soon(rules: Rules, at: int, now: int) -> Reason | None:
    """R9: notice is elapsed time, and just enough is enough."""
    if at < now:
        return Reason(Kind.PAST)
    earliest = max(now + rules.notice * MINUTE, FIRST)
    return Reason(Kind.NOTICE, moment(earliest), count=rules.notice) if at < earliest else None


def _too_far(rules: Rules, zone: ZoneInfo, at: int, now: int) -> Reason | None:
    """R10: the whole last date counts."""
    if at >= LAST:
        return Reason(Kind.HORIZON)
    if rules.horizon_days is None:
        return None
    last = day_of(zone, now) + rules.horizon_days
    if day_of(zone, at) <= last:
        return None
    return Reason(Kind.HORIZON, count=rules.horizon_days, day=_date(last))


def _outside(hours: Hours, rules: Rules, zone: ZoneInfo, at: int) -> Reason | None:
    """R4 to R6: the start lies in a window, on its grid, and the call ends before it is closed."""
    length = rules.duration * MINUTE
    found = openings(hours, zone, at, at + length)
    around = [opening for opening in found if opening[0] <= at < opening[1]]
    if not around:
        return _closed(hours, zone, at)
    if all((at - origin) % (rules.interval * MINUTE) for _, _, origin, _ in around):
        return Reason(Kind.GRID, count=rules.interval, opens=_reading(around[0]))
    for start, end in closed(found):
        if start < at + length and at < end:
            _, over = _edges(hours, zone, start)
            return Reason(Kind.LENGTH, moment(start), over, count=rules.duration)
    return None


def _closed(hours: Hours, zone: ZoneInfo, at: int) -> Reason:
    day = _date(day_of(zone, at))
    if day in hours.overrides:
        return Reason(Kind.OVERRIDE, day=day)
    start, end = _edges(hours, zone, at)
    return Reason(Kind.HOURS, start, end)


def _edges(hours: Hours, zone: ZoneInfo, at: int) -> tuple[datetime | None, datetime | None]:
    """Give from when until when it is closed at a closed instant; None for out of sight."""
    first, last = max(at - FAR, FIRST), min(at + FAR, LAST)
    start, end = next(
        gap for gap in closed(openings(hours, zone, first, last)) if gap[0] <= at < gap[1]
    )
    return moment(start) if start > first else None, moment(end) if end < last else None


def _full(rules: Rules, zone: ZoneInfo, at: int, others: list[Booked]) -> Reason | None:
    """R11: calls of ours count on the host's date on which they start."""
    if rules.daily_limit is None:
        return None
    day = day_of(zone, at)
    made = sum(day_of(zone, instant(booked.start)) == day for booked in others)
    full = made >= rules.daily_limit
    return Reason(Kind.LIMIT, count=rules.daily_limit, day=_date(day)) if full else None


def _in_the_way(
    rules: Rules, at: int, busy: Iterable[Busy], others: list[Booked]
) -> Iterator[Reason]:
    """R7 and R8: what overlaps the call with its buffers."""
    start = at - rules.buffer_before * MINUTE
    end = at + (rules.duration + rules.buffer_after) * MINUTE
    for event in busy:
        begins, ends = instant(event.start), instant(event.end)
        if begins < ends and begins < end and start < ends:
            kind = Kind.BUSY if event.is_known else Kind.UNREAD
            yield Reason(kind, event.start, event.end, name=event.calendar)
    for booked in others:
        begins = instant(booked.start) - booked.buffer_before * MINUTE
        over = instant(booked.start) + booked.duration * MINUTE
        ends = over + booked.buffer_after * MINUTE
        if begins < ends and begins < end and start < ends:
            yield Reason(Kind.BOOKED, booked.start, moment(over), booking=booked.id)


def _begin(reason: Reason) -> tuple[bool, datetime | None]:
    """Sort our own calls first: the desk can do something about those."""
    return reason.kind != Kind.BOOKED, reason.start


def _reading(opening: Opening) -> time:
    _, _, origin, offset = opening
    minutes = (origin + offset) % DAY // MINUTE
    return time(*divmod(minutes, 60))


def _date(day: int) -> date:
    return date.fromordinal(EPOCH_DAY + day)
