"""Compare sign-in requests of members and strangers: the times must not reveal who is a member.

`python -m tests.bench bench_sign_in`. The two are asked for in turn, so that what else the
machine does falls on both; the target is a ratio of the medians between 0.9 and 1.1.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime

from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.desk.auth import links
from lead_service.desk.team import membership
from lead_service.settings import Settings, load

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ROUNDS = 600


def ask(database: Database, settings: Settings, address: str) -> float:
    """Request a link like the sign-in page; return the milliseconds."""
    began = time.perf_counter()
    database.write(
        lambda session: links.mail_link(session, settings, address, NOW, browser="another")
    )
    return (time.perf_counter() - began) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"VAR_DIR": folder})
        database = Database(settings.database_url)
        schema.migrate(database)

        def let_in(session) -> None:
            for number in range(ROUNDS):
                membership.add_member(session, f"member{number}@example.com", NOW)

        database.write(let_in)
        known: list[float] = []
        unknown: list[float] = []
        for number in range(ROUNDS):
            both = [
                (known, f"member{number}@example.com"),
                (unknown, f"nobody{number}@example.com"),
            ]
            for times, address in both if number % 2 else reversed(both):
                times.append(ask(database, settings, address))
        database.close()
    medians = statistics.median(known), statistics.median(unknown)
    print(f"asking for a link: member {medians[0]:.2f} ms, nobody {medians[1]:.2f} ms")
    print(f"ratio {medians[0] / medians[1]:.2f}")
