"""Reading a calendar file in a process of its own, which cannot run away."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from lead_service.book.availability.slots import Busy
from lead_service.book.calendars import sandbox
from lead_service.book.calendars.fetch import Unreadable

START = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = ("Europe/London", START, START + timedelta(days=60))
EVENT = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260330T090000\r\nDURATION:PT1H\r\n{}END:VEVENT\r\n"


def ics(rule: str = "") -> bytes:
    event = EVENT.format(f"RRULE:{rule}\r\n" if rule else "")
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n".encode()


def test_the_other_process_answers_what_this_one_would():
    at = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
    assert sandbox.parse_in_process(ics(), *ASKED) == [Busy(at, at + timedelta(hours=1))]
    assert sandbox.parse_in_process(ics(), *ASKED, {"1"}) == []


def test_its_complaint_is_ours():
    with pytest.raises(Unreadable, match="is not a calendar"):
        sandbox.parse_in_process(b"hello", *ASKED)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;INTERVAL=0", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_rule_that_never_comes_round_is_cut_off(rule, monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    with pytest.raises(Unreadable, match="takes too long"):
        sandbox.parse_in_process(ics(rule), *ASKED)


def test_a_process_that_ends_without_an_answer_is_no_empty_calendar(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unreadable, match="takes too much"):
        sandbox.parse_in_process(ics(), *ASKED)


def test_it_gets_none_of_our_secrets_and_the_zones_of_our_own_package(monkeypatch):
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
