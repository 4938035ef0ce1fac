"""Instants, offset periods of a zone, and opening hours as intervals.

Internally, an instant is microseconds since 1970-01-01T00:00Z and a reading the same count on the
zone's wall clock. Within a period of one UTC offset, the two differ by a constant, so gaps,
folds and skipped dates need no special case, and no minute is visited individually.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
DAY = 1440 * MINUTE
# A year less than the range of `datetime`, so that no zone's clock leaves it.
FIRST, LAST = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND for year in (2, 9999))

Interval = tuple[int, int]  # half-open, in microseconds
Opening = tuple[int, int, int, int]  # start, end, origin, offset


def offset_periods(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int, int]]:
    """Split [start, end) into periods of one offset: (start, end, reading - instant).

    Checks once a day and bisects a day in which the offset changed: no zone changes its clocks
    twice within a day, which a test checks for the tz database.
    """
    found, since, offset = [], start, offset_at(zone, start)
    for day in range(start, end, DAY):
        early, late = day, min(day + DAY, end)
        if offset_at(zone, late) == offset:
            continue
        while late - early > 1:
            middle = (early + late) // 2
            early, late = (middle, late) if offset_at(zone, middle) == offset else (early, middle)
        found.append((since, late, offset))
        since, offset = late, offset_at(zone, late)
    return [*found, (since, end, offset)]


def offset_at(zone: ZoneInfo, at: int) -> int:
    """Return a zone's UTC offset at an instant, in microseconds."""
    ahead = from_microseconds(at).astimezone(zone).utcoffset()
    assert ahead is not None  # because the datetime is aware
    return ahead // MICROSECOND


def day_of(zone: ZoneInfo, at: int) -> int:
    """Return a zone's date at an instant, in days since 1970-01-01."""
    return (at + offset_at(zone, at)) // DAY


def to_microseconds(at: datetime) -> int:
    """Convert an aware datetime to microseconds; TypeError for a naive one."""
    return (at - EPOCH) // MICROSECOND


def from_microseconds(at: int) -> datetime:
    """Convert an instant to a UTC datetime, clipped to the years 2 to 9998."""
    return EPOCH + timedelta(microseconds=min(max(at, FIRST), LAST))


@dataclass(frozen=True)
class Window:
    """Opening hours [start, end) in minutes after midnight of their date (R1, R2).

    The end may pass 1440, into the next date, and must be after the start. Raises
    ValueError when the start is outside its date or the end beyond the next one, 2880.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < 1440 or self.end > 2880:
            raise ValueError(f"a window starts in 0..1439 and ends by 2880, not {self}")


@dataclass(frozen=True)
class Hours:
    """A host's windows by weekday (0 is Monday), in `zone`, an IANA name.

    An override replaces all weekly windows of its date; an empty one is a day off (R2).
    """

    zone: str
    weekly: Mapping[int, tuple[Window, ...]]
    overrides: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)


def openings(hours: Hours, zone: ZoneInfo, start: int, end: int) -> list[Opening]:
    """List the openings in [start, end): the instants whose reading lies in a window (R4).

    A fold's minutes are in both periods, a gap's in neither. The origin, the grid's zero, is
    the window's start by the period's offset, and may lie outside the period.
    """
    return [
        (max(opens - offset, since), min(closes - offset, until), opens - offset, offset)
        for since, until, offset in offset_periods(zone, start, end)
        # Start with the date before, whose windows may run past midnight.
        for day in range((since + offset) // DAY - 1, (until + offset) // DAY + 1)
        for opens, closes in windows_of(hours, day)
        if opens - offset < until and closes - offset > since
    ]


def windows_of(hours: Hours, day: int) -> list[Interval]:
    """Return the readings of a date's windows, merged (R3), cut where an override follows (R2)."""
    on = date.fromordinal(EPOCH_DAY + day)
    windows = hours.overrides.get(on, hours.weekly.get(on.weekday(), ()))
    cut = 1440 if on + timedelta(days=1) in hours.overrides else 2880
    return merge(
        (day * DAY + window.start * MINUTE, day * DAY + min(window.end, cut) * MINUTE)
        for window in windows
    )


def closed(opened: list[Opening]) -> list[Interval]:
    """List the gaps between the openings; adjacent openings leave none (R6)."""
    room = merge((start, end) for start, end, _, _ in opened)
    edges = [FIRST - DAY, *(edge for interval in room for edge in interval), LAST + DAY]
    return list(zip(edges[::2], edges[1::2], strict=True))


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Sort half-open intervals, join overlapping and adjacent ones, and drop empty ones."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        elif end > start:
            merged.append((start, end))
    return merged
