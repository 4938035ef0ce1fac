"""Time the desk's list with 50,000 leads: `python -m tests.bench.bench_desk [DATABASE_URL]`.

Each view is measured against the plain list's first page of the same run, on SQLite in a
temporary folder, or on the empty database whose URL is given. The depth of a page must cost
nothing. A search reads every lead, and is fast enough while it takes less than 100 plain lists.
"""

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from lead_service.accounts.members import Member
from lead_service.book.models import Booking
from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.desk import pagination
from lead_service.desk.leads import filters
from lead_service.desk.leads.filters import LeadFilter
from lead_service.leads import models
from lead_service.leads.models import Lead

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LEADS = 50_000
HOST = (
    "INSERT INTO host (name, email, zone, meeting_link, is_active, duration, interval,"
    " buffer_before, buffer_after, notice) VALUES ('Ann', 'ann@example.com', 'UTC', '', true,"
    " 30, 30, 0, 0, 0)"
)
VIEWS = {
    "all": LeadFilter(),
    "newest": LeadFilter(sort="newest"),
    "by name": LeadFilter(sort="name"),
    "by next action": LeadFilter(sort="next"),
    "one stage": LeadFilter(stage="qualified"),
    "one owner": LeadFilter(owner="2"),
    "a stage of an owner": LeadFilter(owner="2", stage="qualified"),
    **{f"quick: {name}": LeadFilter(quick=name) for name in filters.QUICK},
    "search, many": LeadFilter(asked="works"),
    "search, one": LeadFilter(asked="lead31415"),
    "search, nobody": LeadFilter(asked="nobody-at-all"),
}


def fill(database: Database) -> None:
    """Make leads as years of work would leave them: most are closed, few need somebody."""
    chance = random.Random(7)
    with database.engine.begin() as connection:
        people = [
            {"email": f"m{number}@example.com", "role": "member", "created_at": NOW, "name": ""}
            for number in range(8)
        ]
        connection.execute(insert(Member), people)
        connection.execute(insert(Lead), [_lead(number, chance) for number in range(LEADS)])
        connection.execute(text(HOST))
        calls = [_call(number, chance) for number in range(1, LEADS, 3)]
        connection.execute(insert(Booking), calls)
        connection.execute(text("ANALYZE"))


def _lead(number: int, chance: random.Random) -> dict:
    stage = chance.choices(list(models.Stage), (3, 5, 5, 20, 67))[0]
    is_open = stage not in models.CLOSED
    at = NOW - timedelta(minutes=chance.randrange(1_000_000))
    name, company = (
        f"Lead{number} Example",
        f"{chance.choice(('Steel', 'Food'))} Works {number % 900}",
    )
    address = f"lead{number}@example.com"
    has_action = is_open and chance.random() < 0.5
    on = NOW.date() + timedelta(days=chance.randrange(-5, 60))
    return {
        "address": address,
        "email": address,
        "name": name,
        "company": company,
        "phone": "",
        "stage": stage,
        "owner_id": None if chance.random() < 0.05 else chance.randrange(1, 9),
        "next_action": "Call" if has_action else "",
        "next_action_on": on if has_action else None,
        "version": 1,
        "bounced_at": at if chance.random() < 0.002 else None,
        "quarantine": chance.random() < 0.001,
        "created_at": at,
        "touched_at": at,
        "sort_name": name.casefold(),
        "sought": f"{name}\n{company}\n{address}\n{address}".casefold(),
    }


def _call(number: int, chance: random.Random) -> dict:
    starts_at = NOW + timedelta(hours=chance.randrange(-17_000, 400))
    same = {"duration": 30, "buffer_before": 0, "buffer_after": 0, "host_zone": "UTC"}
    return same | {
        "uid": f"u{number}",
        "sequence": 0,
        "token_hash": f"t{number}",
        "submission_key": f"k{number}",
        "host_id": 1,
        "lead_id": number,
        "status": "confirmed",
        "quarantine": False,
        "starts_at": starts_at,
        "visitor_zone": "UTC",
        "meeting_link": "",
        "name": "",
        "email": "",
        "address_changes": 0,
        "company": "",
        "phone": "",
        "topic": "",
        "created_at": NOW,
    }


def best_of(times: int, work) -> float:
    """Give the least time of several runs, in milliseconds: the one least disturbed."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken) * 1000


def first_page(database: Database, view: LeadFilter, after=None):
    with database.read() as session:
        return pagination.next_rows(
            session, *view.query(session, NOW, NOW.date()), pagination.PAGE, after
        )


def deep(database: Database, view: LeadFilter):
    """Return the place after 80 % of a view's rows."""
    with database.read() as session:
        query, order = view.query(session, NOW, NOW.date())
        places = query.with_only_columns(order.by, order.id).order_by(*order.columns())
        rows = session.execute(places).all()
    return tuple(rows[len(rows) * 4 // 5]) if len(rows) > pagination.PAGE else None


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        given = [one for one in sys.argv[1:] if "://" in one]
        database = Database(given[0] if given else f"sqlite:///{Path(folder) / 'bench.db'}")
        schema.migrate(database)
        fill(database)
        measure(database)
        database.close()


def measure(database: Database) -> None:
    plain = best_of(20, lambda: first_page(database, VIEWS["all"]))
    print(f"{LEADS} leads, {database.engine.dialect.name}; the plain list: {plain:.1f} ms, or 1.0")
    print(f"{'view':24}{'first page':>12}{'deep page':>12}")
    for name, view in VIEWS.items():
        first = best_of(10, lambda view=view: first_page(database, view)) / plain
        place = deep(database, view)
        depth = (
            best_of(10, lambda view=view, place=place: first_page(database, view, place)) / plain
        )
        print(f"{name:24}{first:12.1f}{depth if place else 0:12.1f}")
    with database.read() as session:
        numbers = best_of(10, lambda: filters.counts(session, NOW, NOW.date())) / plain
    print(f"{'the numbers of all':24}{numbers:12.1f}")


if __name__ == "__main__":
    main()
