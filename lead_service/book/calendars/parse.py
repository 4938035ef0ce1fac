"""Work out from a calendar file (RFC 5545) when it has its owner busy: times alone, nothing else.

What cannot be read is never free: one event that is not understood refuses the whole file, and
the copy that was good before it stays.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar.cal import Component
from icalendar.prop import vDDDLists, vDDDTypes

from ..availability.intervals import Interval, from_microseconds, merge, to_microseconds
from ..availability.slots import Busy, all_day
from .quirks import ESSENTIAL, repair_event, repair_text, repair_zone, time_of

MOST_EVENTS = 20_000  # in the file; what repeats counts once
MOST_TIMES = 50_000  # of them in the span
MARGIN = timedelta(days=2)  # floating times and whole days lie in the host's zone, not in UTC
TIMES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RDATE", "EXDATE")
LASTING = {"DURATION", "RRULE", "RDATE", "RECURRENCE-ID"}  # with these, more than two times count
A_DAY = timedelta(days=1)


class NotUnderstood(ValueError):
    """A file that is no calendar, or holds what we cannot read; the text says which."""


def busy_times(
    content: bytes, zone: str, start: datetime, end: datetime, ours: Collection[str] = ()
) -> list[Busy]:
    """Return the busy times in [start, end), merged and sorted, in UTC.

    Left out are transparent and cancelled events and those whose UID is in `ours`: bookings that
    we know better than the calendar they were mailed to. `zone`, an IANA name, is the host's: its
    dates are what an all-day event means, and its clock reads times that name no zone, unless
    the file names one for all (X-WR-TIMEZONE). Raises NotUnderstood.
    """
    found: list[Interval] = []
    for calendar in _calendars(content):
        for busy in _of_calendar(calendar, zone, start, end, ours):
            found.append(
                (
                    max(to_microseconds(busy.start), to_microseconds(start)),
                    to_microseconds(busy.end),
                )
            )
            if len(found) > MOST_TIMES:
                raise NotUnderstood("holds more events than we can work out")
    until = to_microseconds(end)
    return [
        Busy(from_microseconds(a), from_microseconds(min(b, until)))
        for a, b in merge(found)
        if a < until
    ]


def _calendars(content: bytes) -> list[Calendar]:
    """Parse a file of one or more calendars, and refuse what is none or is cut short."""
    content = repair_text(content)
    lines = [line.strip().upper() for line in content.splitlines()]
    for kind in (b"VCALENDAR", b"VEVENT", b"VFREEBUSY"):
        if lines.count(b"BEGIN:" + kind) != lines.count(b"END:" + kind):
            raise NotUnderstood("is not a complete calendar")
    if lines.count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise NotUnderstood(f"holds more than {MOST_EVENTS} events")
    try:
        found = Calendar.from_ical(content, multiple=True)
    except MemoryError:
        raise
    except Exception:  # the parser's many errors: broken zones alone have several
        raise NotUnderstood("is not a calendar") from None
    if not found or any(calendar.name != "VCALENDAR" for calendar in found):
        raise NotUnderstood("is not a calendar")
    return found


def _of_calendar(
    calendar: Component, zone: str, start: datetime, end: datetime, ours: Collection[str]
) -> Iterator[Busy]:
    try:
        with_length, may_float = set(), repair_zone(calendar)
        for event in calendar.walk("VEVENT"):
            _refuse_unreadable(event)
            if _takes_time(event, ours) and not _is_over(event, start - MARGIN):
                _refuse_unknown_zone(event, may_float)
            repair_event(event)
            if "DURATION" in event:
                with_length.add(event.get("UID"))
        for event in recurring_ical_events.of(calendar).between(start - MARGIN, end + MARGIN):
            if _takes_time(event, ours):
                yield _span(event.start, event.end, zone, event.get("UID") in with_length)
        yield from _of_free_busy(calendar, zone)
    except NotUnderstood:
        raise
    except Exception as error:  # the libraries' many errors: all mean the same
        raise NotUnderstood(
            f"holds an event that cannot be read ({type(error).__name__})"
        ) from None


def _refuse_unreadable(event: Component) -> None:
    broken = {name for name, _ in event.errors}
    if broken & ESSENTIAL or "DTSTART" not in event:
        raise NotUnderstood("holds an event that cannot be read")


def _refuse_unknown_zone(event: Component, may_float: bool) -> None:
    """Refuse times by a clock that nobody knows; `may_float` is whether the host's can be meant."""
    for name in set(TIMES) - {name for name, _ in event.errors}:
        values = event.get(name) or []
        for value in values if isinstance(values, list) else [values]:
            is_named = "TZID" in value.params or not may_float
            if is_named and any(_is_floating(time) for time in _all_of(value)):
                raise NotUnderstood("holds an event in a time zone that is not known")


def _is_over(event: Component, before: datetime) -> bool:
    """Say whether an event took place once, and long ago, whatever its zone."""
    if LASTING & event.keys():
        return False
    times = [time_of(event, name) for name in ("DTSTART", "DTEND") if name in event]
    return all(_in_utc(one) < before for one in times)


def _in_utc(at: date) -> datetime:
    """Read a date or a clock time, of whatever zone, as one of UTC."""
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else datetime.combine(at, time(), UTC)


def _all_of(value: vDDDTypes | vDDDLists) -> Iterable[object]:
    return [one.dt for one in value.dts] if isinstance(value, vDDDLists) else [value.dt]


def _is_floating(time: object) -> bool:
    return isinstance(time, datetime) and time.tzinfo is None


def _takes_time(event: Component, ours: Collection[str]) -> bool:
    is_off = str(event.get("STATUS", "")).upper() == "CANCELLED"
    is_clear = str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    return not (is_off or is_clear or str(event.get("UID", "")) in ours)


def _of_free_busy(calendar: Component, zone: str) -> Iterator[Busy]:
    """Read what some servers publish in place of events: periods, with or without reasons."""
    for part in calendar.walk("VFREEBUSY"):
        if part.errors:
            raise NotUnderstood("holds a free-busy period that cannot be read")
        periods = part.get("FREEBUSY") or []
        for period in periods if isinstance(periods, list) else [periods]:
            if str(period.params.get("FBTYPE", "BUSY")).upper() != "FREE":
                yield _span(period.start, period.end, zone)


def _span(start: date, end: date, zone: str, has_length: bool = False) -> Busy:
    """Make the busy time of one occurrence; a date means its midnight, or all of it.

    A length is elapsed time (RFC 5545, section 3.3.6), where the library adds it on the clock:
    over a clock change the longer of the two counts. So it does for a start that a clock skips.
    Some programs end a whole day on its own date, where RFC 5545 wants the next one.
    """
    if not isinstance(start, datetime) and not isinstance(end, datetime):
        return all_day(start, max(end, start + A_DAY), zone)
    begins, ends = _utc(start, zone, fold=0), _utc(end, zone, fold=1)
    if isinstance(start, datetime) and isinstance(end, datetime) and (has_length or ends <= begins):
        ends = max(ends, begins + (end.replace(tzinfo=None) - start.replace(tzinfo=None)))
    return Busy(begins, ends)


def _utc(time: date, zone: str, fold: int) -> datetime:
    """Give the instant of a time; where a floating one is read twice, the outer of the two."""
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day)
    if time.tzinfo is None:
        time = time.replace(tzinfo=ZoneInfo(zone), fold=fold)
    return time.astimezone(UTC)
