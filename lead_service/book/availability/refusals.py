"""Explain why a start can't be booked, to the visitor, to the team, and on the desk.

Pure. The sentences must be true: a calendar that cannot be read is an outage, not another
booking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...formats import clock_time, moment, short_date, wall_time
from .month import date_in
from .slots import Unavailable, UnavailableReason

BOOKED = Unavailable(UnavailableReason.BOOKED)  # another booking took a time cell first
HELD = Unavailable(UnavailableReason.HELD)
NOBODY = "No one is taking these calls right now."
NO_CALLS_THEN = "We don\u2019t take calls at that time."
# The visitor reads the first of these that applies to any host.
TO_VISITOR = {
    UnavailableReason.BOOKED: "That time is already booked. If you booked it, our email has the"
    " link to your call.",
    UnavailableReason.LIMIT: "No more calls are available on that day.",
    UnavailableReason.BUSY: "The host\u2019s calendar has something else at that time.",
    UnavailableReason.UNREAD: "We can\u2019t read the host\u2019s calendar right now, so we"
    " can\u2019t promise that time.",
    UnavailableReason.NOTICE: "That time is too soon: we need more notice.",
    UnavailableReason.HORIZON: "That time is too far ahead. Choose an earlier one.",
    UnavailableReason.PAST: "That time has passed.",
}
TO_TEAM = {
    UnavailableReason.BOOKED: "{host} has another call then",
    UnavailableReason.HELD: "it may be spam, and too many such calls are held already",
    UnavailableReason.LIMIT: "{host} takes no more calls on that day",
    UnavailableReason.BUSY: "the calendar \u201c{name}\u201d of {host} is busy then",
    UnavailableReason.UNREAD: "the calendar \u201c{name}\u201d of {host} can\u2019t be read",
}

ON_DESK = {
    UnavailableReason.PAST: "That time has passed.",
    UnavailableReason.NOTICE: "That is too soon. Visitors have to book at least {length} ahead."
    " The earliest time is {start}.",
    UnavailableReason.HORIZON: "That is too far ahead. Visitors can book up to {days} ahead, until"
    " {day}.",
    UnavailableReason.OVERRIDE: "{day} has special hours, and this time is outside them.",
    UnavailableReason.HOLIDAY: "{day} is a public holiday: {name}.",
    UnavailableReason.TIME_OFF: "The host is off {dates}.",
    UnavailableReason.HOURS: "Outside the host\u2019s hours. The host isn\u2019t"
    " available{around}.",
    UnavailableReason.GRID: "No call can start at that time. Calls start every {length} from"
    " {opens}.",
    UnavailableReason.LENGTH: "The call would not end in time. It takes {length}, and the hours"
    " end at {time}.",
    UnavailableReason.LIMIT: "{day} is full: the limit is {calls} a day.",
    UnavailableReason.HELD: "Too many calls that may be spam are waiting. Release or cancel some.",
    UnavailableReason.BOOKED: "The host has another call {span}, including buffers.",
    UnavailableReason.BUSY: "The calendar \u201c{name}\u201d is busy {span}.",
    UnavailableReason.UNREAD: "We don\u2019t know whether the calendar \u201c{name}\u201d is free"
    " at that time, so visitors can\u2019t book it.",
}
BEYOND = "That is too far ahead. Choose an earlier time."
CLOSED = "Outside the host\u2019s hours. The host isn\u2019t available near this time."
SHOWN = range(1970, 9000)  # years; later times count as endless
INSTANT = timedelta(microseconds=1)
UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))


@dataclass(frozen=True)
class Refusal:
    """Why one host, by name, can't take a call."""

    host: str
    reason: Unavailable


def to_visitor(refusals: Sequence[Refusal]) -> str:
    """Tell the visitor why no host can take the call."""
    kinds = {one.reason.kind for one in refusals}
    if len(kinds) > 1:  # no single reason applies to all hosts
        kinds -= {UnavailableReason.NOTICE, UnavailableReason.HORIZON}
    found = (sentence for kind, sentence in TO_VISITOR.items() if kind in kinds)
    return next(found, NO_CALLS_THEN if refusals else NOBODY)


def was_offered(refusals: Sequence[Refusal]) -> bool:
    """Say whether a start was offered before something was booked or read from a calendar."""
    return any(one.reason.kind in TO_TEAM for one in refusals)


def to_team(refusals: Sequence[Refusal]) -> str:
    """Return what blocked each host, as the end of a sentence."""
    parts = [
        TO_TEAM[one.reason.kind].format(host=one.host, name=one.reason.name)
        for one in refusals
        if one.reason.kind in TO_TEAM
    ]
    return "; ".join(parts) or "it is not available anymore"


def on_desk(reason: Unavailable, zone: str, now: datetime) -> str:
    """Say in one sentence why a host in `zone` doesn't offer a start, and what blocks it."""
    start, end = (at if at and at.year in SHOWN else None for at in (reason.start, reason.end))
    count, opens = reason.count or 0, reason.opens
    if reason.kind is UnavailableReason.HORIZON and reason.day is None:
        return BEYOND
    if reason.kind is UnavailableReason.HOURS and not (start or end):
        return CLOSED
    since, until = (moment(at, zone, now) if at else "" for at in (start, end))
    days = [short_date(date_in(zone, at)) for at in (start, end and end - INSTANT) if at]
    is_one_day = len(set(days)) == 1
    return ON_DESK[reason.kind].format(
        name=reason.name,
        day=short_date(reason.day) if reason.day else "",
        length=length(count),
        days=length(count * 1440),
        calls="1 call" if count == 1 else f"{count} calls",
        opens=wall_time(opens) if opens else "",
        start=since,
        time=clock_time(start, zone) if start else "",
        around=" " + _span(since, until),
        span=_span(since, clock_time(end, zone) if end and is_one_day else until),
        dates=f"on {days[0]}" if is_one_day else "from " + " to ".join(days),
    )


def _span(since: str, until: str) -> str:
    if since and until:
        return f"from {since} to {until}"
    return f"from {since} on" if since else f"until {until}" if until else "at all times"


def length(minutes: int) -> str:
    """Write a length in the largest unit that divides it: 2 days, 4 hours, 90 minutes."""
    fitting = (one for one in UNITS if minutes >= one[0] and minutes % one[0] == 0)
    size, unit = next(fitting, UNITS[-1])
    return f"{minutes // size} {unit}{'s' if minutes != size else ''}"
