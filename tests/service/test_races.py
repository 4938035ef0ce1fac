"""Eight processes want the same starts at once: each start has one winner, and nobody an error."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from lead_service import clock
from lead_service.book import calendar
from lead_service.book.forms import start_text
from lead_service.book.models import Booking, TimeCell
from lead_service.emails.models import OutboxMessage
from lead_service.leads import Lead, LeadEvent

PROCESSES = 8
STARTS = 60


def race(environment: dict[str, str], starts: list[str]) -> Counter[str]:
    """Let all processes run at once; return how often each status was answered."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.service.racer", str(number)],
            env={**os.environ, **environment, "LOG_LEVEL": "ERROR"},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for racer in racers:
        racer.stdin.write(json.dumps(starts) + "\n")
        racer.stdin.flush()
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answered: Counter[str] = Counter()
    for racer in racers:
        answered.update(json.loads(racer.communicate(timeout=120)[0]))
    return answered


def test_as_many_win_as_there_are_starts_and_the_others_hear_just_taken(app, environment, database):
    now = clock.now()
    with database.read() as session:
        hosts = calendar.active_hosts(session)
        found = calendar.open_starts(
            session, hosts, now=now + timedelta(hours=1), start=now, end=now + timedelta(days=40)
        )[:STARTS]
    assert len(found) == STARTS
    answered = race(environment, [start_text(start) for start in found])
    with database.read() as session:
        count = lambda model: session.scalar(select(func.count()).select_from(model))  # noqa: E731
        mails = select(func.count()).where(OutboxMessage.kind == "booking_confirmed")
        assert answered == {"303": STARTS, "409": (PROCESSES - 1) * STARTS}
        assert count(Booking) == session.scalar(mails) == STARTS
        assert count(TimeCell) == STARTS * 6
        assert count(Lead) == count(LeadEvent) == PROCESSES * STARTS
