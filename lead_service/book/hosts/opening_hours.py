"""Opening hours as people type and read them: `09:00-12:00, 13:00-17:00`. Pure."""

import re
from collections.abc import Iterable
from itertools import pairwise

from ..availability.intervals import Window

DAY = 1440  # minutes
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# 9-17, 9:00-17:30 and 09:00 to 17:00 alike, with any dash.
TIME = r"(\d{1,2})(?::(\d\d))?"
PART = re.compile(rf"{TIME}\s*(?:-|\u2013|\u2014|to)\s*{TIME}", re.ASCII | re.IGNORECASE)


def parse_windows(text: str) -> list[Window]:
    """Read the windows of one date, in order; an empty text is a day without any.

    Raises ValueError in words for the person who typed it: for what is no window, ends before it
    starts, is not on a multiple of five minutes, or overlaps another. Windows may touch.
    """
    parts = filter(None, (part.strip() for part in re.split("[,;\n]", text)))
    windows = sorted((_window(part) for part in parts), key=lambda one: one.start)
    for one, following in pairwise(windows):
        if following.start < one.end:
            raise ValueError(f"{write_windows([one])} and {write_windows([following])} overlap.")
    return windows


def write_windows(windows: Iterable[Window]) -> str:
    """Write windows as `parse_windows` reads them."""
    return ", ".join(f"{_time(one.start)}-{_time(one.end)}" for one in windows)


def describe_windows(windows: Iterable[Window]) -> str:
    """Write windows for reading: 9:00 am to 12:00 pm, 10:00 pm to 2:00 am the next day."""
    return ", ".join(f"{_clock(one.start)} to {_clock(one.end)}" for one in windows)


def overlap_of_days(week: dict[int, list[Window]]) -> tuple[int, str] | None:
    """Find a window that runs past midnight into one of the next weekday (0 is Monday).

    Returns the weekday on which it starts, and what is wrong in words.
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
            f"Write \u201c{part}\u201d like 09:00-17:00, with a comma between two of them."
        )
    start, end = _minutes(found[1], found[2]), _minutes(found[3], found[4])
    if start is None or end is None or start >= DAY or end > 2 * DAY:
        raise ValueError(
            f"In \u201c{part}\u201d, use times from 00:00 to 23:55; the end may go on to 48:00."
        )
    if end <= start:
        raise ValueError(
            f"\u201c{part}\u201d ends before it starts."
            " For hours past midnight, add 24: 22:00-26:00 ends at 2 am."
        )
    if start % 5 or end % 5:
        raise ValueError(f"\u201c{part}\u201d is not on a multiple of five minutes.")
    return Window(start, end)


def _minutes(hours: str, minutes: str | None) -> int | None:
    past = int(minutes or 0)
    return int(hours) * 60 + past if past < 60 else None


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _clock(minutes: int) -> str:
    if minutes == DAY:
        return "midnight"
    hour, past = divmod(minutes % DAY, 60)
    late = " the next day" if minutes > DAY else ""
    return f"{hour % 12 or 12}:{past:02} {'am' if hour < 12 else 'pm'}{late}"
