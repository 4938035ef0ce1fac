"""Instants and phone numbers in the words of a page or an email. Pure."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location
from markupsafe import Markup

ENGLISH = "en_US"


def write_date(day: date, pattern: str = "long") -> str:
    """Write a date: November 24, 2026, or by another CLDR pattern."""
    return format_date(day, pattern, ENGLISH)


def long_date(instant: datetime, zone: str) -> str:
    """Write the date of an instant in a zone: Tuesday, November 24, 2026."""
    return write_date(instant.astimezone(ZoneInfo(zone)), "full")


def wall_time(reading: time, is_24_hours: bool = False) -> str:
    """Write a time of day: 9:30 am, or 09:30 on a 24-hour clock."""
    return format_time(reading, "HH:mm" if is_24_hours else "h:mm a", locale=ENGLISH).lower()


def weekday_date(instant: datetime, zone: str) -> str:
    """Write the date of an instant without its year: Tuesday, November 24."""
    return write_date(instant.astimezone(ZoneInfo(zone)), "EEEE, MMMM d")


def clock_time(instant: datetime, zone: str, is_24_hours: bool = False) -> str:
    """Write the time of an instant in a zone.

    In the hour that repeats when clocks go back, the zone's abbreviation says which: 1:30 am
    EST.
    """
    local = instant.astimezone(ZoneInfo(zone))
    text = wall_time(local.time(), is_24_hours)
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{text} {_abbreviation(local)}" if comes_twice else text


def zoned_clock(instant: datetime, zone: str, is_24_hours: bool = False) -> str:
    """Write the time of an instant and its zone: 9:30 am New York time (EST)."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{wall_time(local.time(), is_24_hours)} {zone_name(zone, instant)}"


def near_time(instant: datetime, zone: str, is_24_hours: bool = False) -> str:
    """Write an instant without its year: Tuesday, November 24, at 9:30 am New York time (EST)."""
    return f"{weekday_date(instant, zone)}, at {zoned_clock(instant, zone, is_24_hours)}"


def zoned_time(instant: datetime, zone: str) -> str:
    """Write an instant and its zone: Tuesday, November 24, 2026, 9:30 am New York time (EST)."""
    return f"{long_date(instant, zone)}, {zoned_clock(instant, zone)}"


def short_zoned_time(instant: datetime, zone: str, is_24_hours: bool = False) -> str:
    """Write an instant for the subject of an email: Tue, Nov 24, 9:30 am EST."""
    local = instant.astimezone(ZoneInfo(zone))
    day = write_date(local, "EEE, MMM d")
    return f"{day}, {wall_time(local.time(), is_24_hours)} {_abbreviation(local)}"


def zone_name(zone: str, instant: datetime | None = None) -> str:
    """Write a zone as people say it: New York time; with an instant, New York time (EST).

    A zone without an abbreviation gets its UTC offset: UTC+5:45.
    """
    name = f"{city_of(zone)} time"
    is_place = "/" in zone and not zone.startswith("Etc/")
    if is_place and instant is None:
        return name
    local = (instant or datetime(2000, 1, 1, tzinfo=UTC)).astimezone(ZoneInfo(zone))
    return f"{name} ({_abbreviation(local)})" if is_place else _abbreviation(local)


def _abbreviation(local: datetime) -> str:
    """Name the zone of a local time: EST, or UTC+5:45 where it has no name."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, past = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{past:02}" if past else "")


def city_of(zone: str) -> str:
    """Write the city that a zone is named after: America/St_Johns is St. John's."""
    return get_timezone_location(ZoneInfo(zone), ENGLISH, return_city=True).rpartition("/")[2]


def in_sentence(name: str) -> str:
    """Write a name inside a sentence: discovery call, but ACTION review."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def until(instant: datetime, now: datetime) -> str:
    """Say how far ahead an instant is, within 24 hours: in 25 minutes; empty otherwise."""
    minutes = -((now - instant) // timedelta(minutes=1))
    if minutes <= 0:
        return "now"
    if minutes < 120:
        return f"in {minutes} minute{'' if minutes == 1 else 's'}"
    return f"in {minutes // 60} hours" if minutes < 24 * 60 else ""


def short_date(day: date, today: date | None = None) -> str:
    """Write a date, short enough for a table: Tue, Nov 24, 2026.

    The year is left out when it is that of `today`.
    """
    is_this_year = today is not None and today.year == day.year
    return write_date(day, "EEE, MMM d" if is_this_year else "EEE, MMM d, y")


def elsewhere(instant: datetime, zone: str, other: str) -> str:
    """Write an instant in another zone, beside the same instant in `zone`: 3:00 pm Berlin time.

    The date is left out where it is the same; empty where both clocks show the same.
    """
    here, there = (instant.astimezone(ZoneInfo(one)).replace(tzinfo=None) for one in (zone, other))
    if here == there:
        return ""
    day = "" if here.date() == there.date() else write_date(there, "EEE, MMM d") + ", "
    return f"{day}{clock_time(instant, other)} {zone_name(other)}"


def moment(instant: datetime, zone: str, now: datetime | None = None) -> str:
    """Write an instant in a zone, short enough for a table: Tue, Nov 24, 2026, 9:30 am.

    The year is left out when it is that of `now`.
    """
    place = ZoneInfo(zone)
    day = short_date(instant.astimezone(place), now and now.astimezone(place))
    return f"{day}, {clock_time(instant, zone)}"


def lately(instant: datetime, zone: str, now: datetime) -> str:
    """Write an instant for a narrow column: the time if it is today, otherwise Tue, Nov 24."""
    day, today = (one.astimezone(ZoneInfo(zone)).date() for one in (instant, now))
    return clock_time(instant, zone) if day == today else short_date(day, today)


TRUNK = re.compile(r"\(\s*0\s*\)")  # the zero in +49 (0)30 … is dialed only within the country


def breakable(address: str) -> Markup:
    """Return an address as HTML that breaks first after its @, dots and hyphens."""
    return Markup("<wbr>").join(re.split(r"(?<=[@.-])(?=[^@.-])", address))


def tel_number(number: str) -> str:
    """Return the digits to dial, with a + if there is one (RFC 3966, 3); empty if there are none.

    Text after the first letter is an extension, which people read off the page and dial later.
    """
    typed = unicodedata.normalize("NFKC", number).strip()
    typed = re.sub(r"^tel:\s*", "", typed, flags=re.IGNORECASE)
    typed = re.split(r"[^\W\d_]", typed, maxsplit=1)[0]
    if typed.startswith("+"):
        typed = TRUNK.sub("", typed)
    digits = "".join(str(unicodedata.decimal(one)) for one in typed if one.isdecimal())
    return ("+" if typed.startswith("+") else "") + digits if digits else ""


# Countries of a practice: calling code, prefix for international calls, and prefix for national
# calls.
CALLING_CODES = {
    "AT": ("43", "00", "0"),
    "CA": ("1", "011", "1"),
    "CH": ("41", "00", "0"),
    "DE": ("49", "00", "0"),
    "GB": ("44", "00", "0"),
    "US": ("1", "011", "1"),
}
E164 = re.compile(r"\+(1\d{10}|[2-9]\d{6,14})")


def e164(number: str, country: str = "") -> str:
    """Return a number as +12125550100 (ITU E.164); empty when its country is not known.

    Forms ask for the country code only of people who are abroad, seen from the practice's
    `country` (two letters).
    """
    digits = tel_number(number)
    code, abroad, trunk = CALLING_CODES.get(country, ("", "00", ""))
    if digits.startswith(abroad):
        digits = "+" + digits.removeprefix(abroad)
    elif code and digits and not digits.startswith("+"):
        digits = "+" + code + digits.removeprefix(trunk)
    return digits if E164.fullmatch(digits) else ""
