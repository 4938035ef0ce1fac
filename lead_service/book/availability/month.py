"""The view model of a month: its open days, and the times of one of them. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_interval, get_day_names

from ...formats import ENGLISH

PARTS = [("Night", range(0, 5)), ("Morning", range(5, 12))]
PARTS += [("Afternoon", range(12, 17)), ("Evening", range(17, 24))]
AWAKE = range(7, 21)  # hours of the day at which most people would take a call
ONE_DAY, WEEK = timedelta(days=1), timedelta(days=7)
SUNDAY = 6
AT_LEAST = 4 * WEEK  # shown at first, even at the end of a month


@dataclass(frozen=True)
class Day:
    """One date in the visitor's zone, with at least one open start."""

    date: date
    starts: tuple[datetime, ...]  # UTC, sorted
    zone: str

    @property
    def count(self) -> int:
        return len(self.starts)

    @property
    def parts(self) -> list[tuple[str, list[datetime]]]:
        """The starts in waking hours, by part of day, without empty parts."""
        return self._parts([start for start in self.starts if is_awake(self.zone, start)])

    @property
    def odd_parts(self) -> list[tuple[str, list[datetime]]]:
        """The earlier and later starts of the day."""
        return self._parts([start for start in self.starts if not is_awake(self.zone, start)])

    def _parts(self, starts: list[datetime]) -> list[tuple[str, list[datetime]]]:
        found: dict[str, list[datetime]] = {name: [] for name, _ in PARTS}
        for start in starts:
            hour = start.astimezone(ZoneInfo(self.zone)).hour
            found[next(name for name, hours in PARTS if hour in hours)].append(start)
        return [(name, times) for name, times in found.items() if times]


@dataclass(frozen=True)
class Month:
    """One month: its open days, and the chosen one.

    The first month with open days extends into the next one when it is nearly over: `until` is
    the date after the last one shown.
    `chosen` is None when the month has no open day; `next_open` is then the open day to go on to.
    `missed` is the chosen date if it has no open time. `earlier` and `later` are the
    first days of the adjacent months, if anything is open there or beyond.
    """

    first: date
    until: date
    days: dict[date, Day]
    chosen: Day | None
    missed: date | None
    next_open: date | None
    earlier: date | None
    later: date | None
    first_weekday: int  # of the visitor's week, 0 is Monday

    @property
    def weekdays(self) -> list[str]:
        """The weekday names of the columns."""
        names = get_day_names("abbreviated", locale=ENGLISH)
        return [names[(self.first_weekday + number) % 7] for number in range(7)]

    @property
    def first_column(self) -> int:
        """The column of the first date shown, from 0."""
        return (self.dates[0].weekday() - self.first_weekday) % 7

    @property
    def dates(self) -> list[date]:
        """The dates to show, open or not, without whole weeks in the past."""
        since = self.first
        if self.days and not self.earlier:
            since = max(since, _week_of(min(self.days), self.first_weekday))
        return [since + timedelta(days=number) for number in range((self.until - since).days)]

    @property
    def name(self) -> str:
        """The month's name and year; both months if it extends into the next."""
        return format_interval(self.first, self.until - ONE_DAY, "yMMMM", locale=ENGLISH)


def month(
    starts: Sequence[datetime],
    zone: str,
    wanted: date | None = None,
    day: date | None = None,
    first_weekday: int = SUNDAY,
) -> Month | None:
    """Lay out one month of sorted UTC starts in the zone `zone`; None when nothing is open.

    It is the month of `wanted`, else of `day`, else the first with open times. Months
    before or after all open times are clipped to them.
    """
    if not starts:
        return None
    opens, closes = date_in(zone, starts[0]), date_in(zone, starts[-1])
    glance = _glance(opens, closes, first_weekday)
    if wanted is None and day and day < glance:
        wanted = opens
    first = min(max(wanted or day or opens, opens.replace(day=1)), closes).replace(day=1)
    beyond = _following(first)
    until = beyond if first > opens else glance
    days = _days(starts, zone, first, until)

    def is_open(on: date) -> bool:
        return opens <= on <= closes and bool(_days(starts, zone, on, on + ONE_DAY))

    return Month(
        first=first,
        until=until,
        days=days,
        chosen=(days.get(day) if day else None) or next(iter(days.values()), None),
        missed=None if day is None or is_open(day) else day,
        next_open=None if days else next(iter(_days(starts, zone, beyond, closes + ONE_DAY))),
        earlier=(first - ONE_DAY).replace(day=1) if opens < first else None,
        later=beyond if closes >= until else None,
        first_weekday=first_weekday,
    )


def nearest(
    starts: Iterable[datetime], wanted: datetime, zone: str, count: int = 6
) -> list[datetime]:
    """Return the open starts closest to the one that is gone, in order.

    Starts at night are left out, unless that one was at night or there are no others.
    """
    found = sorted(starts, key=lambda start: abs(start - wanted))
    awake = [start for start in found if is_awake(zone, start)]
    return sorted((awake if awake and is_awake(zone, wanted) else found)[:count])


def is_awake(zone: str, start: datetime) -> bool:
    """Say whether a start is in waking hours in `zone`."""
    return start.astimezone(ZoneInfo(zone)).hour in AWAKE


def date_in(zone: str, start: datetime) -> date:
    """Return the date on which a start falls in the zone `zone`."""
    return start.astimezone(ZoneInfo(zone)).date()


def _days(starts: Sequence[datetime], zone: str, first: date, beyond: date) -> dict[date, Day]:
    """Group the sorted starts of the dates [first, beyond) by date."""
    visitor = ZoneInfo(zone)
    low, high = (datetime.combine(on, time(), UTC) for on in (first, beyond))
    near = starts[bisect_left(starts, low - ONE_DAY) : bisect_left(starts, high + ONE_DAY)]
    found = groupby(near, key=lambda start: start.astimezone(visitor).date())
    return {on: Day(on, tuple(group), zone) for on, group in found if first <= on < beyond}


def _glance(opens: date, closes: date, first_weekday: int) -> date:
    """Return the date after those shown at first, between two open dates."""
    since, last = (_week_of(on, first_weekday) for on in (opens, closes))
    return max(_following(opens), min(since + AT_LEAST, last + WEEK))


def _week_of(on: date, first_weekday: int) -> date:
    """Return the first day of a date's week."""
    return on - timedelta(days=(on.weekday() - first_weekday) % 7)


def _following(on: date) -> date:
    """Return the first day of the month after a date's."""
    return (on.replace(day=1) + timedelta(days=31)).replace(day=1)
