"""Compare pages of times and bookings with an empty and with a full calendar.

Rounds of the empty and of the full product take turns, and so do those of the floor that
`bench_load` describes.
"""

import tempfile
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lead_service.book.availability import time_cells
from lead_service.book.forms import start_text
from lead_service.book.hosts import setup
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking
from lead_service.book.terms import Terms
from lead_service.call_types import PHONE, VIDEO
from lead_service.db.engine import Database
from lead_service.leads.models import Lead
from tests.bench import bench_load
from tests.bench.load import get, post
from tests.support.local_server import free_port
from tests.support.processes import Product

STORED = 1600  # bookings of the full calendar, over the next 60 days
POSTS = 300  # bookings per round
TARGETS = {"times, full / empty": 0.9, "book / floor": 0.12, "book, full / empty": 0.9}


def main() -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        empty, full = (bench_load.environment(Path(name)) for name in (one, two))
        for environment, count in ((empty, 0), (full, STORED)):
            _fill(Database(environment["DATABASE_URL"]), count)
        port = free_port()
        floor_process = bench_load.start_floor(Path(one), port)
        floor = bench_load.Target(floor_process.pid, port)
        try:
            with Product(empty, "web") as light, Product(full, "web") as heavy:
                _compare(_target(light), _target(heavy), floor)
        finally:
            floor_process.terminate()
            floor_process.wait()


def _target(product: Product) -> bench_load.Target:
    return bench_load.Target(product.process.pid, int(product.port))


def _fill(database: Database, count: int) -> None:
    """Open the host all day for 90 days; book `count` starts of the first 60, two in three."""
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)

    def work(session) -> None:
        host = session.get_one(Host, 1)
        host.notice, host.horizon_days = 0, 90
        host.hours = setup.weekly_hours(["00:00-24:00"] * 7)
        lead = Lead(email="full@example.com", address="full@example.com", created_at=begin)
        lead.touched_at, lead.sort_name, lead.sought = begin, "", ""
        for number in range(count):
            start = begin + timedelta(minutes=30 * (number + number // 2))
            keys = dict.fromkeys(("uid", "token_hash", "submission_key"), str(number))
            call = Booking(host=host, lead=lead, duration=30, starts_at=start, **keys)
            call.buffer_before = call.buffer_after = 0
            call.host_zone = call.visitor_zone = "UTC"
            call.name, call.email, call.meeting_link = "", lead.email, ""
            call.created_at = begin
            session.add(call)
            time_cells.hold(session, call)

    database.write(work)
    database.close()


def _compare(light: bench_load.Target, heavy: bench_load.Target, floor: bench_load.Target) -> None:
    numbers = iter(range(10**9))
    times = lambda at, _number: get("/book/?zone=America/New_York", at)  # noqa: E731
    lead = lambda at, _number: post("/contact/", at, bench_load.form(next(numbers)))  # noqa: E731
    free = {light.port: _free_starts(), heavy.port: _free_starts()}
    book = lambda at, _number: post("/book/", at, _form(next(free[at]), next(numbers)))  # noqa: E731
    rounds = range(bench_load.ROUNDS)
    pages = [(light.load(times, 200), heavy.load(times, 200)) for _ in rounds]
    _print("times, full / empty", [(full, empty) for empty, full in pages])
    booked = [
        (light.load(book, 303, POSTS), heavy.load(book, 303, POSTS), floor.load(lead, 303, POSTS))
        for _ in rounds
    ]
    _print("book / floor", [(empty, least) for empty, _, least in booked])
    _print("book, full / empty", [(full, empty) for empty, full, _ in booked])


def _print(name: str, pairs: list) -> None:
    """Print the pair with the median ratio: by rate, and by processor time."""
    pairs.sort(key=lambda pair: pair[0][0].rate / pair[1][0].rate)
    (own, own_cpu), (other, other_cpu) = pairs[len(pairs) // 2]
    failed = sum(pair[0][0].failed + pair[1][0].failed for pair in pairs)
    p50, p99 = own.percentile(50), own.percentile(99)
    print(
        f"{name:<21} ratio {own.rate / other.rate:.2f}, by cpu {other_cpu / own_cpu:.2f}"
        f" (target {TARGETS[name]}), p50 {p50:.1f} ms, p99/p50 {p99 / p50:.1f} (allowed 3)"
        + (f", {failed} answers were not as they should be" if failed else "")
    )


def _free_starts() -> Iterator[datetime]:
    """Yield free starts, every half hour after those of the full calendar."""
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=62)
    for number in range(10**6):
        yield begin + timedelta(minutes=30 * number)


def _form(start: datetime, number: int) -> str:
    terms = Terms(30, frozenset({PHONE, VIDEO}), "free")
    more = urllib.parse.urlencode({"start": start_text(start), "terms": str(terms)})
    return f"{bench_load.form(number)}&{more}"
