"""A month as a visitor reads it: its open days, and the times of one of them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from ..dates import clock_time

PARTS = (("Night", range(0, 5)), ("Morning", range(5, 12)))
PARTS += (("Afternoon", range(12, 17)), ("Evening", range(17, 24)))
WEEK = timedelta(days=7)
AT_LEAST = 4 * WEEK  # are shown at first, so that a month's last days are not all there is


@dataclass(frozen=True)
class Time:
    """One open start (UTC), and how it reads in the visitor's zone."""

    start: datetime
    text: str


@dataclass(frozen=True)
class Day:
    """One date in the visitor's zone, with its open times by part of day, none of them empty."""

    date: date
    parts: tuple[tuple[str, tuple[Time, ...]], ...]

    @property
    def count(self) -> int:
        return sum(len(times) for _, times in self.parts)


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
    starts: Iterable[datetime], zone: str, wanted: date | None = None, day: date | None = None
) -> Month | None:
    """Lay out one month of sorted UTC starts in the zone `zone`; None when nothing is open.

    It is the month of `wanted`, else of `day`, else the first that has open times; what lies
    before or beyond all open times is moved to them.
    """
    visitor = ZoneInfo(zone)
    grouped = groupby(starts, key=lambda start: start.astimezone(visitor).date())
    found = {on: list(group) for on, group in grouped}
    if not found:
        return None
    dates = sorted(found)
    glance = _glance(dates[0], dates[-1])
    if wanted is None and day and day < glance:
        wanted = dates[0]
    first = min(max(wanted or day or dates[0], dates[0].replace(day=1)), dates[-1]).replace(day=1)
    beyond = _following(first)
    until = beyond if first > dates[0] else glance
    days = {on: _day(on, found[on], zone) for on in dates if first <= on < until}
    return Month(
        first=first,
        until=until,
        days=days,
        chosen=days.get(day) or next(iter(days.values()), None) if days else None,
        missed=day if day and day not in found else None,
        next_open=None if days else next(on for on in dates if on >= beyond),
        earlier=(first - timedelta(days=1)).replace(day=1) if dates[0] < first else None,
        later=beyond if dates[-1] >= until else None,
    )


def nearest(starts: Iterable[datetime], wanted: datetime, count: int = 6) -> list[datetime]:
    """Return the open starts closest to the one that is gone, in their own order."""
    return sorted(sorted(starts, key=lambda start: abs(start - wanted))[:count])


def _day(on: date, starts: list[datetime], zone: str) -> Day:
    visitor = ZoneInfo(zone)
    parts = []
    for name, hours in PARTS:
        within = [start for start in starts if start.astimezone(visitor).hour in hours]
        if within:
            parts.append((name, tuple(Time(start, clock_time(start, zone)) for start in within)))
    return Day(on, tuple(parts))


def _glance(opens: date, closes: date) -> date:
    """Return the date after what is shown at first, of open dates from one to the other."""
    return max(_following(opens), min(_sunday(opens) + AT_LEAST, _sunday(closes) + WEEK))


def _sunday(on: date) -> date:
    """Return the first day of a date's week."""
    return on - timedelta(days=on.isoweekday() % 7)


def _following(on: date) -> date:
    """Return the first day of the month after a date's."""
    return (on.replace(day=1) + timedelta(days=31)).replace(day=1)
