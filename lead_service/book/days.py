"""Days and times as a visitor reads them: starts grouped by the date in the visitor's zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

DAYS_ON_A_PAGE = 6


@dataclass(frozen=True)
class Day:
    """One date in the visitor's zone, with its open starts (UTC)."""

    date: date
    starts: tuple[datetime, ...]


@dataclass(frozen=True)
class Page:
    """Some days with times, and the first day of the pages around them."""

    days: tuple[Day, ...]
    earlier: date | None
    later: date | None


def page(starts: Iterable[datetime], zone: str, first: date | None = None) -> Page:
    """Group sorted UTC starts by their date in `zone`, and cut the page that begins at `first`."""
    visitor = ZoneInfo(zone)
    days = [
        Day(day, tuple(group))
        for day, group in groupby(starts, key=lambda start: start.astimezone(visitor).date())
    ]
    place = next((at for at, day in enumerate(days) if first and day.date >= first), 0)
    rest = days[place + DAYS_ON_A_PAGE :]
    return Page(
        days=tuple(days[place : place + DAYS_ON_A_PAGE]),
        earlier=days[max(0, place - DAYS_ON_A_PAGE)].date if place else None,
        later=rest[0].date if rest else None,
    )


def nearest(starts: Iterable[datetime], wanted: datetime, count: int = 6) -> list[datetime]:
    """Return the open starts closest to the one that is gone, in their own order."""
    return sorted(sorted(starts, key=lambda start: abs(start - wanted))[:count])


@cache
def zones() -> dict[str, list[str]]:
    """Return the tz database's zones, one list an area; a zone's name is its key everywhere."""
    table = files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text("utf-8")
    names = sorted(line.split("\t")[2] for line in table.splitlines() if not line.startswith("#"))
    areas = {area: list(group) for area, group in groupby(names, lambda name: name.split("/")[0])}
    return areas | {"UTC": ["UTC"]}


def is_zone(name: str) -> bool:
    """Say whether a name, aliases included, is in the tz database."""
    return name in _all_zones()


@cache
def _all_zones() -> set[str]:
    return available_timezones()
