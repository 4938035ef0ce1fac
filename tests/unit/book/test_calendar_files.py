"""Files of calendar programs, and the busy and free times in each.

`feeds/expected.json` has it for a host in Berlin in December 2026 and January 2027. `free` is what
must stay free; what neither names may be either. `ours` are the UIDs of the host's own calls.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lead_service.book.calendars.components import NotUnderstood
from lead_service.book.calendars.parse import parse_calendar

FEEDS = Path(__file__).parent / "feeds"
EXPECTED = json.loads((FEEDS / "expected.json").read_text())
SPAN = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
instant = datetime.fromisoformat


def test_every_file_has_its_right_values():
    assert {path.stem for path in FEEDS.glob("*.ics")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_of_a_calendar_program_is_read_right(name):
    case = EXPECTED[name]
    content = (FEEDS / f"{name}.ics").read_bytes()
    ours = set(case.get("ours", ()))
    try:
        found = parse_calendar(content, "Europe/Berlin", *SPAN, ours, "host@example.com").busy
    except NotUnderstood:
        assert case.get("may_refuse")
        return
    for start, end in case.get("busy", ()):
        assert any(one.start <= instant(start) and instant(end) <= one.end for one in found), start
    for start, end in case.get("free", ()):
        assert not any(one.start < instant(end) and instant(start) < one.end for one in found), (
            start
        )
