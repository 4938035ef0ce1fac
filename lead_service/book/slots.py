"""Say which start times a host offers: the rules R1 to R13, each restated where it is kept.

Inside, an instant is microseconds since 1970-01-01T00:00Z and a reading the same count on the
host's wall clock. Within a stretch of one offset from UTC the two differ by an addition, so gaps,
folds and skipped dates need no case of their own, and no minute is visited by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
DAY = 1440 * MINUTE
# A year short of what `datetime` holds, so that no zone's clock can leave it.
FIRST, LAST = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND for year in (2, 9999))

Interval = tuple[int, int]
Opening = tuple[int, int, int, int]  # start, end, origin, offset
DateTest = Callable[[int], bool]


@dataclass(frozen=True)
class Window:
    """Hold opening hours [start, end) in minutes after the midnight of their date (R1, R2).

    The end may pass 1440, into the next date; at or before the start it is no window. Raises
    ValueError when the start is outside its date or the end beyond the next one, 2880.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < 1440 or self.end > 2880:
            raise ValueError(f"a window starts in 0..1439 and ends by 2880, not {self}")


@dataclass(frozen=True)
class Hours:
    """Hold a host's windows by weekday (0 is Monday), on the clocks of `zone`, an IANA name.

    An override replaces the weekly windows of its date whole; an empty one is a day off (R2).
    """

    zone: str
    weekly: Mapping[int, tuple[Window, ...]]
    overrides: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)


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
    """Hold half-open busy time of a foreign calendar; leave out its transparent events (R8)."""

    start: datetime
    end: datetime


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
    earliest = max(_instant(start), _instant(now) + rules.notice * MINUTE, FIRST)  # R9
    latest = min(_instant(end), LAST)
    if earliest >= latest:
        return []
    zone, length = ZoneInfo(hours.zone), rules.duration * MINUTE
    others = [booked for booked in bookings if moving is None or booked.id != moving]
    openings = _openings(hours, zone, earliest, latest + length)
    offered = _dates(rules, zone, _instant(now), others)
    grid = _grid(openings, rules.interval * MINUTE, latest, offered)
    inside = _clear(grid, _closed(openings), 0, length)
    before, after = rules.buffer_before * MINUTE, length + rules.buffer_after * MINUTE
    return [EPOCH + at * MICROSECOND for at in _clear(inside, _taken(busy, others), before, after)]


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
    start, end = _datetime(_instant(at)), _datetime(_instant(at) + 1)
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
    head = _stretches(host, opens - 2 * DAY, opens + 2 * DAY)
    tail = _stretches(host, closes - 2 * DAY, closes + 2 * DAY)
    start = min(max(since, opens - by) for since, until, by in head if opens - by < until)
    end = max(min(until, closes - by) for since, until, by in tail if closes - by > since)
    return Busy(_datetime(start), _datetime(end if first < last_exclusive else start))


def parse_window(start: str, end: str) -> Window:
    """Read a window from two `HH:MM` texts, the end up to `48:00` (R1).

    Raises ValueError that names the text, for an end at or before its start too.
    """
    window = Window(_minutes(start, 1439), _minutes(end, 2880))
    if window.end <= window.start:
        raise ValueError(f"{end!r} is not after {start!r}; past midnight, count on from 24:00")
    return window


def _minutes(text: str, most: int) -> int:
    match = re.fullmatch("([0-9]{2}):([0-5][0-9])", text)
    minutes = int(match[1]) * 60 + int(match[2]) if match else most + 1
    if minutes > most:
        raise ValueError(f"{text!r} is not a time from 00:00 to {most // 60:02}:{most % 60:02}")
    return minutes


def _openings(hours: Hours, zone: ZoneInfo, start: int, end: int) -> list[Opening]:
    """List what is open in [start, end): the instants whose reading lies in a window (R4).

    A fold has its minutes in both stretches, a gap in neither. The origin, the grid's zero, is
    where the window starts by the stretch's offset, and may lie outside the stretch.
    """
    return [
        (max(opens - offset, since), min(closes - offset, until), opens - offset, offset)
        for since, until, offset in _stretches(zone, start, end)
        # The date before, too: its windows may run past midnight.
        for day in range((since + offset) // DAY - 1, (until + offset) // DAY + 1)
        for opens, closes in _windows(hours, day)
        if opens - offset < until and closes - offset > since
    ]


def _windows(hours: Hours, day: int) -> list[Interval]:
    """Give the readings of one date's windows, merged (R3), cut where an override follows (R2)."""
    on = date.fromordinal(EPOCH_DAY + day)
    windows = hours.overrides.get(on, hours.weekly.get(on.weekday(), ()))
    cut = 1440 if on + timedelta(days=1) in hours.overrides else 2880
    return _merged(
        (day * DAY + window.start * MINUTE, day * DAY + min(window.end, cut) * MINUTE)
        for window in windows
    )


def _closed(openings: list[Opening]) -> list[Interval]:
    """List what lies between the openings; those that meet leave nothing between them (R6)."""
    room = _merged((start, end) for start, end, _, _ in openings)
    edges = [FIRST - DAY, *(edge for interval in room for edge in interval), LAST + DAY]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _grid(openings: list[Opening], step: int, latest: int, offered: DateTest) -> list[int]:
    """List the starts whose reading is whole steps after the start of their window (R5).

    Where the windows of two dates overlap, each has its grid, and a start may be on either.
    """
    grid = set()
    for start, end, origin, offset in openings:
        starts = range(start + (origin - start) % step, min(end, latest), step)
        grid.update(at for at in starts if offered((at + offset) // DAY))
    return sorted(grid)


def _dates(rules: Rules, zone: ZoneInfo, now: int, bookings: list[Booked]) -> DateTest:
    """Make the test of a host-local date: within the horizon (R10), below its limit (R11)."""
    limit, horizon = rules.daily_limit, rules.horizon_days
    last = None if horizon is None else _day(zone, now) + horizon
    made = Counter(_day(zone, _instant(booked.start)) for booked in bookings)
    return lambda day: (last is None or day <= last) and (limit is None or made[day] < limit)


def _taken(busy: Iterable[Busy], bookings: Iterable[Booked]) -> list[Interval]:
    """Merge what is in the way: foreign events bare (R8), bookings with their buffers (R7)."""
    taken = [(_instant(event.start), _instant(event.end)) for event in busy]
    for booked in bookings:
        at, after = _instant(booked.start), booked.duration + booked.buffer_after
        taken.append((at - booked.buffer_before * MINUTE, at + after * MINUTE))
    return _merged(taken)


def _clear(starts: Iterable[int], barred: list[Interval], before: int, after: int) -> Iterator[int]:
    """Keep those of the sorted starts whose [at - before, at + after) overlaps nothing barred."""
    index = 0
    for at in starts:
        while index < len(barred) and barred[index][1] <= at - before:  # touching is free (R8)
            index += 1
        if index == len(barred) or barred[index][0] >= at + after:
            yield at


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Sort half-open intervals, join those that overlap or touch, drop those without length."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        elif end > start:
            merged.append((start, end))
    return merged


def _stretches(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int, int]]:
    """Cut [start, end) into stretches of one offset (start, end, offset): reading - instant.

    Looks once a day and halves a day in which the offset changed: no zone changes its clocks twice
    within a day, and a test holds the tz database to that.
    """
    stretches, since, offset = [], start, _offset(zone, start)
    for day in range(start, end, DAY):
        early, late = day, min(day + DAY, end)
        if _offset(zone, late) == offset:
            continue
        while late - early > 1:
            middle = (early + late) // 2
            early, late = (middle, late) if _offset(zone, middle) == offset else (early, middle)
        stretches.append((since, late, offset))
        since, offset = late, _offset(zone, late)
    return [*stretches, (since, end, offset)]


def _offset(zone: ZoneInfo, at: int) -> int:
    return _datetime(at).astimezone(zone).utcoffset() // MICROSECOND


def _day(zone: ZoneInfo, at: int) -> int:
    return (at + _offset(zone, at)) // DAY


def _instant(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _datetime(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=min(max(at, FIRST), LAST))
