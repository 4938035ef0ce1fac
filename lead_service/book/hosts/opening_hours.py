"""Parse and write opening hours in words: 9:00 am to 12:00 pm, 1:00 pm to 5:00 pm. Pure."""

import re
from collections.abc import Iterable
from datetime import time
from itertools import pairwise
from typing import NamedTuple

from ...formats import wall_time
from ..availability.intervals import Window

DAY = 1440  # minutes
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# 9-5, 9-17, 0900-1730, 9h-17h30, 9am-5pm, 9:30 am to noon and 10pm\u20132am, with any dash.
TIME = r"(noon|midnight|\d{1,2}(?:[:.h]?\d\d|h)?(?:\s*[ap]\.?m\b\.?)?)?"
TO, NEXT_DAY = r"(?:-|\u2013|\u2014|to\b|until\b)", " the next day"
PART = re.compile(rf"{TIME}\s*{TO}\s*{TIME}({NEXT_DAY})?", re.ASCII | re.IGNORECASE)
CLOCK = re.compile(r"(\d{1,2})(?:[:.h]?(\d\d)|h)?\s*(?:([ap])\.?m\.?)?", re.ASCII | re.IGNORECASE)
HALF = DAY // 2
EARLY = 6 * 60  # earlier bare hours mean the afternoon, as in 9-12, 1-5; 5:20 means the morning
LONGEST_NIGHT = 14 * 60  # of a window past midnight without "the next day"
CLOSED = {"closed", "none", "off"}


def parse_windows(text: str) -> list[Window]:
    """Parse the windows of one date, in order; an empty text and "closed" mean none.

    Raises ValueError with a message for its author, for a window that is invalid, ends before it
    starts, isn't on multiples of five minutes, or overlaps another. Windows may be adjacent.
    """
    if text.strip().lower() in CLOSED:
        return []
    parts = filter(None, (part.strip() for part in re.split(r"[,;\n&]|\band\b", text)))
    windows = sorted((_window(part) for part in parts), key=lambda one: one.start)
    for one, following in pairwise(windows):
        if following.start < one.end:
            raise ValueError(f"{write_windows([one])} and {write_windows([following])} overlap.")
    return windows


def write_windows(windows: Iterable[Window]) -> str:
    """Write windows for people and `parse_windows`: 10:00 pm to 2:00 am the next day."""
    return ", ".join(f"{_clock(one.start)} to {_clock(one.end)}" for one in windows)


def overlap_of_days(week: dict[int, list[Window]]) -> tuple[int, str] | None:
    """Find a window that runs past midnight into one of the next weekday (0 is Monday).

    Returns the weekday on which it starts, and the error message.
    """
    for weekday, windows in week.items():
        following = (weekday + 1) % 7
        for one in windows:
            for other in week.get(following, []):
                if one.end - DAY > other.start:
                    late, early = write_windows([one]), write_windows([other])
                    return weekday, f"{late} runs into {WEEKDAYS[following]}, {early}."
    return None


def _window(part: str) -> Window:
    found = PART.fullmatch(part)
    if not found:
        raise ValueError(
            f"Instead of \u201c{part}\u201d, enter hours like 9am-5pm, separated by commas."
        )
    if not (found[1] or found[2]):
        raise ValueError("Enter when the hours begin and end, like 9am-5pm.")
    if not (found[1] and found[2]):
        missing = f"from {found[1]} end" if found[1] else f"until {found[2]} begin"
        raise ValueError(f"Enter when the hours {missing}.")
    until = _read(found[2])
    start, end = _span(_read(found[1]), until)
    if end is not None and found[3]:
        end = (end - 1) % DAY + 1 + DAY
    if start is None or end is None or start >= DAY or end > 2 * DAY:
        raise ValueError(
            f"In \u201c{part}\u201d, enter times from 00:00 to 23:55."
            " Hours that run past midnight can end as late as 48:00."
        )
    if end <= start:
        raise ValueError(
            f"\u201c{part}\u201d has to end after it starts. Write am or pm, like 9am-5pm."
            " For hours past midnight, write 10pm-2am or 22:00-26:00."
        )
    if end > DAY >= (until.minutes or 0) and end - start > LONGEST_NIGHT and not found[3]:
        raise ValueError(
            f"\u201c{part}\u201d is more than 14 hours. Write am or pm, like 9am-5pm,"
            f" or {write_windows([Window(start, end)])} if you mean it."
        )
    if start % 5 or end % 5:
        raise ValueError(f"In \u201c{part}\u201d, the minutes must end in 0 or 5.")
    return Window(start, end)


class Reading(NamedTuple):
    """One typed time; "5" may be in either half of the day, "05:00" and "0" may not."""

    minutes: int | None  # after midnight; None if invalid
    has_half: bool = False  # with am or pm, noon or midnight
    may_be_later: bool = False  # by twelve hours
    is_plain: bool = False  # 5, 5:30 and 10, but not 10:00: 10:00 never means 10 pm
    is_bare: bool = False  # 5, but not 5:30


def _read(text: str) -> Reading:
    """Read one time by itself."""
    if text.lower() in ("noon", "midnight"):
        return Reading(HALF if text.lower() == "noon" else 0, has_half=True)
    found = CLOCK.fullmatch(text)
    assert found
    hours, past, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if past >= 60 or (half and not 1 <= hours <= 12):
        return Reading(None)
    if half:
        return Reading((hours % 12 + 12 * (half == "p")) * 60 + past, has_half=True)
    may_be_later = hours <= 12 and not text.startswith("0")
    is_plain = may_be_later and (hours < 10 or not found[2])
    is_bare = is_plain and text.isdigit() and not found[2]
    return Reading(hours * 60 + past, may_be_later=may_be_later, is_plain=is_plain, is_bare=is_bare)


def _span(start: Reading, end: Reading) -> tuple[int | None, int | None]:
    """Return both ends in minutes; an ambiguous one is in the half of the day near the other."""
    opens, closes = start.minutes, end.minutes
    if opens is None or closes is None:
        return None, None
    if not (start.has_half or end.has_half):  # 9-17, 9-5, 22-2
        if closes <= opens and end.is_plain:
            is_afternoon = start.may_be_later and closes + HALF > opens
            closes += HALF if is_afternoon else DAY
        elif closes > opens and opens < EARLY and start.is_bare and end.is_bare:
            return opens + HALF, closes + HALF  # 1-5
        return opens, closes
    if end.may_be_later:  # 9am-5, 10pm-2
        return opens, opens + 1 + (closes - opens - 1) % HALF
    if end.has_half and closes == 0:
        closes = DAY
    if start.may_be_later:  # 9-5pm, 1-5pm, 10-2am
        opens = (closes - 1 - (closes - opens - 1) % HALF) % DAY
    return opens, closes + DAY if end.has_half and closes < opens else closes


def rows(text: str) -> list[tuple[str, str]]:
    """Split typed windows for the fields From and To; unreadable text stays as typed."""
    try:
        windows = parse_windows(text)
    except ValueError:
        return [(text, "")]
    return [(_clock(one.start), _clock(one.end)) for one in windows]


def _clock(minutes: int) -> str:
    if minutes == DAY:
        return "midnight"
    shown = wall_time(time(*divmod(minutes % DAY, 60)))
    return shown + NEXT_DAY if minutes > DAY else shown
