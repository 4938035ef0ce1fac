"""The table of slots_cases.txt, checked with the engine, its reasons and the reference."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lead_service.book.availability.intervals import Hours
from lead_service.book.availability.slots import (
    Booked,
    Busy,
    Rules,
    UnavailableReason,
    all_day,
    why_not,
)
from tests.support.windows import parse_window
from tests.unit.book.slots_reference import MINUTE, reference_starts

CASES = Path(__file__).with_name("slots_cases.txt")


def rows() -> list:
    """Parse the table: a line with `#` names the zone of the following rows."""
    _, *sections = CASES.read_text().split("\n# ")
    found = []
    for zone, *lines in (section.strip().splitlines() for section in sections):
        for line in lines:
            *row, about = (cell.strip() for cell in line.split("|"))
            found.append(pytest.param(zone, *row, id=f"{zone} {len(found)} {about}"))
    return found


@pytest.mark.parametrize(("zone", "setup", "start", "answer"), rows())
def test_a_start_is_open_or_closed_for_its_reason(zone, setup, start, answer):
    situation = situation_of(zone, setup, start)
    at = instant(start, zone)
    reason = why_not(at=at, **situation)
    assert (reason.kind if reason else "open") == (
        answer if answer == "open" else UnavailableReason(answer)
    )
    expected = reference_starts(start=at, end=at + MINUTE, **situation)
    assert expected == ([at] if answer == "open" else [])


def situation_of(zone: str, setup: str, start: str) -> dict:
    """Parse the first cell of a row."""
    first, *words = re.split(r" (?=[a-z])", setup)
    windows = tuple(parse_window(*one.split("-")) for one in first.split(","))
    given = [(name, rest) for name, _, rest in (word.partition(" ") for word in words)]
    days = [rest.partition("=") for name, rest in given if name == "on"]
    overrides = {date.fromisoformat(day): opened(text) for day, _, text in days}
    now = next((rest for name, rest in given if name == "now"), None)
    return {
        "hours": Hours(zone, dict.fromkeys(range(7), windows), overrides),
        "rules": rules_of(dict(given)),
        "now": instant(now, zone) if now else instant(start, zone) - timedelta(days=60),
        "busy": tuple(busy_of(zone, name, rest) for name, rest in given if name in {"busy", "off"}),
        "bookings": tuple(call_of(zone, rest) for name, rest in given if name == "call"),
    }


def opened(text: str) -> tuple:
    return tuple(parse_window(*one.split("-")) for one in text.split(",") if one)


def rules_of(given: dict[str, str]) -> Rules:
    before, after = map(int, given.get("pad", "0/0").split("/"))
    names = {"for": "duration", "every": "interval", "notice": "notice", "ahead": "horizon_days"}
    names |= {"most": "daily_limit"}
    known = {name: int(given[word]) for word, name in names.items() if word in given}
    return Rules(buffer_before=before, buffer_after=after, **known)


def busy_of(zone: str, kind: str, text: str) -> Busy:
    start, end = text.split("~")
    if kind == "off":
        return all_day(date.fromisoformat(start), date.fromisoformat(end) + timedelta(1), zone)
    return Busy(instant(start, zone), instant(end, zone))


def call_of(zone: str, text: str) -> Booked:
    start, _, lengths = text.partition("+")
    return Booked(1, instant(start, zone), *map(int, lengths.split("/")))


def instant(text: str, zone: str) -> datetime:
    """Parse a time: in UTC with a Z, the second of two readings with a `'`."""
    if text.endswith("Z"):
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    wall = datetime.fromisoformat(text.rstrip("'"))
    local = wall.replace(tzinfo=ZoneInfo(zone), fold=int(text.endswith("'")))
    return local.astimezone(UTC)
