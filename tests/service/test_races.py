"""Eight processes want the same starts at once: as many win as hosts are free, and nobody errs."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lead_service import clock
from lead_service.book import calendar, host_text, hosting
from lead_service.book.forms import start_text
from lead_service.book.host_models import Host
from lead_service.book.models import Booking, TimeCell
from lead_service.emails.models import OutboxMessage
from lead_service.leads import Lead, LeadEvent

PROCESSES = 8
PATIENCE = 300  # seconds, on a machine that has other things to do


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
        answered.update(json.loads(racer.communicate(timeout=PATIENCE)[0]))
    return answered


def with_hosts(database, number: int) -> list[Host]:
    """Let so many hosts take calls at the same hours, and return them."""

    def add(session) -> None:
        for name in ("ben", "cleo")[: number - 1]:
            host = Host(name=name.title(), email=f"{name}@example.com", zone="UTC")
            host.hours = host_text.weekly_hours(hosting.FIRST_HOURS)
            session.add(host)

    database.write(add)
    with database.read() as session:
        return calendar.active_hosts(session)


@pytest.mark.parametrize(("hosts", "starts"), [(1, 40), (3, 20)])
def test_as_many_win_as_hosts_are_free_and_the_others_hear_just_taken(
    app, environment, database, hosts, starts
):
    now = clock.now()
    takers = with_hosts(database, hosts)
    with database.read() as session:
        span = {"now": now + timedelta(hours=1), "start": now, "end": now + timedelta(days=40)}
        found = calendar.open_starts(session, takers, **span)[:starts]
    assert len(found) == starts
    answered = race(environment, [start_text(start) for start in found])
    won = hosts * starts
    assert answered == {"303": won, "409": PROCESSES * starts - won}
    with database.read() as session:
        count = lambda model: session.scalar(select(func.count()).select_from(model))  # noqa: E731
        mails = select(func.count()).where(OutboxMessage.kind == "booking_confirmed")
        assert count(Booking) == session.scalar(mails) == won
        assert count(TimeCell) == won * 6
        assert count(Lead) == count(LeadEvent) == PROCESSES * starts
        taken = session.execute(select(Booking.host_id, Booking.starts_at)).all()
        assert set(taken) == {(host.id, start) for host in takers for start in found}
