"""Decide which start times a host offers, or why one is not offered.

One engine answers both. The rules, each kept where it is named below:

R1 to R4   windows, dates, merging, clock changes: `intervals.openings`, `_outside_hours`
R5 grid, R6 length                               : `_off_grid`, `_too_long`
R7 buffers, R8 busy times, R12 the booking moved : `_taken`
R9 notice                                        : `_too_soon`
R10 horizon                                      : `_too_far`
R11 daily limit                                  : `_day_is_full`
R13 range of a query                             : `open_starts`
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from .intervals import (
    DAY,
    EPOCH,
    EPOCH_DAY,
    FIRST,
    LAST,
    MICROSECOND,
    MINUTE,
    Hours,
    closed,
    day_of,
    from_microseconds,
    merge,
    offset_periods,
    openings,
    to_microseconds,
)

FAR = 15 * DAY  # how far to search for the edges of a closed time


class UnavailableReason(StrEnum):
    """The rule that a start breaks; the comments name the fields of `Unavailable` that are set."""

    PAST = "past"
    NOTICE = "notice"  # count: minutes of notice; start: the earliest one with enough notice
    HORIZON = "horizon"  # count: days, None at the end of the calendar; day: the last one
    OVERRIDE = "override"  # day: the date with special hours, or none
    HOLIDAY = "holiday"  # day, name: the holiday's; set by `queries.why_unavailable`
    TIME_OFF = "time_off"  # day; start, end: when it begins and ends; set there, too
    HOURS = "hours"  # start, end: of the closed time, None when it is longer than FAR
    GRID = "grid"  # count: minutes between starts; opens: the reading of the first
    LENGTH = "length"  # count: minutes of a call; start, end: the closed time that it runs into
    LIMIT = "limit"  # count: calls allowed on a day; day
    BOOKED = "booked"  # start, end: of the other call without its buffers; booking: its id
    BUSY = "busy"  # start, end; name: the calendar's, never the event's
    HELD = "held"  # none; for a visitor who looks automated, never for a start
    UNREAD = "unread"  # name: the calendar that could not be read for that time


@dataclass(frozen=True)
class Unavailable:
    """The broken rule and what blocks the start; instants are in UTC, `day` is the host's."""

    kind: UnavailableReason
    start: datetime | None = None
    end: datetime | None = None
    count: int | None = None
    day: date | None = None
    opens: time | None = None
    name: str = ""
    booking: object = None


@dataclass(frozen=True)
class Rules:
    """A host's rules for bookings, in elapsed minutes; the horizon in days, None for no limit.

    Raises ValueError for a duration or an interval below 1 and for anything else below 0.
    """

    duration: int = 30
    interval: int = 30
    buffer_before: int = 0
    buffer_after: int = 0
    notice: int = 0
    horizon_days: int | None = None
    daily_limit: int | None = None  # of all calls
    kind: str = ""
    kind_limit: int | None = None  # of calls of that kind

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, str):
                continue
            least = 1 if name in ("duration", "interval") else 0
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")


@dataclass(frozen=True)
class Busy:
    """Half-open busy time of a host's own calendar, without transparent events (R8).

    Only `why_not` uses the calendar's name. Time without information, because the
    calendar could not be read, counts as busy.
    """

    start: datetime
    end: datetime
    calendar: str = ""
    is_known: bool = True


@dataclass(frozen=True)
class Booked:
    """One of our bookings, with the buffers it was made with, in minutes (R7)."""

    id: object
    start: datetime
    duration: int
    buffer_before: int = 0
    buffer_after: int = 0
    kind: str = ""


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
    """List the starts on offer in [start, end), sorted, in UTC.

    `busy` and `bookings` may lie outside the range (R13). The booking with the id `moving` is
    neither busy for itself (R12) nor counted for its day (R11). A naive instant is a TypeError, an
    unknown zone raises zoneinfo's error. The work grows with the range, so limit a visitor's range.
    """
    engine = _Engine(hours, rules, now, busy, bookings, moving)
    engine.look_at(to_microseconds(start), to_microseconds(end))
    # Check `is_taken` first: most unavailable starts are taken, and the reason doesn't matter here.
    free = (at for at in sorted(engine.grid) if not engine.is_taken(at))
    return [EPOCH + at * MICROSECOND for at in free if engine.why_not(at) is None]


def why_not(
    hours: Hours,
    rules: Rules,
    at: datetime,
    *,
    now: datetime,
    busy: Iterable[Busy] = (),
    bookings: Iterable[Booked] = (),
    moving: object = None,
) -> Unavailable | None:
    """Return why exactly `at` is not on offer, or None when it is.

    Arguments and errors are those of `open_starts`. When several rules are broken, return
    the one that no other choice near that hour could fix: first the date, then the hours, then
    busy times. Holidays and time off are overrides here; `queries.why_unavailable` tells them
    apart.
    """
    engine = _Engine(hours, rules, now, busy, bookings, moving)
    engine.look_at(to_microseconds(at), to_microseconds(at) + 1)
    return engine.why_not(to_microseconds(at))


def all_day(first: date, last_exclusive: date, zone: str) -> Busy:
    """Return the busy time of an all-day event on the dates [first, last_exclusive) of a zone (R8).

    It lasts from the first to the last instant at which the zone's calendar shows one of them, be
    they 23, 24 or 25 hours long; a skipped date leaves nothing. Where clocks go back across
    midnight a stray hour of the next date is inside. Years 1 and 9999 are clipped.
    """
    host = ZoneInfo(zone)
    opens, closes = ((on.toordinal() - EPOCH_DAY) * DAY for on in (first, last_exclusive))
    head = offset_periods(host, opens - 2 * DAY, opens + 2 * DAY)
    tail = offset_periods(host, closes - 2 * DAY, closes + 2 * DAY)
    start = min(max(since, opens - by) for since, until, by in head if opens - by < until)
    end = max(min(until, closes - by) for since, until, by in tail if closes - by > since)
    return Busy(
        from_microseconds(start), from_microseconds(end if first < last_exclusive else start)
    )


Obstacle = tuple[int, int, Busy | Booked]  # start, end and what it is


class _Engine:
    """Apply the rules to single starts, in microseconds since 1970; `look_at` sets their range."""

    def __init__(
        self,
        hours: Hours,
        rules: Rules,
        now: datetime,
        busy: Iterable[Busy],
        bookings: Iterable[Booked],
        moving: object,
    ) -> None:
        self.hours, self.rules, self.now = hours, rules, to_microseconds(now)
        self.zone, self.length = ZoneInfo(hours.zone), rules.duration * MINUTE
        self.before = rules.buffer_before * MINUTE
        self.after = self.length + rules.buffer_after * MINUTE
        self.earliest = max(self.now + rules.notice * MINUTE, FIRST)
        self.last_day: int | None = None
        self.latest = LAST
        if rules.horizon_days is not None:
            self.last_day = day_of(self.zone, self.now) + rules.horizon_days
            self.latest = min(LAST, (self.last_day + 2) * DAY)  # after that day in every zone
        others = [booked for booked in bookings if moving is None or booked.id != moving]
        days = [(day_of(self.zone, to_microseconds(one.start)), one.kind) for one in others]
        self.calls_on = Counter(day for day, _ in days)
        self.same_kind_on = Counter(day for day, kind in days if kind == rules.kind)
        self.obstacles = [*map(_obstacle, busy), *map(_obstacle, others)]
        taken = merge((start, end) for start, end, _ in self.obstacles)
        self.taken_from, self.taken_until = _columns(taken)

    def look_at(self, start: int, end: int) -> None:
        """Compute opening hours and grid for the starts in [start, end)."""
        start, end = max(start, self.earliest), min(end, self.latest)
        until = end + self.length
        self.opened = openings(self.hours, self.zone, start, until) if start < end else []
        self.opens, self.closes = _columns(merge((one[0], one[1]) for one in self.opened))
        step = self.rules.interval * MINUTE
        # Where windows of two dates overlap, each has its own grid, and a start may be on either.
        self.grid = {
            at
            for opens, closes, origin, _ in self.opened
            for at in range(opens + (origin - opens) % step, min(closes, end), step)
        }

    def why_not(self, at: int) -> Unavailable | None:
        """Return the first broken rule; a plain loop, since pages ask this a thousand times."""
        for rule in RULES:
            if reason := rule(self, at):
                return reason
        return None

    def _too_soon(self, at: int) -> Unavailable | None:
        """R9: notice is elapsed time; exactly enough is allowed."""
        if at >= self.earliest:
            return None
        if at < self.now:
            return Unavailable(UnavailableReason.PAST)
        count = self.rules.notice
        return Unavailable(UnavailableReason.NOTICE, from_microseconds(self.earliest), count=count)

    def _too_far(self, at: int) -> Unavailable | None:
        """R10: the whole last date counts."""
        if at >= LAST:
            return Unavailable(UnavailableReason.HORIZON)
        if self.last_day is None or day_of(self.zone, at) <= self.last_day:
            return None
        count, day = self.rules.horizon_days, _date(self.last_day)
        return Unavailable(UnavailableReason.HORIZON, count=count, day=day)

    def _outside_hours(self, at: int) -> Unavailable | None:
        """R4: the start lies in a window."""
        if at < self._closes_after(at):
            return None
        day = _date(day_of(self.zone, at))
        if day in self.hours.overrides:
            return Unavailable(UnavailableReason.OVERRIDE, day=day)
        return Unavailable(UnavailableReason.HOURS, *self._edges(at))

    def _off_grid(self, at: int) -> Unavailable | None:
        """R5: the reading is whole steps after the start of its window."""
        if at in self.grid:
            return None
        origin, offset = next(
            (origin, offset) for start, end, origin, offset in self.opened if start <= at < end
        )
        opens = time(*divmod((origin + offset) % DAY // MINUTE, 60))
        return Unavailable(UnavailableReason.GRID, count=self.rules.interval, opens=opens)

    def _too_long(self, at: int) -> Unavailable | None:
        """R6: every minute of the call is open; windows that meet are continuous."""
        closes = self._closes_after(at)
        if at + self.length <= closes:
            return None
        _, until = self._edges(closes)
        count = self.rules.duration
        return Unavailable(UnavailableReason.LENGTH, from_microseconds(closes), until, count=count)

    def _day_is_full(self, at: int) -> Unavailable | None:
        """R11: our bookings count on the host's date on which they start."""
        limits = (
            (self.rules.daily_limit, self.calls_on),
            (self.rules.kind_limit, self.same_kind_on),
        )
        for limit, calls in limits:
            if limit is not None and calls[day := day_of(self.zone, at)] >= limit:
                return Unavailable(UnavailableReason.LIMIT, count=limit, day=_date(day))
        return None

    def _taken(self, at: int) -> Unavailable | None:
        """R7, R8: nothing overlaps the call with its buffers; touching is not overlapping."""
        if not self.is_taken(at):
            return None
        start, end = at - self.before, at + self.after
        overlapping = (
            source
            for begins, ends, source in self.obstacles
            if begins < ends and begins < end and start < ends
        )
        return _in_the_way(min(overlapping, key=_ours_first))

    def is_taken(self, at: int) -> bool:
        """Say whether a busy time or booking overlaps the call with its buffers."""
        index = bisect_right(self.taken_until, at - self.before)
        return index < len(self.taken_from) and self.taken_from[index] < at + self.after

    def _closes_after(self, at: int) -> int:
        """Return when the opening around `at` ends; an instant not after `at` if it is closed."""
        index = bisect_right(self.opens, at) - 1
        return self.closes[index] if index >= 0 else FIRST

    def _edges(self, at: int) -> tuple[datetime | None, datetime | None]:
        """Return start and end of the closed time around `at`; None beyond FAR."""
        first, last = max(at - FAR, FIRST), min(at + FAR, LAST)
        gaps = closed(openings(self.hours, self.zone, first, last))
        start, end = next(gap for gap in gaps if gap[0] <= at < gap[1])
        return from_microseconds(start) if start > first else None, from_microseconds(
            end
        ) if end < last else None


RULES = (
    _Engine._too_soon,
    _Engine._too_far,
    _Engine._outside_hours,
    _Engine._off_grid,
    _Engine._too_long,
    _Engine._day_is_full,
    _Engine._taken,
)


def _obstacle(source: Busy | Booked) -> Obstacle:
    """Return the time that a busy time or booking blocks: our bookings with their buffers (R7)."""
    start = to_microseconds(source.start)
    if isinstance(source, Busy):
        return start, to_microseconds(source.end), source
    after = source.duration + source.buffer_after
    return start - source.buffer_before * MINUTE, start + after * MINUTE, source


def _in_the_way(source: Busy | Booked) -> Unavailable:
    if isinstance(source, Booked):
        over = from_microseconds(to_microseconds(source.start) + source.duration * MINUTE)
        return Unavailable(UnavailableReason.BOOKED, source.start, over, booking=source.id)
    kind = UnavailableReason.BUSY if source.is_known else UnavailableReason.UNREAD
    return Unavailable(kind, source.start, source.end, name=source.calendar)


def _ours_first(source: Busy | Booked) -> tuple[bool, datetime]:
    """Sort our own calls first: the desk can change those."""
    return isinstance(source, Busy), source.start


def _columns(intervals: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Split sorted intervals into starts and ends, for bisection."""
    return [start for start, _ in intervals], [end for _, end in intervals]


def _date(day: int) -> date:
    return date.fromordinal(EPOCH_DAY + day)
