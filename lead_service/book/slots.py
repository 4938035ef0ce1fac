"""Say which start times a host offers: the rules R1 to R13, each restated where it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from .hours import Hours, Interval, Opening, closed, merge, openings
from .zones import (
    DAY,
    EPOCH,
    EPOCH_DAY,
    FIRST,
    LAST,
    MICROSECOND,
    MINUTE,
    day_of,
    instant,
    moment,
    stretches,
)

DateTest = Callable[[int], bool]


@dataclass(frozen=True)
class Rules:
    """Hold how a host is booked, in elapsed minutes; the horizon in days, None for no limit.

    Raises ValueError for a duration or an interval below 1 and for anything else below 0.
    """

    duration: int = 30
    interval: int = 30
    buffer_before: int = 0
    buffer_after: int = 0
    notice: int = 0
    horizon_days: int | None = None
    daily_limit: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 1 if name in ("duration", "interval") else 0
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")


@dataclass(frozen=True)
class Busy:
    """Hold half-open busy time of a foreign calendar; leave out its transparent events (R8).

    The calendar's name is for `reasons.why_not` alone. Time of which nothing is known, since that
    calendar could not be read, is as good as busy.
    """

    start: datetime
    end: datetime
    calendar: str = ""
    is_known: bool = True


@dataclass(frozen=True)
class Booked:
    """Hold a booking of our own, with the buffers it was made with, in minutes (R7)."""

    id: object
    start: datetime
    duration: int
    buffer_before: int = 0
    buffer_after: int = 0


def open_starts(
    hours: Hours,
    rules: Rules,
    *,
    now: datetime,
    start: datetime,
    end: datetime,
    busy: Iterable[Busy] = (),
    bookings: Iterable[Booked] = (),
    moving: object = None,
) -> list[datetime]:
    """Give the starts on offer in [start, end), sorted, in UTC.

    `busy` and `bookings` count wherever they lie (R13). The booking whose id is `moving` is neither
    busy to itself (R12) nor counted for its day (R11). A naive instant is a TypeError, an unknown
    zone zoneinfo's own error. The work grows with the range: bound what a visitor may ask for.
    """
    earliest = max(instant(start), instant(now) + rules.notice * MINUTE, FIRST)  # R9
    latest = min(instant(end), LAST, _horizon(rules, hours.zone, now))
    if earliest >= latest:
        return []
    zone, length = ZoneInfo(hours.zone), rules.duration * MINUTE
    others = [booked for booked in bookings if moving is None or booked.id != moving]
    opened = openings(hours, zone, earliest, latest + length)
    offered = _dates(rules, zone, instant(now), others)
    grid = _grid(opened, rules.interval * MINUTE, latest, offered)
    inside = _clear(grid, closed(opened), 0, length)
    before, after = rules.buffer_before * MINUTE, length + rules.buffer_after * MINUTE
    return [EPOCH + at * MICROSECOND for at in _clear(inside, _taken(busy, others), before, after)]


def _horizon(rules: Rules, zone: str, now: datetime) -> int:
    """Return an instant after which no date is within the horizon, whatever the zone's offset."""
    if rules.horizon_days is None:
        return LAST
    return (day_of(ZoneInfo(zone), instant(now)) + rules.horizon_days + 2) * DAY


def is_open(
    hours: Hours,
    rules: Rules,
    at: datetime,
    *,
    now: datetime,
    busy: Iterable[Busy] = (),
    bookings: Iterable[Booked] = (),
    moving: object = None,
) -> bool:
    """Tell whether exactly `at` is on offer; arguments and errors as for `open_starts`."""
    start, end = moment(instant(at)), moment(instant(at) + 1)
    known = {"now": now, "busy": busy, "bookings": bookings, "moving": moving}
    return bool(open_starts(hours, rules, start=start, end=end, **known))


def all_day(first: date, last_exclusive: date, zone: str) -> Busy:
    """Make the busy time of an all-day event on the dates [first, last_exclusive) of a zone (R8).

    It runs from the first to the last instant at which the zone's calendar shows one of them, be
    they 23, 24 or 25 hours long; a skipped date leaves nothing. Where clocks go back across
    midnight a stray hour of the next date is inside. Years 1 and 9999 are clipped.
    """
    host = ZoneInfo(zone)
    opens, closes = ((on.toordinal() - EPOCH_DAY) * DAY for on in (first, last_exclusive))
    head = stretches(host, opens - 2 * DAY, opens + 2 * DAY)
    tail = stretches(host, closes - 2 * DAY, closes + 2 * DAY)
    start = min(max(since, opens - by) for since, until, by in head if opens - by < until)
    end = max(min(until, closes - by) for since, until, by in tail if closes - by > since)
    return Busy(moment(start), moment(end if first < last_exclusive else start))


def _grid(opened: list[Opening], step: int, latest: int, offered: DateTest) -> list[int]:
    """List the starts whose reading is whole steps after the start of their window (R5).

    Where the windows of two dates overlap, each has its grid, and a start may be on either.
    """
    grid = set()
    for start, end, origin, offset in opened:
        starts = range(start + (origin - start) % step, min(end, latest), step)
        grid.update(at for at in starts if offered((at + offset) // DAY))
    return sorted(grid)


def _dates(rules: Rules, zone: ZoneInfo, now: int, bookings: list[Booked]) -> DateTest:
    """Make the test of a host-local date: within the horizon (R10), below its limit (R11)."""
    limit, horizon = rules.daily_limit, rules.horizon_days
    last = None if horizon is None else day_of(zone, now) + horizon
    made = Counter(day_of(zone, instant(booked.start)) for booked in bookings)
    return lambda day: (last is None or day <= last) and (limit is None or made[day] < limit)


def _taken(busy: Iterable[Busy], bookings: Iterable[Booked]) -> list[Interval]:
    """Merge what is in the way: foreign events bare (R8), bookings with their buffers (R7)."""
    taken = [(instant(event.start), instant(event.end)) for event in busy]
    for booked in bookings:
        at, after = instant(booked.start), booked.duration + booked.buffer_after
        taken.append((at - booked.buffer_before * MINUTE, at + after * MINUTE))
    return merge(taken)


def _clear(starts: Iterable[int], barred: list[Interval], before: int, after: int) -> Iterator[int]:
    """Keep those of the sorted starts whose [at - before, at + after) overlaps nothing barred."""
    index = 0
    for at in starts:
        while index < len(barred) and barred[index][1] <= at - before:  # touching is free (R8)
            index += 1
        if index == len(barred) or barred[index][0] >= at + after:
            yield at
