"""A month as a visitor reads it: its open days, and the times of one of them. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from ...formats import clock_time

PARTS = [("Night", range(0, 5)), ("Morning", range(5, 12))]
PARTS += [("Afternoon", range(12, 17)), ("Evening", range(17, 24))]
ONE_DAY, WEEK = timedelta(days=1), timedelta(days=7)
AT_LEAST = 4 * WEEK  # are shown at first, so that a month's last days are not all there is


@dataclass(frozen=True)
class Time:
    """One open start (UTC), and how it reads in the visitor's zone."""

    start: datetime
    text: str


@dataclass(frozen=True)
class Day:
    """One date in the visitor's zone, with its open starts, of which there is at least one."""

    date: date
    starts: tuple[datetime, ...]  # UTC, sorted
    zone: str

    @property
    def count(self) -> int:
        return len(self.starts)

    @property
    def parts(self) -> list[tuple[str, list[Time]]]:
        """The times by part of day, none of them empty."""
        visitor = ZoneInfo(self.zone)
        found: dict[str, list[Time]] = {name: [] for name, _ in PARTS}
        for start in self.starts:
            hour = start.astimezone(visitor).hour
            part = next(name for name, hours in PARTS if hour in hours)
            found[part].append(Time(start, clock_time(start, self.zone)))
        return [(name, times) for name, times in found.items() if times]


@dataclass(frozen=True)
class Month:
    """One month: its open days, and which one is chosen.

    The first month with open days goes on into the next one when it is nearly over: `until` is
    the date after the last that is shown.
    `chosen` is None when the month has no open day; `next_open` is then the open day to go on to.
    `missed` is a date that was asked for and has no open time. `earlier` and `later` are the
    first days of the months around, as far as anything is open there or beyond.
    """

    first: date
    until: date
    days: dict[date, Day]
    chosen: Day | None
    missed: date | None
    next_open: date | None
    earlier: date | None
    later: date | None

    @property
    def dates(self) -> list[date]:
        """The dates to show, open or not: whole weeks that are over before the first one aside."""
        since = self.first
        if self.days and not self.earlier:
            since = max(since, _sunday(min(self.days)))
        return [since + timedelta(days=number) for number in range((self.until - since).days)]

    @property
    def name(self) -> str:
        """The month's name and year; those of both where it goes on into the next."""
        last = self.until - timedelta(days=1)
        if last.month == self.first.month:
            return f"{self.first:%B %Y}"
        year = "" if last.year == self.first.year else f" {self.first.year}"
        return f"{self.first:%B}{year} and {last:%B %Y}"


def month(
    starts: Sequence[datetime], zone: str, wanted: date | None = None, day: date | None = None
) -> Month | None:
    """Lay out one month of sorted UTC starts in the zone `zone`; None when nothing is open.

    It is the month of `wanted`, else of `day`, else the first that has open times; what lies
    before or beyond all open times is moved to them.
    """
    if not starts:
        return None
    opens, closes = date_in(zone, starts[0]), date_in(zone, starts[-1])
    glance = _glance(opens, closes)
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
    )


def nearest(starts: Iterable[datetime], wanted: datetime, count: int = 6) -> list[datetime]:
    """Return the open starts closest to the one that is gone, in their own order."""
    return sorted(sorted(starts, key=lambda start: abs(start - wanted))[:count])


def date_in(zone: str, start: datetime) -> date:
    """Return the date on which a start falls in the zone `zone`."""
    return start.astimezone(ZoneInfo(zone)).date()


def _days(starts: Sequence[datetime], zone: str, first: date, beyond: date) -> dict[date, Day]:
    """Group the starts of the dates [first, beyond), sorted; only those are looked at."""
    visitor = ZoneInfo(zone)
    low, high = (datetime.combine(on, time(), UTC) for on in (first, beyond))
    near = starts[bisect_left(starts, low - ONE_DAY) : bisect_left(starts, high + ONE_DAY)]
    found = groupby(near, key=lambda start: start.astimezone(visitor).date())
    return {on: Day(on, tuple(group), zone) for on, group in found if first <= on < beyond}


def _glance(opens: date, closes: date) -> date:
    """Return the date after what is shown at first, of open dates from one to the other."""
    return max(_following(opens), min(_sunday(opens) + AT_LEAST, _sunday(closes) + WEEK))


def _sunday(on: date) -> date:
    """Return the first day of a date's week."""
    return on - timedelta(days=on.isoweekday() % 7)


def _following(on: date) -> date:
    """Return the first day of the month after a date's."""
    return (on.replace(day=1) + timedelta(days=31)).replace(day=1)
