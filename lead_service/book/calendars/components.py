"""Split a calendar file (RFC 5545) into its events, free-busy parts and time zones. Pure.

Only properties that describe busy time are kept. What takes no time (to-dos, alarms, lines
of the calendar itself, text around it) is skipped, and its mistakes decide nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

NAME = re.compile(rb"(?:\xef\xbb\xbf)*\s*([A-Za-z][A-Za-z0-9-]*)\s*([;:].*)", re.DOTALL)
TIME_KINDS = {"VEVENT", "VFREEBUSY"}
KEPT = {
    "VCALENDAR": {"X-WR-TIMEZONE"},
    "VTIMEZONE": {"TZID"},
    "STANDARD": {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"},
    "VEVENT": {
        *("UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
        *("STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS", "ATTENDEE", "X-APPLE-TRAVEL-DURATION"),
    },
    "VFREEBUSY": {"DTSTART", "DTEND", "FREEBUSY"},
}
KEPT["DAYLIGHT"] = KEPT["STANDARD"]
REPEATS = {"RRULE", "RDATE", "RECURRENCE-ID", "DURATION"}  # with these, an event may last
# A date or a time, in the form of RFC 5545 (20261208T090000Z) or ISO 8601.
TIME = (
    r"\d{4}-?\d\d-?\d\d"
    r"(?:[T ]\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?\s*(?:Z|[+-]\d\d:?\d\d)?)?"
)
PERIOD = rf"{TIME}(?:\s*/\s*(?:{TIME}|[+-]?P[\dWDTHMS]+))?"
TIMES = re.compile(rf"\s*{PERIOD}(?:\s*,\s*{PERIOD})*[\s,;]*", re.IGNORECASE)
COLON = re.compile(r'"[^"]*"|:')
A_DATE = re.compile(rb":\s*(\d{4})-?(\d\d)-?(\d\d)(?!\d)")


class NotUnderstood(ValueError):
    """The file is not a calendar, or has unbounded times; the message says which."""


@dataclass(frozen=True)
class Property:
    """The rest of a line after a property's name: its parameters, the colon and its value."""

    text: str

    @cached_property
    def _parts(self) -> tuple[str, str]:
        """Split at the colon before the value.

        Programs write zones with a bare colon (TZID=GMT+05:30, tzone://Microsoft/Utc), so the
        first colon that is followed by times alone counts before the first one.
        """
        colons = [found.start() for found in COLON.finditer(self.text) if found[0] == ":"]
        at = next((one for one in colons if TIMES.fullmatch(self.text, one + 1)), None)
        at = (colons or [len(self.text)])[0] if at is None else at
        return self.text[:at], self.text[at + 1 :].strip()

    @property
    def value(self) -> str:
        return self._parts[1]

    def parameter(self, name: str) -> str:
        """Return a parameter's value without quotes; empty if it is missing."""
        found = re.search(
            rf";\s*{name}\s*=\s*(\"[^\"]*\"|[^;]*)", self._parts[0], flags=re.IGNORECASE
        )
        return found[1].strip().strip('"') if found else ""


Properties = dict[str, tuple[Property, ...]]


@dataclass
class CalendarFile:
    """One VCALENDAR of a file."""

    zone_names: list[str] = field(default_factory=list)  # X-WR-TIMEZONE
    zones: dict[str, list[list[Properties]]] = field(default_factory=dict)  # by `plain_name`
    events: list[Properties] = field(default_factory=list)
    free_busy: list[Properties] = field(default_factory=list)


def plain_name(zone: str) -> str:
    """Normalize a zone's name for comparison."""
    return " ".join(zone.replace("\\", "").strip().strip('"').split()).casefold()


def split(content: bytes, before: date) -> list[CalendarFile]:
    """Return the calendars of a file, without single events before a date.

    Raises NotUnderstood for a file that is not a calendar, and if it is uncertain which lines are
    an event's: when a component is truncated, or nested in another event.
    """
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        content = content.decode("utf-16", "replace").encode()
    if b"\0" in content:
        content = content.replace(b"\0", b"")
    splitter = _Splitter(f"{before:%Y%m%d}".encode())
    for line in _logical_lines(content):
        splitter.take(line)
    return splitter.finish()


def _logical_lines(content: bytes) -> Iterator[bytes]:
    """Yield unfolded lines (RFC 5545, section 3.1), without empty ones."""
    parts: list[bytes] = []
    for found in re.finditer(rb"[^\r\n]+", content):
        line = found[0]
        if line[0] in b" \t":
            parts.append(line[1:])
            continue
        yield b"".join(parts)
        parts = [line]
    yield b"".join(parts)


class _Splitter:
    """Parse the components of a file, line by line."""

    def __init__(self, before: bytes) -> None:
        self.before = before
        self.found: list[CalendarFile] = []
        self.open: list[str] = []  # kinds of components, the outermost first
        self.raw: dict[str, list[bytes]] = {}  # of the innermost open component
        self.zone: dict[str, list[bytes]] = {}
        self.observances: list[dict[str, list[bytes]]] = []

    def take(self, line: bytes) -> None:
        found = NAME.match(line)
        if not found:
            return
        name = found[1].decode().upper()
        if name == "BEGIN":
            self._begin(_kind(found[2]))
        elif name == "END":
            self._end(_kind(found[2]))
        elif self.open and name in KEPT.get(self.open[-1], ()):
            if self.open[-1] == "VCALENDAR":
                self.found[-1].zone_names.append(Property(_text(found[2])).value)
            else:
                self.raw.setdefault(name, []).append(found[2])

    def finish(self) -> list[CalendarFile]:
        if self.open:
            raise NotUnderstood("it is not a complete calendar")
        if not self.found:
            raise NotUnderstood("it is not a calendar")
        return self.found

    def _begin(self, kind: str) -> None:
        is_inside_event = bool(TIME_KINDS & set(self.open))
        if kind == "VCALENDAR" and not self.open:
            self.found.append(CalendarFile())
        elif kind == "VCALENDAR" or (kind in TIME_KINDS and (is_inside_event or not self.open)):
            raise NotUnderstood("it is not a complete calendar")
        elif not self.open:
            return  # text outside of calendars
        if kind == "VTIMEZONE":
            self.zone, self.observances = {}, []
        elif self.open and self.open[-1] == "VTIMEZONE":
            self.zone = self.raw
        if not is_inside_event:  # otherwise a part of an event, such as an alarm
            self.raw = {}
        self.open.append(kind)

    def _end(self, kind: str) -> None:
        if kind not in self.open:
            if kind in TIME_KINDS or TIME_KINDS & set(self.open):
                raise NotUnderstood("it is not a complete calendar")
            if self.open and self.open[-1] == "VTIMEZONE":
                self.observances.append({})  # the zone is invalid
            return
        is_last = self.open[-1] == kind
        if not is_last and (kind in TIME_KINDS or TIME_KINDS & set(self.open)):
            raise NotUnderstood("it is not a complete calendar")
        while self.open.pop() != kind:
            pass  # an unclosed component without busy time
        if is_last:
            self._keep(kind)

    def _keep(self, kind: str) -> None:
        """Keep a closed component; an unclosed one is dropped."""
        calendar = self.found[-1]
        if kind in {"STANDARD", "DAYLIGHT"} and self.open[-1] == "VTIMEZONE":
            self.observances.append(self.raw)
            self.raw = self.zone
        elif kind == "VTIMEZONE":
            for name in _properties(self.raw).get("TZID", ()):
                zone = [_properties(one) for one in self.observances]
                same = calendar.zones.setdefault(plain_name(name.text.lstrip(":")), [])
                if zone not in same:
                    same.append(zone)
        elif kind == "VEVENT" and not self._is_over():
            calendar.events.append(_properties(self.raw))
        elif kind == "VFREEBUSY":
            calendar.free_busy.append(_properties(self.raw))

    def _is_over(self) -> bool:
        """Say whether an event doesn't repeat and is past in every zone."""
        if REPEATS & self.raw.keys() or "DTSTART" not in self.raw:
            return False
        for line in self.raw["DTSTART"] + self.raw.get("DTEND", []):
            found = [b"".join(one) for one in A_DATE.findall(line)]
            if not found or max(found) >= self.before:
                return False
        return True


def _kind(text: bytes) -> str:
    return _text(text).lstrip(":").strip().upper()


def _text(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _properties(raw: dict[str, list[bytes]]) -> Properties:
    return {name: tuple(Property(_text(one)) for one in lines) for name, lines in raw.items()}
