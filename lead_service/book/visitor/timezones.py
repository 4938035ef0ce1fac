"""Search time zones by city, country, abbreviation or UTC offset.

Pure: the tz database's own tables and a list of further cities in, names out.
"""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from ...formats import city_of

CITIES = Path(__file__).parent / "cities.tsv"
NO_ZONES = {"Factory", "localtime"}  # names in the database that aren't places
FIXED = {"EST": "UTC-5", "MST": "UTC-7", "HST": "UTC-10"}
UTC = {"Etc/UTC", "Etc/GMT"}
MOST = 12  # search results
OFFSET = re.compile(r"(?:utc|gmt)? ?([+-])(\d{1,2})(?::?(\d\d))?")


@dataclass(frozen=True)
class Place:
    """A zone to choose: its IANA name, its city, and its country or region."""

    zone: str
    city: str
    where: str
    names: tuple[str, ...]  # for the search, folded


def is_zone(name: str) -> bool:
    """Say whether the tz database has a name, including aliases."""
    return name in _all_zones()


def current(name: str) -> str:
    """Return the present name of a zone: Asia/Kolkata for Asia/Calcutta.

    The name of a country's own zone stays, although the database may have merged its
    history with a neighbor's; and EST doesn't become Panama.
    """
    if name in _places() or name in FIXED:
        return name
    name = _links().get(name, name)
    return "UTC" if name in UTC else name


def search(text: str, now: datetime) -> list[Place]:
    """Find the zones that match a text, best matches first, at most MOST.

    A city, country or region by its beginning or a part, an abbreviation (EST), or the distance
    from UTC at `now` (+5:30). Each word of the text has to match.
    """
    wanted = fold(text)
    if not wanted:
        return []
    if found := OFFSET.fullmatch(wanted.replace("\u2212", "-")):
        return _by_offset(found, now)[:MOST]
    places = list(_places().values())
    ranked = [(_rank(place, wanted, now), number) for number, place in enumerate(places)]
    return [places[number] for rank, number in sorted(ranked) if rank < 4][:MOST]


def fixed(text: str) -> str:
    """Return the fixed-offset zone for a text such as UTC-12, or ""."""
    found = OFFSET.fullmatch(fold(text))
    name = f"Etc/GMT{'+' if found[1] == '-' else '-'}{int(found[2])}" if found else ""
    return name if found and not found[3] and is_zone(name) else ""


def fold(text: str) -> str:
    """Normalize a text for comparison: lower case, without accents, with single spaces."""
    plain = unicodedata.normalize("NFKD", re.sub("[.\u2019']", "", text[:100].replace("_", " ")))
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(plain.casefold().split())


def _rank(place: Place, wanted: str, now: datetime) -> int:
    """Return 0 for an exact match, 1 to 3 for an abbreviation or a beginning, 4 for no match."""
    if wanted in place.names:
        return 0
    if wanted in _abbreviations(place.zone, now.year):
        return 1
    if any(name.startswith(wanted) for name in place.names):
        return 2
    words = " ".join(place.names).replace("/", " ").split()
    if all(any(word.startswith(part) for word in words) for part in wanted.split()):
        return 3
    return 4


def _by_offset(found: re.Match[str], now: datetime) -> list[Place]:
    distance = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    distance = -distance if found[1] == "-" else distance
    places = _places().values()
    return [one for one in places if now.astimezone(ZoneInfo(one.zone)).utcoffset() == distance]


@cache
def _abbreviations(zone: str, year: int) -> set[str]:
    """Return the abbreviations of a zone's winter and summer time, without numeric ones."""
    days = (datetime(year, month, 1, tzinfo=ZoneInfo(zone)) for month in (1, 7))
    return {name.casefold() for day in days if (name := day.tzname() or "").isalpha()}


@cache
def _places() -> dict[str, Place]:
    """Return the zones to choose from, by name: those of each country, and UTC.

    Those in the list of cities come first, because more people use them.
    """
    countries, more = dict(_rows(_table("iso3166.tab"))), _further_names()
    first = {zone: place for place, (zone, _) in enumerate(_rows(CITIES.read_text("utf-8")))}
    rows = {row[2]: row for row in _rows(_table("zone.tab"))}
    places = {"UTC": Place("UTC", "UTC", "Coordinated Universal Time", ("utc", "gmt", "zulu"))}
    for zone in sorted(rows, key=lambda zone: (first.get(zone, len(first)), zone)):
        code, _, _, *comment = rows[zone]
        country, city = countries[code], city_of(zone)
        where = ", ".join([*(one for one in comment if country not in one), country])
        names = map(fold, [city, zone, country, *comment, *more[zone]])
        places[zone] = Place(zone, city, where, tuple(dict.fromkeys(names)))
    return places


def _further_names() -> dict[str, list[str]]:
    """Return older names and further cities of each zone.

    Aliases such as EST are left out: the database links them to one place of many.
    """
    names = defaultdict(list)
    for alias, zone in _links().items():
        if not alias.isupper():
            names[zone].append(alias.rpartition("/")[2])
    for zone, cities in _rows(CITIES.read_text("utf-8")):
        names[zone] += cities.split(", ")
    return names


@cache
def _links() -> dict[str, str]:
    """Map each alias to its zone."""
    lines = (line.split() for line in _table("tzdata.zi").splitlines() if line.startswith("L "))
    return {alias: zone for _, zone, alias in lines}


@cache
def _all_zones() -> set[str]:
    return available_timezones() - NO_ZONES


def _table(name: str) -> str:
    return files("tzdata.zoneinfo").joinpath(name).read_text("utf-8")


def _rows(table: str) -> list[list[str]]:
    return [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
