"""Compare the deliver process with 300 and with 50,000 emails waiting.

`python -m tests.bench bench_claim`. Half wait for their first try, the rest are reminders of later
and emails that wait for another try. Two databases take turns, so that what else the machine does
falls on both; the target is a ratio of the medians of at most 1.5.
"""

import statistics
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.emails.models import EmailState, OutboxMessage, Turn
from lead_service.emails.outbox import claim, finish
from lead_service.emails.transports.base import Accepted

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FEW, MANY = 300, 50_000
ROUNDS = 140  # fewer than wait for a first try in the small database
TURNS = (Turn.NEW, Turn.PLANNED, Turn.NEW, Turn.AGAIN)


def row(number: int) -> dict:
    """Return a waiting email about a call of its own."""
    turn = TURNS[number % len(TURNS)]
    later = timedelta() if turn == Turn.NEW else timedelta(hours=1)
    return {
        "id": uuid.uuid4().hex,
        "kind": "booking_confirmed",
        "booking_id": number,
        "address": f"visitor{number}@example.com",
        "facts": {},
        "state": EmailState.PENDING,
        "turn": turn,
        "created_at": NOW,
        "due_at": NOW + later,
        "next_at": NOW + later,
        "useless_after": NOW + timedelta(days=7),
        "attempts": int(turn == Turn.AGAIN),
    }


def filled(folder: Path, count: int) -> Database:
    """Create a database with that many waiting emails."""
    database = Database(f"sqlite:///{folder / str(count)}.db")
    schema.migrate(database)
    rows = [row(number) for number in range(count)]
    database.write(lambda session: session.execute(insert(OutboxMessage), rows))
    return database


def send(database: Database) -> tuple[float, float]:
    """Claim an email and record that it was sent; return the milliseconds of each step."""
    began = time.perf_counter()
    held = claim(database, NOW)
    assert held
    claimed = time.perf_counter()
    finish(database, held, Accepted("x"), NOW)
    return (claimed - began) * 1000, (time.perf_counter() - claimed) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        databases = [filled(Path(name), count) for count in (FEW, MANY)]
        times: list[list[tuple[float, float]]] = [[], []]
        for number in range(ROUNDS):
            for place in (0, 1) if number % 2 else (1, 0):
                times[place].append(send(databases[place]))
        for database in databases:
            database.close()
    few, many = (statistics.median(one for one, _ in each) for each in times)
    print(f"a claim: {few:.2f} ms with {FEW} waiting, {many:.2f} ms with {MANY}")
    print(f"ratio {many / few:.2f}")
    both = [statistics.median(map(sum, each)) for each in times]
    print(f"with its record: {both[0]:.2f} and {both[1]:.2f} ms, ratio {both[1] / both[0]:.2f}")
