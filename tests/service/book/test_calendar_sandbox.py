"""Parsing a calendar in a separate process with limited time and memory."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from lead_service.book.availability.slots import Busy
from lead_service.book.calendars import sandbox
from lead_service.book.calendars.fetch import Unreadable
from lead_service.book.calendars.parse import ParsedCalendar

START = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = ("Europe/London", START, START + timedelta(days=60))
EVENT = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260330T090000\r\nDURATION:PT1H\r\n{}END:VEVENT\r\n"


def ics(rule: str = "") -> bytes:
    event = EVENT.format(f"RRULE:{rule}\r\n" if rule else "")
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n".encode()


def test_the_sandbox_gives_the_same_answer_as_this_process():
    at = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
    found = sandbox.parse_in_process(ics(), *ASKED)
    assert found == ParsedCalendar([Busy(at, at + timedelta(hours=1))])
    assert sandbox.parse_in_process(ics(), *ASKED, {"1"}).busy == []
    assert sandbox.parse_in_process(ics("FREQ=DAILY;COUNT=0"), *ASKED).widened


def test_the_sandbox_reports_the_same_fault():
    with pytest.raises(Unreadable, match="is not a calendar"):
        sandbox.parse_in_process(b"hello", *ASKED)


def test_an_endless_rule_is_stopped(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    with pytest.raises(Unreadable, match="takes too long"):
        sandbox.parse_in_process(ics("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"), *ASKED)


@pytest.mark.long
def test_ten_years_of_meetings_in_nearly_50_mb_are_read():
    """Google's private address returns the whole history, with every guest and note."""
    note = "DESCRIPTION:" + "\r\n ".join(
        ["Join from a computer or a telephone, or by the link."] * 50
    )
    history = "".join(
        EVENT.format(f"{note}\r\n").replace("20260330", f"{2016 + n % 10}{1 + n % 12:02}15")
        for n in range(15_000)
    )
    content = f"BEGIN:VCALENDAR\r\n{history}{EVENT.format('')}END:VCALENDAR\r\n".encode()
    assert 40_000_000 < len(content) < 50_000_000
    assert len(sandbox.parse_in_process(content, *ASKED).busy) == 1


def test_a_crashed_sandbox_is_a_fault(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unreadable, match="is too complex"):
        sandbox.parse_in_process(ics(), *ASKED)


def test_the_sandbox_gets_no_secrets_and_uses_the_packaged_zones(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    seen = {}
    real = subprocess.run

    def run(command, **more):
        seen.update(more["env"])
        return real(command, **more)

    monkeypatch.setattr(subprocess, "run", run)
    sandbox.parse_in_process(ics(), *ASKED)
    assert set(seen) <= {"PATH", "PYTHONPATH", "PYTHONTZPATH"}
    assert seen["PYTHONTZPATH"] == ""
