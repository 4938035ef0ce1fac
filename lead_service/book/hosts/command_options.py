"""What an operator types about a host: read and checked here, and written out the same way.

Every function raises ValueError in words that begin with the option's name.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from ...hostnames import is_host
from ..availability import holidays
from ..availability.intervals import Window, parse_window
from .models import Host, OpeningHours, OverrideWindow

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_NAME, LONGEST_LINK, LONGEST_NOTE = 120, 500, 200  # as the columns have it
MOST_MINUTES, MOST_NOTICE, MOST_DAYS = 480, 43_200, 365
# Controls, line and paragraph separators, and bytes of the command line that are no text.
NOT_TEXT = {"Cc", "Zl", "Zp", "Cs"}
PART = re.compile(r"(\w{3})(?:-(\w{3}))?\s+(\S+)")


def weekly_hours(text: str) -> list[OpeningHours]:
    """Read `mon-fri 09:00-17:00, sat 10:00-12:00`; windows of a day must not overlap."""
    hours: list[OpeningHours] = []
    for part in _parts(text.lower()):
        found = PART.fullmatch(part)
        if not found or not {found[1], found[2] or found[1]} <= set(WEEKDAYS):
            raise ValueError(f"hours: {part!r} is not like mon-fri 09:00-17:00")
        first, last = WEEKDAYS.index(found[1]), WEEKDAYS.index(found[2] or found[1])
        if last < first:
            raise ValueError(f"hours: {part!r} ends before it begins")
        window = _window(found[3])
        hours += [
            OpeningHours(weekday=day, opens=window.start, closes=window.end)
            for day in range(first, last + 1)
        ]
    for day in range(7):
        _refuse_overlaps([one for one in hours if one.weekday == day])
    return hours


def dated_hours(texts: Iterable[str]) -> list[OverrideWindow]:
    """Read the windows of one date, each `09:00-12:00`; none is a day off."""
    windows = [_window(text) for text in texts]
    found = [OverrideWindow(opens=window.start, closes=window.end) for window in windows]
    _refuse_overlaps(found)
    return found


def day(text: str) -> date:
    """Read a date as ISO 8601 writes it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date: {text!r} is not like 2026-12-24") from None


def address(text: str) -> str:
    """Check a mail address; `.test` is allowed, for trying out."""
    try:
        checked = validate_email(
            text, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError as fault:
        raise ValueError(f"email: {fault}") from None
    return checked.normalized


def zone(text: str) -> str:
    """Check an IANA name."""
    if text not in available_timezones():
        raise ValueError(f"zone: {text!r} is not a time zone; America/New_York is one")
    return text


def place(country: str, region: str) -> tuple[str, str]:
    """Check a country and its region, both by code; empty for none."""
    country = country.strip().upper()
    if country and country not in holidays.countries():
        raise ValueError(f"country: {country!r} is not known; its code has two letters, such as US")
    known = holidays.regions(country)
    if region and region not in known:
        which = ", ".join(known) or "it has none"
        raise ValueError(f"region: {region!r} is not one of {country or 'no country'}: {which}")
    return country, region


def minutes(name: str, text: str, least: int) -> int:
    """Read minutes, in multiples of five where they are what a call takes."""
    if name == "notice":
        return _number(name, text, least, MOST_NOTICE)
    found = _number(name, text, least, MOST_MINUTES)
    if found % 5:
        raise ValueError(f"{name}: must be a multiple of five minutes")
    return found


def count(name: str, text: str) -> int | None:
    """Read a number of days or calls; `none` is no limit."""
    return None if text.strip().lower() == "none" else _number(name, text, 0, MOST_DAYS)


def line(name: str, text: str, longest: int) -> str:
    """Check one line of text."""
    text = text.strip()
    if any(unicodedata.category(character) in NOT_TEXT for character in text):
        raise ValueError(f"{name}: must be one line of text")
    if len(text) > longest:
        raise ValueError(f"{name}: must not be longer than {longest} characters")
    return text


def link(text: str) -> str:
    """Check where the call takes place; an empty text means that the host calls."""
    link = text.strip()
    if len(link) > LONGEST_LINK:
        raise ValueError(f"meeting-link: must not be longer than {LONGEST_LINK} characters")
    if link and not _is_secure_link(link):
        raise ValueError("meeting-link: must be like https://meet.example.com/ann")
    return link


def describe(host: Host) -> str:
    """Write a host as the commands show it."""
    ordered = sorted(host.hours, key=lambda one: (one.weekday, one.opens))
    hours = ", ".join(f"{WEEKDAYS[one.weekday]} {_times(one)}" for one in ordered)
    off = "" if host.is_active else "  (takes no calls)"
    where = "-".join(filter(None, (host.country, host.region))) or "no holidays"
    return "\n".join(
        (
            f"{host.name} <{host.email}>{off}",
            f"zone   {host.zone}, {where}",
            f"hours  {hours or 'none'}",
            f"call   {host.meeting_link or 'we call you'}",
            f"rules  {_rules(host)}",
            *(f"date   {one.day}  {_day(one.windows)}" for one in host.overrides),
            *(f"away   {one.first_day} to {one.last_day}  {one.note}" for one in host.time_off),
        )
    )


def _rules(host: Host) -> str:
    days = "any time" if host.horizon_days is None else f"{host.horizon_days} days"
    limit = "any number" if host.daily_limit is None else str(host.daily_limit)
    return (
        f"{host.duration} minutes every {host.interval}, {host.buffer_before} before and "
        f"{host.buffer_after} after kept free, {host.notice} minutes\u2019 notice, {days} ahead, "
        f"{limit} a day"
    )


def _day(windows: list[OverrideWindow]) -> str:
    return ", ".join(map(_times, windows)) or "off"


def _times(one: OpeningHours | OverrideWindow) -> str:
    return "-".join(f"{at // 60:02}:{at % 60:02}" for at in (one.opens, one.closes))


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]


def _window(text: str) -> Window:
    start, dash, end = text.partition("-")
    try:
        window = parse_window(start.zfill(5), end.zfill(5))
    except ValueError as fault:
        words = str(fault) if dash else f"{text!r} is not like 09:00-17:00"
        raise ValueError(f"hours: {words}") from None
    if window.start % 5 or window.end % 5:
        raise ValueError(f"hours: {text!r} must begin and end on a multiple of five minutes")
    return window


def _refuse_overlaps(windows: list) -> None:
    ordered = sorted(windows, key=lambda one: one.opens)
    for earlier, later in pairwise(ordered):
        if later.opens < earlier.closes:
            raise ValueError(f"hours: {_times(earlier)} and {_times(later)} overlap")


def _number(name: str, text: str, least: int, most: int) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or len(text.strip()) > 6:
        raise ValueError(f"{name}: {text!r} is not a whole number")
    found = int(text)
    if not least <= found <= most:
        raise ValueError(f"{name}: must be from {least} to {most}")
    return found


def _is_secure_link(text: str) -> bool:
    if " " in text or not text.isprintable():  # urlsplit drops line breaks without a word
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False
