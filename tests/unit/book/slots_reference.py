"""A slow reference of the slot engine that checks every minute.

Written from rules R1 to R13, not from the engine, for zones whose offset is whole minutes.
"""

import struct
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

from lead_service.book.availability.intervals import Hours
from lead_service.book.availability.slots import Booked, Busy, Rules

MINUTE = timedelta(minutes=1)
ONE_DAY = timedelta(days=1)


def reference_starts(
    hours: Hours,
    rules: Rules,
    *,
    now: datetime,
    start: datetime,
    end: datetime,
    busy: tuple[Busy, ...] = (),
    bookings: tuple[Booked, ...] = (),
    moving: object = None,
) -> list[datetime]:
    """Check for each whole minute in [start, end) whether it is open (R13)."""
    host = _Host(hours)
    others = [booked for booked in bookings if moving is None or booked.id != moving]  # R12
    at = start.replace(second=0, microsecond=0)
    found = []
    while at < end:
        if (
            at >= start
            and at >= now + rules.notice * MINUTE  # R9
            and host.on_grid(at, rules.interval)
            and all(host.is_open(at + n * MINUTE) for n in range(rules.duration))  # R6
            and _is_clear(at, rules, busy, others)
            and _date_is_offered(host, at, rules, now, others)
        ):
            found.append(at)
        at += MINUTE
    return found


class _Host:
    """The host's wall clock with its open minutes, computed once per minute."""

    def __init__(self, hours: Hours):
        self.hours = hours
        self.zone = ZoneInfo(hours.zone)
        self.open_minutes = lru_cache(None)(self._open_minutes)
        self.readings = lru_cache(None)(self._readings)

    def date_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _readings(self, at: datetime) -> list[tuple[date, int]]:
        """Read the clock twice: 00:30 of a date is also 24:30 of the date before."""
        wall = at.astimezone(self.zone)
        minute = wall.hour * 60 + wall.minute
        return [(wall.date(), minute), (wall.date() - ONE_DAY, minute + 1440)]

    def _open_minutes(self, day: date) -> set[int]:
        """Mark the minutes of the windows that start on this date (R1, R2, R3)."""
        windows = self.hours.weekly.get(day.weekday(), ())
        if day in self.hours.overrides:
            windows = self.hours.overrides[day]
        marked = {minute for window in windows for minute in range(window.start, window.end)}
        if day + ONE_DAY in self.hours.overrides:
            marked = {minute for minute in marked if minute < 1440}
        return marked

    def is_open(self, at: datetime) -> bool:
        """R4: the reading lies in a window."""
        return any(minute in self.open_minutes(day) for day, minute in self.readings(at))

    def on_grid(self, at: datetime, interval: int) -> bool:
        """R5: whole intervals after the first of the unbroken open minutes of the same date."""
        for day, minute in self.readings(at):
            marked = self.open_minutes(day)
            first = minute
            while first - 1 in marked:
                first -= 1
            if minute in marked and (minute - first) % interval == 0:
                return True
        return False


def _is_clear(at: datetime, rules: Rules, busy: tuple[Busy, ...], others: list[Booked]) -> bool:
    """R7 and R8: nothing of positive length overlaps the padded call."""
    start = at - rules.buffer_before * MINUTE
    end = at + (rules.duration + rules.buffer_after) * MINUTE
    taken = [(event.start, event.end) for event in busy]
    for other in others:
        over = other.start + other.duration * MINUTE
        taken.append(
            (other.start - other.buffer_before * MINUTE, over + other.buffer_after * MINUTE)
        )
    return not any(begins < ends and begins < end and start < ends for begins, ends in taken)


def _date_is_offered(
    host: _Host, at: datetime, rules: Rules, now: datetime, others: list[Booked]
) -> bool:
    """R10 and R11: not beyond the horizon, not on a date that is full."""
    day = host.date_of(at)
    if rules.horizon_days is not None and day > host.date_of(now) + rules.horizon_days * ONE_DAY:
        return False
    made = sum(host.date_of(other.start) == day for other in others)
    return rules.daily_limit is None or made < rules.daily_limit


@lru_cache(None)
def clock_changes(name: str, first: int, last: int) -> tuple[datetime, ...]:
    """Find the clock changes of a zone in the years [first, last), to the minute.

    Two changes within ten days that cancel each other are missed: no zone has had any.
    """
    zone = ZoneInfo(name)
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    found = []
    while at < end:
        early, late = at, at + 10 * ONE_DAY
        if _offset(zone, early) != _offset(zone, late):
            while late - early > MINUTE:
                half = early + (late - early) / 2
                if _offset(zone, half) == _offset(zone, at):
                    early = half
                else:
                    late = half
            found.append(late.replace(second=0, microsecond=0))
        at += 10 * ONE_DAY
    return tuple(found)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    ahead = at.astimezone(zone).utcoffset()
    assert ahead is not None
    return ahead


def transitions(name: str) -> list[int]:
    """Read from the compiled file (RFC 8536) when, in epoch seconds, the zone's offset changes."""
    data = _compiled(name)
    header = struct.Struct(">4sc15x6l")  # magic, version, then six counts
    _, _, utc, standard, leaps, times, types, letters = header.unpack_from(data)
    second = header.size + times * 5 + types * 6 + letters + leaps * 8 + standard + utc
    *_, times, types, _ = header.unpack_from(data, second)
    body = second + header.size
    instants = struct.unpack_from(f">{times}q", data, body)
    kinds = data[body + times * 8 : body + times * 9]
    offsets = [
        struct.unpack_from(">l", data, body + times * 9 + kind * 6)[0] for kind in range(types)
    ]
    before = [offsets[0]] + [offsets[kind] for kind in kinds]
    return [
        at for at, old, kind in zip(instants, before, kinds, strict=False) if offsets[kind] != old
    ]


def _compiled(name: str) -> bytes:
    for folder in TZPATH:
        if (path := Path(folder, name)).is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", name).read_bytes()
