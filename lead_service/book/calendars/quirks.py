"""Slips of well-known calendar programs, put right before and after a file is parsed. Pure.

Each is mended in the way that keeps more time busy; what is not known here stays as it is, and
`parse` refuses what it then cannot read.
"""

import re
from datetime import UTC, date, datetime, timedelta

from icalendar import vText
from icalendar.cal import Component
from icalendar.timezone import tzp

BOM = b"\xef\xbb\xbf"
FOLD = re.compile(rb"\r?\n[ \t]")  # RFC 5545, section 3.1
# Exchange and Google write zones with a colon in them and no quotes: TZID=tzone://Microsoft/Utc,
# TZID=GMT+05:30. A date holds no colon, so the value begins after the last one.
BARE_ZONE = re.compile(
    rb"((?:DTSTART|DTEND|RECURRENCE-ID|RDATE|EXDATE);(?:[^\":]*;)?TZID=)"
    rb"([^\";]*:[^\";:]*)((?:;[^\":]*)?:[^\":]*)",
    re.IGNORECASE,
)
UTC_BY_EXCHANGE = re.compile(rb"tzone://Microsoft/Utc", re.IGNORECASE)
ESSENTIAL = {"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RDATE", "RRULE"}


def repair_text(content: bytes) -> bytes:
    """Return a calendar file in unfolded lines, its zones quoted, without a BOM and alarms.

    An alarm takes no time, and is what programs most often write wrongly.
    """
    kept, in_alarm = [], False
    for line in FOLD.sub(b"", content.removeprefix(BOM)).splitlines():
        word = line.strip().upper()
        in_alarm = in_alarm or word == b"BEGIN:VALARM"
        if not in_alarm:
            kept.append(_quoted(UTC_BY_EXCHANGE.sub(b"UTC", line)))
        in_alarm = in_alarm and word != b"END:VALARM"
    return b"\r\n".join([*kept, b""])


def repair_zone(calendar: Component) -> bool:
    """Give the zone that a file names for all (X-WR-TIMEZONE) by its IANA name.

    False when it has none that is known: then no time may be read by it.
    """
    if "X-WR-TIMEZONE" not in calendar:
        return True
    zone = tzp.timezone(str(calendar.pop("X-WR-TIMEZONE")).strip())
    if zone is not None:
        calendar["X-WR-TIMEZONE"] = vText(str(zone))
    return zone is not None


def time_of(event: Component, name: str) -> date:
    """Return the date or the instant of an event's property; TypeError for any other value."""
    at = getattr(event[name], "dt", None)
    if not isinstance(at, date):
        raise TypeError(name)
    return at


def repair_event(event: Component) -> None:
    """Drop what is broken and does not matter; read an UNTIL as it is meant.

    An exception that cannot be read is none. `event` has a DTSTART.
    """
    for name, _ in event.errors:  # without a name, it is a line that is no property at all
        if name and name not in ESSENTIAL:
            event.pop(name, None)
    start, rules = time_of(event, "DTSTART"), event.get("RRULE") or []
    if not isinstance(start, datetime):
        return
    for rule in rules if isinstance(rules, list) else [rules]:
        rule["UNTIL"] = [_meant(until, start) for until in rule.get("UNTIL", [])]
        if not rule["UNTIL"]:
            del rule["UNTIL"]


def _quoted(line: bytes) -> bytes:
    found = BARE_ZONE.fullmatch(line)
    return b'%b"%b"%b' % found.groups() if found else line


def _meant(until: date, start: datetime) -> date:
    """Read "until the 12th" with the 12th, and a time without a zone by the event's own clock.

    RFC 5545, section 3.3.10, wants UTC for an event that has a zone; not all write it so.
    """
    if not isinstance(until, datetime):
        return until + timedelta(days=1)
    if until.tzinfo or not start.tzinfo:
        return until
    return max(until.replace(tzinfo=start.tzinfo).astimezone(UTC), until.replace(tzinfo=UTC))
