"""Expand recurrence rules (RFC 5545, section 3.3.10); unreadable parts only add times. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Protocol

from dateutil import rrule

from ..availability.intervals import DAY, MINUTE
from .times import EPOCH, count, reading_of

MOST_TIMES = 50_000  # of one rule, and of one file, in the range
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
UNITS = {"WEEKLY": 7 * DAY, "DAILY": DAY, "HOURLY": 60 * MINUTE, "MINUTELY": MINUTE}
UNITS["SECONDLY"] = MINUTE // 60
WEEKDAYS = {day: number for number, day in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
# The range of numbers in each part; negative ones count from the end.
NUMBERS = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
}
WITHOUT_ZERO = {"BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"}
OF_THE_CLOCK = {"BYHOUR", "BYMINUTE", "BYSECOND"}
DEFAULTS = {("RSCALE", "GREGORIAN"), ("SKIP", "OMIT")}  # RFC 7529
NO_END = "The end of a repeating event cannot be read, so the event goes on without an end."
EACH_DAY = "A repeating event has a rule that cannot be read, so the event blocks every day."


class RuleNotUnderstood(ValueError):
    """A rule without a readable frequency, or one that repeats too often."""


class EventClock(Protocol):
    def reading(self, instant: int) -> int: ...


@dataclass(frozen=True)
class Occurrences:
    """The occurrences of a rule, as readings of the event's clock, and why some were added."""

    readings: Iterable[int]
    notes: tuple[str, ...] = ()


def occurrences(
    rule: str,
    first: int,
    clock: EventClock,
    start: int,
    end: int,
    *,
    is_date: bool,
    host: EventClock | None = None,
) -> Occurrences:
    """Expand a rule for an event that starts at the reading `first`, within [start, end].

    An unreadable part makes it daily, at the event's own time: no rule with a frequency
    of days or longer has more. Raises RuleNotUnderstood for a more frequent one.
    """
    parts, notes = _parts(rule)
    frequency = parts.pop("FREQ", "")
    if frequency not in FREQUENCIES:
        raise RuleNotUnderstood("contains a repeating event with an unknown frequency")
    ends = _ends(parts, first, clock, host or clock, notes, is_date=is_date)
    found: set[int] = set()
    try:
        read = _arguments(parts, notes)
        for one in ends or [{}]:
            found.update(_expand(frequency, read | one, first, start, end))
    except (ValueError, IndexError) as fault:  # also raised by dateutil
        if isinstance(fault, RuleNotUnderstood):
            raise
        if frequency not in FREQUENCIES[:4] or OF_THE_CLOCK & parts.keys():
            raise RuleNotUnderstood("contains a repeating event that cannot be read") from None
        notes.append(EACH_DAY)
        for one in [one for one in ends if "until" in one] or [{}]:
            found.update(_expand("DAILY", one, first, start, end))
    return Occurrences(found, tuple(notes))


def _ends(
    parts: dict[str, str],
    first: int,
    clock: EventClock,
    host: EventClock,
    notes: list[str],
    *,
    is_date: bool,
) -> list[dict[str, Any]]:
    """Remove COUNT and UNTIL from the parts and return them for dateutil; none if unreadable."""
    ends: list[dict[str, Any]] = []
    if until := parts.pop("UNTIL", ""):
        try:
            ends.append({"until": _until(until, first, clock, host, is_date=is_date)})
        except ValueError:
            notes.append(NO_END)
    if number := parts.pop("COUNT", ""):
        if number.isdecimal() and int(number) > 0:
            ends.append({"count": int(number)})
        else:
            notes.append(NO_END)
    return [] if NO_END in notes else ends


def _parts(rule: str) -> tuple[dict[str, str], list[str]]:
    """Split a rule; a repeated part becomes an unreadable one."""
    parts: dict[str, str] = {}
    for text in rule.upper().split(";"):
        name, _, value = (one.strip() for one in text.partition("="))
        if not (name or value) or name.startswith("X-") or (name, value) in DEFAULTS:
            continue
        parts[name] = f"{parts[name]} {value}" if name in parts else value
    return parts, []


def _arguments(parts: dict[str, str], notes: list[str]) -> dict[str, Any]:
    """Translate the parts for dateutil; raise ValueError for one that cannot be read."""
    read: dict[str, Any] = {}
    for name, text in parts.items():
        values = [one.strip() for one in text.split(",") if one.strip()]
        if name == "INTERVAL":
            every = int(text.rstrip(","))
            if every < 1:
                notes.append("A repeating event has an interval of 0, which is read as 1.")
            read["interval"] = max(every, 1)
        elif name == "WKST":
            read["wkst"] = WEEKDAYS.get(text, -1)
            _refuse(read["wkst"] < 0)
        elif name == "BYDAY":
            read["byweekday"] = [_weekday(one) for one in values]
        elif name in NUMBERS:
            least, most = NUMBERS[name]
            numbers = [int(one) for one in values]
            _refuse(any(not least <= one <= most for one in numbers))
            _refuse(name in WITHOUT_ZERO and 0 in numbers)
            read[name.lower()] = numbers
        else:
            raise ValueError("not a part")
        _refuse(not values)
    return read


def _refuse(is_wrong: bool) -> None:
    if is_wrong:
        raise ValueError("not a part of a rule")


def _weekday(text: str) -> Any:
    found = re.fullmatch(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", text)
    if not found or (found[1] and int(found[1]) == 0):
        raise ValueError("not a weekday")
    return rrule.weekday(WEEKDAYS[found[2]], int(found[1]) if found[1] else None)


def _until(
    text: str, first: int, clock: EventClock, host: EventClock, *, is_date: bool
) -> datetime:
    """Return the last reading at which an event may start, by the latest meaning of UNTIL.

    A date includes its day. RFC 5545 requires UTC for an event with a zone, but some programs
    don't use it. For dates, programs write midnight by the clock of the event's author: the next
    day if it may be that somewhere. For a time, midnight may mean the whole day.
    """
    reading, is_day, offset = reading_of(text)
    if is_day:
        return _datetime(reading // DAY * DAY + DAY - 1)
    if is_date:
        days = [reading // DAY]
        if offset is not None:
            instant = reading - offset
            days += [instant // DAY, host.reading(instant) // DAY]
            if instant % DAY >= 10 * 60 * MINUTE and instant % (15 * MINUTE) == 0:
                days.append(instant // DAY + 1)
        return _datetime(max(days) * DAY)
    last = clock.reading(reading - (offset or 0))
    if (last - first) % DAY == 0:  # the start of the last occurrence
        return _datetime(last if offset is not None else max(reading, last))
    days = [one + DAY - 1 for one in (reading, last) if one % DAY == 0]
    return _datetime(max([last, *days] if offset is not None else [reading, last, *days]))


def _expand(
    frequency: str, read: dict[str, Any], first: int, start: int, end: int
) -> Iterable[int]:
    begins = first if "count" in read else _advanced(frequency, read, first, start)
    rule = rrule.rrule(FREQUENCIES.index(frequency), dtstart=_datetime(begins), **read)
    last, found = _datetime(end), []
    for at in takewhile(lambda one: one <= last, rule):
        reading = count(at)
        if reading >= start:
            found.append(reading)
            if len(found) > MOST_TIMES:
                raise RuleNotUnderstood("contains more events than we can process")
    return found


def _advanced(frequency: str, read: dict[str, Any], first: int, start: int) -> int:
    """Return a later start of the same recurrence, to skip past occurrences."""
    every: int = read.get("interval", 1)
    if frequency in UNITS:
        step = UNITS[frequency] * every
        return first + max(0, (start - first) // step - 1) * step
    at = _datetime(first)
    months = every * (12 if frequency == "YEARLY" else 1)
    behind = (_datetime(start) - at) // timedelta(days=31) // months - 1
    if behind < 1 or at.day > 28:
        return first
    month = at.year * 12 + at.month - 1 + behind * months
    return count(at.replace(year=month // 12, month=month % 12 + 1))


def _datetime(reading: int) -> datetime:
    return EPOCH + timedelta(microseconds=reading)
