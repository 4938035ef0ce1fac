"""Read the busy times of a calendar file (RFC 5545), and nothing else.

Unknown time is never free. If a file can be read in two ways, it is busy in
both; an unreadable time blocks everything it could mean, and only an unbounded one refuses the
file. Libraries for calendars choose one reading, so the file is read here.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..availability.intervals import DAY, Interval, from_microseconds, merge, to_microseconds
from ..availability.slots import Busy
from . import rules
from .clocks import UTC_CLOCK, Clock, Zones, fixed
from .components import CalendarFile, NotUnderstood, Properties, Property, split
from .times import length_of, reading_of

MARGIN = 3 * DAY  # floating times and whole days are in the host's zone, unknown ones in any
OUTLOOK_STATUS = "X-MICROSOFT-CDO-BUSYSTATUS"
OUTLOOK_FREE = {"FREE", "WORKINGELSEWHERE"}
EXCHANGE = re.compile("040000008200E00074C5B7101A82E008[0-9A-F]+", re.IGNORECASE)
BY_EXCHANGE = re.compile(rb"vCal-Uid.{4}([^\0]+)", re.DOTALL)
NO_END = "An event\u2019s end cannot be read, so the event blocks the rest of its day."
NO_TRAVEL = "An event\u2019s travel time cannot be read, so the event blocks the day before it."
BACKWARD = "An event ends before it starts, so it blocks the time before and after its start."
TWO_ZONES = "A time is given in two time zones, so the event blocks both times."
SILENT = "The calendar does not say what is free after {:%Y-%m-%d}."
MOST_NOTES = 10


@dataclass(frozen=True)
class ParsedCalendar:
    """The busy times of a calendar, merged and sorted, in UTC; and why some are longer."""

    busy: list[Busy]
    widened: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Time:
    """A date, or a reading of a clock."""

    reading: int
    clock: Clock
    is_date: bool = False
    is_floating: bool = False
    note: str = ""


@dataclass(frozen=True)
class Length:
    """The extent of an event around the reading of its start, in microseconds."""

    before: int = 0  # at most 0
    after: int = 0
    elapsed: int = 0  # elapsed, if the end is given as a duration
    is_rest_of_day: bool = False
    note: str = ""


@dataclass
class Series:
    """One reading of an event with all its occurrences, independent of other events."""

    start: Time
    lengths: tuple[Length, ...]
    reading: tuple[int, int]  # its number, and how many there are
    times: dict[int, tuple[Length, ...]] = field(default_factory=dict)
    more: list[tuple[Time, tuple[Length, ...]]] = field(default_factory=list)  # by other clocks
    notes: list[str] = field(default_factory=list)


def parse_calendar(
    content: bytes,
    zone: str,
    start: datetime,
    end: datetime,
    ours: Collection[str] = (),
    email: str = "",
) -> ParsedCalendar:
    """Return the busy times in [start, end).

    Leaves out free and canceled events, those that the host with this `email`
    declined, and events with a UID in `ours`, the host's own calls, which we know better than
    their calendar. `zone`, an IANA name, is the host's: its dates count for
    all-day events and its clock for times without a zone, unless the file names a zone for
    all (X-WR-TIMEZONE). Raises NotUnderstood.
    """
    since, until = to_microseconds(start), to_microseconds(end)
    found: list[Interval] = []
    notes: dict[str, None] = {}  # ordered
    for calendar in split(content, (start - timedelta(days=3)).date()):
        reader = _Reader(calendar, zone, since, until)
        for a, b, why in reader.busy(ours, email.strip().casefold()):
            if max(a, since) >= min(b, until):
                continue
            found.append((max(a, since), min(b, until)))
            notes.update(dict.fromkeys(one for one in why if one))
            if len(found) > rules.MOST_TIMES:
                raise NotUnderstood("it contains more events than we can process")
    busy = [Busy(from_microseconds(a), from_microseconds(b)) for a, b in merge(found)]
    return ParsedCalendar(busy, list(notes)[:MOST_NOTES])


class _Reader:
    """Read the events of one calendar, in [since, until)."""

    def __init__(self, calendar: CalendarFile, zone: str, since: int, until: int) -> None:
        self.calendar, self.since, self.until = calendar, since, until
        self.zones = Zones(calendar.zones, zone, since, until)
        self.host = self.zones.host
        names = [name for name in calendar.zone_names if name]
        self.floating = self.zones.clocks(names[0]) if names else (self.host,)

    def busy(self, ours: Collection[str], email: str) -> Iterator[tuple[int, int, Iterable[str]]]:
        """Yield busy times with the reason for longer ones."""
        groups: dict[str, list[Properties]] = defaultdict(list)
        for number, event in enumerate(self.calendar.events):
            uid = _uid(event)
            if uid not in ours:
                groups[uid or f"\0{number}"].append(event)
        for events in groups.values():
            for series in self._series(events, email):
                yield from self._spans(series)
        yield from self._free_busy()

    # -- Events ---------------------------------------------------------------------------------

    def _series(self, events: Sequence[Properties], email: str) -> Iterator[Series]:
        """Yield every event of a UID; series leave out the occurrences that overrides replace.

        If several events share a UID, an override may belong to any of them, so it
        replaces an occurrence only if a single event has it.
        """
        overrides = [one for one in events if "RECURRENCE-ID" in one]
        busy = [one for one in events if _takes_time(one, email)]
        cores = list({repr(one): one for one in busy if "RECURRENCE-ID" not in one}.values())
        ranges = [one for one in overrides if _is_range(one)]
        margin = self._farthest_move(ranges) if cores else 0
        expanded = [list(self._expanded(core, margin)) for core in cores]
        for core in expanded:
            for series in core:
                if ranges:
                    self._move(series, ranges, email, is_only=len(cores) == 1)
        for override in overrides:
            named = self._named(override, "RECURRENCE-ID")
            hits = [[self._excepted(one, named) for one in core] for core in expanded]
            if sum(any(core) for core in hits) == 1:
                for core, keys in zip(expanded, hits, strict=True):
                    for series, readings in zip(core, keys, strict=True):
                        for reading in readings:
                            series.times.pop(reading, None)
        for core in expanded:
            yield from core
        for override in overrides:
            if _takes_time(override, email):
                yield from self._expanded(override)

    def _expanded(self, event: Properties, margin: int = 0) -> Iterator[Series]:
        """Yield an event in each of its readings."""
        starts = self._starts(event)
        for number, start in enumerate(starts):
            series = Series(start, self._lengths(event, start, number), (number, len(starts)))
            series.notes += [length.note for length in series.lengths]
            self._repeat(series, event, margin)
            for reading in self._excepted(series, self._named(event, "EXDATE")):
                series.times.pop(reading, None)
            yield series

    def _starts(self, event: Properties) -> list[Time]:
        try:
            found = [one for given in event["DTSTART"] for one in self._times(given, given.value)]
        except (KeyError, ValueError):
            raise NotUnderstood("it contains an event that cannot be read") from None
        return found

    def _lengths(self, event: Properties, start: Time, number: int) -> tuple[Length, ...]:
        found = []
        for given in event.get("DTEND", ()):
            try:
                ends = self._times(given, given.value)
            except ValueError:
                found.append(Length(is_rest_of_day=True, note=NO_END))
                continue
            paired = ends[number : number + 1] if len(ends) > 1 else ends
            found += [self._until(start, one) for one in paired or ends]
        for given in event.get("DURATION", ()):
            found.append(_lasting(given.value))
        found = found or [Length()]
        for given in () if start.is_date else event.get("X-APPLE-TRAVEL-DURATION", ()):
            found += [_with_travel(one, given.value) for one in found]
        return tuple(found)

    def _until(self, start: Time, end: Time) -> Length:
        """Return the length of an event up to its end, which may use another clock."""
        least = most = end.reading
        if end.clock != start.clock:
            first, last = end.clock.instants(end.reading)
            most = start.clock.reading(last)
            least = start.clock.reading(first, earliest=True)
        least, most = least - start.reading, most - start.reading
        if least >= 0:
            return Length(after=most)
        after = most % DAY or DAY if least == most else max(most, DAY)
        return Length(before=least, after=after, note=BACKWARD)

    def _repeat(self, series: Series, event: Properties, margin: int) -> None:
        """Add the occurrences that may overlap the range."""
        start, clock = series.start, series.start.clock
        reach = max(max(one.after, one.elapsed) for one in series.lengths) + MARGIN + margin
        since = self.since - reach
        until = self.until + MARGIN + margin - min(one.before for one in series.lengths)
        found = {start.reading}
        for rule in event.get("RRULE", ()):
            try:
                more = rules.occurrences(
                    rule.value,
                    start.reading,
                    clock,
                    since,
                    until,
                    is_date=start.is_date,
                    host=self.host,
                )
            except rules.RuleNotUnderstood as fault:
                raise NotUnderstood(str(fault)) from None
            found.update(more.readings)
            series.notes += more.notes
        series.times = dict.fromkeys(found, series.lengths)
        for given in event.get("RDATE", ()):
            for text in given.value.split(","):
                if text.strip():
                    self._add(series, given, text)

    def _add(self, series: Series, given: Property, text: str) -> None:
        """Add one RDATE: a time, a date, or a period with its own length."""
        first, _, last = text.partition("/")
        start = series.start
        try:
            for time in self._times(given, first):
                lengths = self._period(given, time, last) if last else series.lengths
                if time.is_date != start.is_date:  # block the whole day and the event's time on it
                    series.more.append((time, lengths))
                    day = time.reading // DAY * DAY
                    series.more.append((Time(day, self.host, is_date=True), lengths))
                    series.times[day + start.reading % DAY] = lengths
                elif time.is_date or time.is_floating or time.clock == start.clock:
                    series.times[time.reading] = lengths
                else:
                    series.more.append((time, lengths))
        except ValueError:
            raise NotUnderstood("it contains an event that cannot be read") from None

    def _period(self, given: Property, start: Time, end: str) -> tuple[Length, ...]:
        """Return the length of a period, which ends at a time or after a duration."""
        if "P" in end.upper():
            return (_lasting(end),)
        return tuple(self._until(start, one) for one in self._times(given, end))

    # -- Exceptions and overrides ---------------------------------------------------------------

    def _named(self, event: Properties, name: str) -> list[list[Time]]:
        """Return the occurrences that a property names, in all readings; none if unreadable."""
        found = []
        for given in event.get(name, ()):
            for text in given.value.split(","):
                try:
                    found.append(self._times(given, text))
                except ValueError:
                    continue
        return found

    def _excepted(self, series: Series, named: Sequence[Sequence[Time]]) -> set[int]:
        """Return the excepted occurrences on which all readings agree."""
        number, readings = series.reading
        found: set[int] = set()
        for times in named:
            if len(times) == 1:
                found |= self._same(series, times[0])
            elif len(times) == readings:
                found |= self._same(series, times[number])
        return found

    def _same(self, series: Series, time: Time) -> set[int]:
        """Return the occurrence of a series that a time names, if it is unambiguous."""
        start = series.start
        if start.is_date:
            return {day * DAY for day in self._day(time)} & series.times.keys()
        if time.is_date:
            same = {one for one in series.times if one // DAY == time.reading // DAY}
            return same if len(same) == 1 else set()
        if time.is_floating or time.clock == start.clock:
            return {time.reading} & series.times.keys()
        if not (time.clock.is_certain and start.clock.is_certain):
            return set()
        return {start.clock.reading(time.clock.instants(time.reading)[0])} & series.times.keys()

    def _day(self, time: Time) -> set[int]:
        """Return the day that names a whole-day occurrence, possibly as a midnight in UTC."""
        if time.clock != UTC_CLOCK or time.is_floating:
            return {time.reading // DAY}
        days = {
            one // DAY for one in (time.reading, self.host.reading(time.reading)) if one % DAY == 0
        }
        return days if len(days) == 1 else set()

    def _ranges(self, series: Series, ranges: Sequence[Properties]) -> list[tuple[int, Properties]]:
        """Return the starts of "this and following" changes in a series, earliest first."""
        found = []
        for override in ranges:
            for times in self._named(override, "RECURRENCE-ID"):
                time = times[min(series.reading[0], len(times) - 1)]
                if time.clock != series.start.clock and not (time.is_date or time.is_floating):
                    if not (time.clock.is_certain and series.start.clock.is_certain):
                        continue
                    at = series.start.clock.reading(time.clock.instants(time.reading)[0])
                else:
                    at = time.reading
                found.append((at, override))
        return sorted(found, key=lambda one: one[0])

    def _farthest_move(self, ranges: Sequence[Properties]) -> int:
        """Return the largest shift of occurrences by such changes."""
        found = [0]
        for override in ranges:
            for times in self._named(override, "RECURRENCE-ID"):
                if "DTSTART" in override:
                    try:
                        starts = self._times(override["DTSTART"][0], override["DTSTART"][0].value)
                    except ValueError:
                        continue  # refused elsewhere, if it is busy
                    found.append(abs(starts[0].reading - times[0].reading) + DAY)
        return max(found)

    def _move(
        self, series: Series, ranges: Sequence[Properties], email: str, *, is_only: bool
    ) -> None:
        """Move an occurrence and those after it (RANGE=THISANDFUTURE)."""
        begins = self._ranges(series, ranges)
        kept = dict(series.times)
        for reading in series.times:
            latest = [one for one in begins if one[0] <= reading][-1:]
            for at, override in latest:
                if is_only:
                    del kept[reading]
                if not _takes_time(override, email):
                    continue
                for number, start in enumerate(self._starts(override)):
                    by = start.reading
                    if start.clock != series.start.clock:
                        by = series.start.clock.reading(start.clock.instants(by)[1])
                    lengths = self._lengths(override, start, number)
                    moved = reading + by - at
                    if start.is_date != series.start.is_date:
                        day = Time(moved // DAY * DAY, self.host, is_date=True)
                        series.more.append((day, lengths))
                    kept[moved] = (*kept.get(moved, ()), *lengths)
        series.times = kept

    # -- Times ----------------------------------------------------------------------------------

    def _times(self, given: Property, text: str) -> list[Time]:
        """Return a time in all its readings, most likely first; raise ValueError."""
        reading, is_date, offset = reading_of(text)
        if is_date:
            return [Time(reading, self.host, is_date=True)]
        name = given.parameter("TZID")
        clocks = list(self.zones.clocks(name)) if name else []
        note = ""
        if offset is not None:
            stated = UTC_CLOCK if offset == 0 else fixed(offset)
            note = TWO_ZONES if any(one != stated for one in clocks) else ""
            clocks = [stated, *(one for one in clocks if one != stated)]
        found = [
            Time(reading, clock, is_floating=not name and offset is None, note=note)
            for clock in clocks or self.floating
        ]
        if given.parameter("VALUE").upper() == "DATE":
            found.append(Time(reading // DAY * DAY, self.host, is_date=True))
        return found

    def _spans(self, series: Series) -> Iterator[tuple[int, int, Iterable[str]]]:
        times = [(replace(series.start, reading=at), each) for at, each in series.times.items()]
        for time, lengths in times + series.more:
            notes = [*series.notes, time.note, time.clock.note]
            for length in lengths:
                yield (*self._span(time, length), notes)

    def _span(self, time: Time, length: Length) -> tuple[int, int]:
        if time.is_date:
            return self._days(time.reading, length)
        return self._hours(time.reading, time.clock, length)

    def _days(self, reading: int, length: Length) -> tuple[int, int]:
        """Return the whole days of an event, by the host's calendar (slots.md R8).

        Some programs end a whole day on its own date, although RFC 5545 requires the next one.
        """
        first = (reading + length.before) // DAY
        last = max(-(-(reading + length.after) // DAY), reading // DAY + 1)
        return self.host.instants(first * DAY)[0], self.host.instants(last * DAY)[1]

    def _hours(self, reading: int, clock: Clock, length: Length) -> tuple[int, int]:
        """Return the span of an event, the longer one if a clock change makes it ambiguous."""
        begins, latest = clock.instants(reading)
        if length.is_rest_of_day:
            by_host = self.host.reading(latest) // DAY * DAY + DAY
            by_event = reading // DAY * DAY + DAY
            return begins, max(self.host.instants(by_host)[1], clock.instants(by_event)[1])
        if not (length.before or length.after or length.elapsed):
            return begins, begins
        ends = clock.instants(reading + length.after)[1]
        if length.elapsed or ends <= begins:
            ends = max(ends, latest + (length.elapsed or length.after))
        return min(begins + length.before, clock.instants(reading + length.before)[0]), ends

    # -- Free-busy ------------------------------------------------------------------------------

    def _free_busy(self) -> Iterator[tuple[int, int, Iterable[str]]]:
        """Yield published busy periods, and the time outside of their range."""
        told: list[Interval] = []
        try:
            for part in self.calendar.free_busy:
                since = max(
                    (last for _, last in self._instants(part, "DTSTART")), default=self.since
                )
                until = min(
                    (first for first, _ in self._instants(part, "DTEND")), default=self.until
                )
                told.append((since, until))
                for given in part.get("FREEBUSY", ()):
                    if given.parameter("FBTYPE").upper() != "FREE":
                        yield from self._periods(given)
        except ValueError:
            raise NotUnderstood("it contains a free-busy period that cannot be read") from None
        if self.calendar.free_busy:
            at = self.since
            for a, b in merge([*told, (self.until, self.until + 1)]):
                note = SILENT.format(from_microseconds(at)) if at > self.since else ""
                yield at, a, [note]
                at = b

    def _instants(self, part: Properties, name: str) -> list[tuple[int, int]]:
        return [
            time.clock.instants(time.reading)
            for given in part.get(name, ())
            for time in self._times(given, given.value)
        ]

    def _periods(self, given: Property) -> Iterator[tuple[int, int, Iterable[str]]]:
        for text in given.value.split(","):
            if not text.strip():
                continue
            first, _, last = text.partition("/")
            for time in self._times(given, first):
                for length in self._period(given, time, last):
                    yield (*self._span(time, length), [time.note, time.clock.note])


def _lasting(text: str) -> Length:
    """Return the length of a DURATION; a negative one extends in both directions."""
    try:
        length = length_of(text)
    except ValueError:
        return Length(is_rest_of_day=True, note=NO_END)
    if length < 0:
        return Length(before=length, after=-length, note=BACKWARD)
    return Length(after=length, elapsed=length)


def _with_travel(length: Length, text: str) -> Length:
    """Return an event's length with the time to get there, which Apple stores apart."""
    try:
        return replace(length, before=length.before - abs(length_of(text)))
    except ValueError:
        return replace(length, before=length.before - DAY, note=NO_TRAVEL)


def _takes_time(event: Properties, email: str) -> bool:
    """Say whether an event blocks its time; repeated properties must agree that it doesn't."""

    def says(name: str, *words: str) -> bool:
        values = {one.value.strip().upper() for one in event.get(name, ())}
        return bool(values) and values <= set(words)

    if says("STATUS", "CANCELLED", "CANCELED"):
        return False
    if OUTLOOK_STATUS in event:  # Exchange then ignores TRANSP (MS-OXCICAL, TRANSP)
        if says(OUTLOOK_STATUS, *OUTLOOK_FREE):
            return False
    elif says("TRANSP", "TRANSPARENT"):
        return False
    answers = [
        one.parameter("PARTSTAT").upper()
        for one in event.get("ATTENDEE", ())
        if email
        and email
        in {one.value.casefold().removeprefix("mailto:"), one.parameter("EMAIL").casefold()}
    ]
    return not answers or any(answer != "DECLINED" for answer in answers)


def _uid(event: Properties) -> str:
    """Return an event's original UID; empty if it has none or several.

    Exchange packs the UID of a foreign event into one of its own (MS-OXOCAL, PidLidGlobalObjectId).
    """
    values = {one.value.strip() for one in event.get("UID", ())}
    uid = values.pop() if len(values) == 1 else ""
    if EXCHANGE.fullmatch(uid) and len(uid) % 2 == 0:
        found = BY_EXCHANGE.search(bytes.fromhex(uid))
        return found[1].decode("utf-8", "replace") if found else uid
    return uid


def _is_range(override: Properties) -> bool:
    return any(
        one.parameter("RANGE").upper() == "THISANDFUTURE" for one in override["RECURRENCE-ID"]
    )
