"""Opening hours as people type and read them: `09:00-12:00, 13:00-17:00`. Pure."""

import re
from collections.abc import Iterable
from itertools import pairwise

from ..availability.intervals import Window

DAY = 1440  # minutes
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# 9-17, 9:00-17:30, 9am-5pm, 9:30 am to noon and 10pm\u20132am, with any dash.
TIME = r"(noon|midnight|\d{1,2}(?:[:.]\d\d)?(?:\s*[ap]\.?m\b\.?)?)"
PART = re.compile(rf"{TIME}\s*(?:-|\u2013|\u2014|to\b|until\b)\s*{TIME}", re.ASCII | re.IGNORECASE)
CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))?\s*(?:([ap])\.?m\.?)?", re.ASCII | re.IGNORECASE)
HALF = DAY // 2


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
            f"Write \u201c{part}\u201d like 9am-5pm, with a comma between two of them."
        )
    start, end = _span(_read(found[1], 0), _read(found[2], DAY))
    if start is None or end is None or start >= DAY or end > 2 * DAY:
        raise ValueError(
            f"In \u201c{part}\u201d, use times from 00:00 to 23:55; the end may go on to 48:00."
        )
    if end <= start:
        raise ValueError(
            f"\u201c{part}\u201d ends before it starts."
            " For hours past midnight, write 10pm-2am or 22:00-26:00."
        )
    if start % 5 or end % 5:
        raise ValueError(f"\u201c{part}\u201d is not on a multiple of five minutes.")
    return Window(start, end)


Reading = tuple[int | None, str]  # minutes (None: no such time), and "a", "p" or "" for 24 hours


def _read(text: str, midnight: int) -> Reading:
    """Read one time; with am or pm, the minutes are those of the first half of the day."""
    if text.lower() in ("noon", "midnight"):
        return (HALF, "") if text.lower() == "noon" else (midnight, "")
    found = CLOCK.fullmatch(text)
    assert found
    hours, past, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if past >= 60 or (half and not 1 <= hours <= 12):
        return None, half
    return (hours % 12 if half else hours) * 60 + past, half


def _span(start: Reading, end: Reading) -> tuple[int | None, int | None]:
    """Return both ends in minutes; what says neither am nor pm follows from the other end."""
    (opens, first), (closes, last) = start, end
    if opens is None or closes is None or not (first or last):
        return opens, closes
    if first and not last and closes <= HALF and closes < _minutes(opens, first):
        closes += HALF  # 9am-5
    elif last and not first and opens < HALF:  # 9-5pm, 1-5pm, 10-2am
        same = _minutes(opens, last) < _minutes(closes, last)
        first = last if same else ("a" if last == "p" else "p")
    opens, closes = _minutes(opens, first), _minutes(closes, last)
    return opens, closes + DAY if last and closes < opens else closes


def _minutes(clock: int, half: str) -> int:
    return clock + HALF if half == "p" else clock


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def rows(text: str) -> list[tuple[str, str]]:
    """Split typed windows into what the fields From and To show; as typed where unreadable."""
    try:
        windows = parse_windows(text)
    except ValueError:
        return [(text, "")]
    return [(_clock(one.start), _end_clock(one)) for one in windows]


def _end_clock(window: Window) -> str:
    """Write an end as From and To are read: 2:00 am is on the next day when From is later."""
    if window.end > DAY and window.end - DAY >= window.start:
        return _time(window.end)
    return "midnight" if window.end == DAY else _clock(window.end % DAY)


def _clock(minutes: int) -> str:
    if minutes == DAY:
        return "midnight"
    hour, past = divmod(minutes % DAY, 60)
    late = " the next day" if minutes > DAY else ""
    return f"{hour % 12 or 12}:{past:02} {'am' if hour < 12 else 'pm'}{late}"
