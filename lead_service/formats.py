"""Instants and phone numbers in the words of a page or an email. Pure."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def long_date(instant: datetime, zone: str) -> str:
    """Write the date of an instant in a zone: Tuesday, November 24, 2026."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%A}, {local:%B} {local.day}, {local.year}"


def clock_time(instant: datetime, zone: str) -> str:
    """Write the time of an instant in a zone: 9:30 am.

    In the hour that comes twice when clocks go back, the zone's abbreviation tells which: 1:30 am
    EST.
    """
    local = instant.astimezone(ZoneInfo(zone))
    text = f"{local.hour % 12 or 12}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{text} {local:%Z}" if comes_twice else text


def until(instant: datetime, now: datetime) -> str:
    """Say how far ahead an instant of the next 24 hours is: in 25 minutes; else nothing."""
    minutes = -((now - instant) // timedelta(minutes=1))
    if minutes <= 0:
        return "now"
    if minutes < 120:
        return f"in {minutes} minute{'' if minutes == 1 else 's'}"
    return f"in {minutes // 60} hours" if minutes < 24 * 60 else ""


def short_date(day: date) -> str:
    """Write a date, short enough for a table: Tue, Nov 24, 2026."""
    return f"{day:%a}, {day:%b} {day.day}, {day.year}"


TRUNK = re.compile(r"\(\s*0\s*\)")  # +49 (0)30 …: the zero is for callers from the same country


def tel_number(number: str) -> str:
    """Return the digits to dial, with a + if there is one (RFC 3966, 3); empty if there are none.

    What follows the first letter is an extension: it is read off the page, not dialled.
    """
    typed = unicodedata.normalize("NFKC", number).strip()
    typed = re.split(r"[^\W\d_]", typed, maxsplit=1)[0]
    if typed.startswith("+"):
        typed = TRUNK.sub("", typed)
    digits = "".join(str(unicodedata.decimal(one)) for one in typed if one.isdecimal())
    return ("+" if typed.startswith("+") else "") + digits if digits else ""
