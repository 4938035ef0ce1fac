"""Parse dates, times and durations of calendar files, by RFC 5545 and as programs write them.

A reading is a wall-clock time in microseconds since 1970, as in `availability.intervals`.
"""

import re
from datetime import datetime

from ..availability.intervals import DAY, MINUTE

SECOND = MINUTE // 60
EPOCH = datetime(1970, 1, 1)
TIME = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
LENGTH = re.compile(
    r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)
LAST_YEAR = 9000  # Outlook writes 4500 for "no end", others 9999, where `datetime` ends
LONGEST = 40_000 * DAY


def reading_of(text: str) -> tuple[int, bool, int | None]:
    """Return a reading, whether it is a date alone, and its UTC offset if given.

    24:00 and a leap second become the next instant. Raises ValueError.
    """
    found = TIME.fullmatch(text.strip())
    if not found:
        raise ValueError("not a time")
    year, month, day, hour, minute, second = (int(one or 0) for one in found.groups()[:6])
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("not a time")
    on = datetime(max(min(year, LAST_YEAR), 2), month, 28 if (month, day) == (2, 29) else day)
    if (month, day) == (2, 29) and on.year == year:
        on = on.replace(day=29)  # raises
    offset = found[7]
    ahead = None
    if offset:
        digits = offset.upper().replace("Z", "+0000").replace(":", "")
        ahead = int(digits[0] + "1") * (int(digits[1:3]) * 60 + int(digits[3:])) * MINUTE
    reading = count(on) + (hour * 60 + minute) * MINUTE + second * SECOND
    return reading, found[4] is None, ahead


def length_of(text: str) -> int:
    """Return a DURATION in microseconds, possibly negative; raise ValueError."""
    found = LENGTH.fullmatch(text.strip())
    if not found or not any(found.groups()[1:]):
        raise ValueError("not a length")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups()[1:])
    length = (weeks * 7 + days) * DAY + (hours * 60 + minutes) * MINUTE + seconds * SECOND
    return min(length, LONGEST) * (-1 if found[1] == "-" else 1)


def count(at: datetime) -> int:
    """Convert a wall-clock time to microseconds."""
    since = at - EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds
