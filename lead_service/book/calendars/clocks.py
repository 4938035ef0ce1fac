"""Resolve the time zones that calendars name, as one or more possible clocks. Pure.

Instants and clock readings are in microseconds, as in `availability.intervals`. A name may
mean several clocks: then its times are busy by each of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from ..availability.intervals import DAY, MINUTE, offset_periods
from .components import Properties, plain_name
from .rules import RuleNotUnderstood, occurrences
from .times import SECOND, reading_of

FOREVER = 2**62
HOUR = 60 * MINUTE
YEAR = 366 * DAY
OFFSET = re.compile(r"(?:utc|gmt|z)?\s*([+-])(\d\d?):?(\d\d)?")
OFFSET_AMONG_WORDS = re.compile(r"\((?:utc|gmt)\s*(?:([+-])(\d\d?):?(\d\d)?)?\)")
OWN_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d):?(\d\d)?")
NAME_IN_TEXT = re.compile(r"[a-z_]+(?:/[a-z0-9_+-]+)+")

Period = tuple[int, int, int]  # start, end, offset


@dataclass(frozen=True)
class Clock:
    """A zone's clock: periods of one offset each, or an uncertain offset between two."""

    periods: tuple[Period, ...] = ()
    least: int = 0  # the least and most offset, without periods
    most: int = 0
    note: str = ""  # why its times are uncertain

    @property
    def is_certain(self) -> bool:
        return bool(self.periods)

    def instants(self, reading: int) -> tuple[int, int]:
        """Return the first and the last instant at which the clock shows a reading.

        A reading in a gap uses the offset before the gap (RFC 5545, section 3.3.5).
        """
        if not self.periods:
            return reading - self.most, reading - self.least
        found = [reading - by for since, until, by in self.periods if since <= reading - by < until]
        if not found:
            found = [reading - by for _, until, by in self.periods if reading - by >= until][-1:]
        return min(found), max(found)

    def reading(self, instant: int, *, earliest: bool = False) -> int:
        """Return the reading at an instant; the latest, or the earliest, if uncertain."""
        by = self.least if earliest else self.most
        return instant + next((by for a, b, by in self.periods if a <= instant < b), by)


def fixed(offset: int) -> Clock:
    return Clock(((-FOREVER, FOREVER, offset),))


UTC_CLOCK = fixed(0)


class Zones:
    """The zones of one calendar: those that the file defines, and those known by name."""

    def __init__(
        self,
        own: Mapping[str, Sequence[Sequence[Properties]]],
        host_zone: str,
        start: int,
        end: int,
    ) -> None:
        """`start` and `end` are the range of instants to cover."""
        self.own = own
        self.range = start - YEAR, end + YEAR
        self.seen = start - DAY * 10, end + DAY * 10
        self.host = self._known(host_zone)
        self.named: dict[str, tuple[Clock, ...]] = {}

    def clocks(self, name: str) -> tuple[Clock, ...]:
        """Return the clocks that a name may mean, at least one."""
        plain = plain_name(name)
        if plain not in self.named:
            self.named[plain] = self._clocks(plain, f"\u201c{name.strip()[:60]}\u201d")
        return self.named[plain]

    def _clocks(self, plain: str, shown: str) -> tuple[Clock, ...]:
        zone = _iana_name(plain)
        known = self._known(zone) if zone else _by_offset(plain, shown)
        own = [clock for one in self.own.get(plain, ()) if (clock := self._defined(one))]
        if not own:
            return (known or _vague(shown, -12 * HOUR, 14 * HOUR),)
        if known and known.is_certain:
            own.append(known)
        distinct = [
            clock
            for number, clock in enumerate(own)
            if not any(self._looks_as(clock, earlier) for earlier in own[:number])
        ]
        if len(distinct) == 1:
            return (distinct[0],)
        note = f"The calendar defines the time zone {shown} in its own way, so its events"
        note += " block each time that they might mean."
        return tuple(replace(clock, note=note) for clock in distinct)

    def _known(self, zone: str) -> Clock:
        periods = offset_periods(ZoneInfo(zone), *self.range)
        periods[0] = (-FOREVER, *periods[0][1:])
        periods[-1] = (periods[-1][0], FOREVER, periods[-1][2])
        return Clock(tuple(periods))

    def _looks_as(self, one: Clock, other: Clock) -> bool:
        return _joined(one.periods, *self.seen) == _joined(other.periods, *self.seen)

    def _defined(self, observances: Sequence[Properties]) -> Clock | None:
        """Return the clock of a zone that the file defines; None if it is missing or invalid."""
        onsets: list[tuple[int, int, int]] = []
        try:
            for one in observances:
                before, after = (
                    _own_offset(one[name][0].value) for name in ("TZOFFSETFROM", "TZOFFSETTO")
                )
                onsets += [(at - before, before, after) for at in self._onsets(one, before)]
        except (KeyError, ValueError, RuleNotUnderstood):
            return None
        if not onsets:
            return None
        onsets.sort()
        periods = [(-FOREVER, onsets[0][0], onsets[0][1])]
        for number, (at, _, after) in enumerate(onsets):
            until = onsets[number + 1][0] if number + 1 < len(onsets) else FOREVER
            periods.append((at, until, after))
        return Clock(tuple(one for one in periods if one[0] < one[1]))

    def _onsets(self, observance: Properties, offset: int) -> list[int]:
        """Return an observance's onsets, by the clock before it, up to the end of the range."""
        end = self.range[1]
        first = reading_of(observance["DTSTART"][0].value)[0]
        found = {first}
        for more in observance.get("RDATE", ()):
            found.update(reading_of(one)[0] for one in more.value.split(",") if one.strip())
        for rule in observance.get("RRULE", ()):
            by = fixed(offset)
            found.update(occurrences(rule.value, first, by, first, end, is_date=False).readings)
        return [at for at in found if at <= end]


def _joined(periods: Sequence[Period], start: int, end: int) -> list[Period]:
    """Return the periods in [start, end), joining neighbors of equal offset."""
    found: list[Period] = []
    for since, until, by in periods:
        since, until = max(since, start), min(until, end)
        if since >= until:
            continue
        if found and found[-1][2] == by:
            since = found.pop()[0]
        found.append((since, until, by))
    return found


def _own_offset(text: str) -> int:
    found = OWN_OFFSET.fullmatch(text.strip())
    if not found:
        raise ValueError("not an offset")
    sign, hours, minutes, seconds = found.groups()
    return int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)) * SECOND


def _iana_name(plain: str) -> str:
    """Find the IANA zone of an IANA or Windows name, or of the end of a path (/x.org/1/...)."""
    known = _known_names()
    parts = plain.replace(" ", "_").split("/")
    paths = ["/".join(parts[number:]) for number in range(len(parts))]
    for name in (plain, *paths, *NAME_IN_TEXT.findall(plain)):
        if name in known:
            return known[name]
    return ""


@cache
def _known_names() -> dict[str, str]:
    names = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}
    return names | {name.casefold(): name for name in available_timezones() if name != "localtime"}


def _by_offset(plain: str, shown: str) -> Clock | None:
    """Read "UTC+01:00" as a fixed offset, and "(UTC+01:00) Amsterdam" as up to an hour from it."""
    for pattern, margin in ((OFFSET, 0), (OFFSET_AMONG_WORDS, HOUR)):
        found = pattern.fullmatch(plain) if margin == 0 else pattern.search(plain)
        if found:
            sign, hours, minutes = found.groups()
            offset = int((sign or "+") + "1") * (int(hours or 0) * 60 + int(minutes or 0)) * MINUTE
            return fixed(offset) if margin == 0 else _vague(shown, offset - HOUR, offset + HOUR)
    return None


def _vague(shown: str, least: int, most: int) -> Clock:
    note = f"The time zone {shown} is not known, so its events block every time they might mean."
    return Clock(least=least, most=most, note=note)
