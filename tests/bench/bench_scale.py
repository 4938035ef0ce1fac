"""Time pages and jobs with 200 and with 20,000 leads: `python -m tests.bench bench_scale`.

A hundred times the rows, each lead with its answers, calls, emails and events: the made-up data of
`lead-service demo`, copied. On SQLite in a temporary folder, or on the empty database that
`BENCH_DATABASE_URL` names. handbook/scale.md is written from what this prints.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Index, Table, UniqueConstraint, func, select, text

from lead_service import clock, create_app
from lead_service.accounts.audit_log import Actor
from lead_service.db.base import Base
from lead_service.db.engine import Database
from lead_service.leads.models import Lead
from lead_service.privacy import erasure, export
from lead_service.settings import load
from tests.bench import bench_load
from tests.support.app.desk_client import sign_in
from tests.support.processes import PROGRAM

FEW, MANY = 200, 20_000  # leads
COPIED = ("lead", "assessment", "consent", "lead_event", "note", "outbox", "booking")
OWN_TEXT = {"address", "email", "sort_name", "sought"}  # columns that each copied person needs
BATCH = 2_000  # rows per statement
BACK = timedelta(minutes=37)  # each copy's times are that much earlier
ADMIN = "grace@example.com"
PAGES = {
    "times": "/book/",
    "inbox": "/desk/",
    "search": "/desk/?q=works",
    "one lead": "/desk/leads/5/",
    "calls": "/desk/calls/",
    "emails": "/desk/outbox/",
    "funnel, 12 weeks": "/desk/funnel/",
    "privacy": "/desk/privacy/",
}


def copy_rows(connection: Connection, wanted: int) -> None:
    """Copy the made-up people with all of their rows until there are `wanted` leads."""
    tables = [table for table in Base.metadata.sorted_tables if table.name in COPIED]
    stored = {
        table: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in tables
    }
    ids = [row["id"] for rows in stored.values() for row in rows]
    step = 1 + max(id for id in ids if isinstance(id, int))
    leads = len(stored[Base.metadata.tables["lead"]])
    before = connection.scalar(text("SELECT count(*) FROM lead")) or 0
    for table, rows in stored.items():
        copies: list[dict] = []
        for number in range(before // leads, wanted // leads):
            copies += (_copy(table, row, number, step * number) for row in rows)
            if len(copies) > BATCH:
                connection.execute(table.insert(), copies)
                copies = []
        if copies:
            connection.execute(table.insert(), copies)
    connection.execute(text("ANALYZE"))


def _copy(table: Table, row: dict[str, Any], number: int, shift: int) -> dict[str, Any]:
    unique: list[Index | UniqueConstraint] = [one for one in table.indexes if one.unique]
    unique += [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    own = OWN_TEXT | {"id"} | {column.name for one in unique for column in one.columns}
    copied = {key.parent.name for key in table.foreign_keys if key.column.table.name in COPIED}
    changed: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, int) and (name == "id" or name in copied):
            changed[name] = value + shift
        elif isinstance(value, str) and name in own and value:
            changed[name] = f"{shift}-{value}"[: getattr(table.columns[name].type, "length", None)]
        elif isinstance(value, datetime):
            changed[name] = value - BACK * number
    return row | changed


def cpu(work: Callable[[], object], times: int = 3) -> float:
    """Return the fewest milliseconds of processor time of several runs."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken) * 1000


def measure(given: dict[str, str]) -> dict[str, float]:
    """Return the milliseconds of each page and job."""
    settings = load(given)
    app = create_app(settings)
    client, context = app.test_client(), app.extensions["lead_service"]
    sign_in(client, context.database, settings, ADMIN)
    found = {}

    def open_page(path: str) -> bytes:
        response = client.get(path, base_url=settings.public_url)
        assert response.status_code == 200, (path, response.status)
        return response.get_data()

    for name, path in PAGES.items():
        open_page(path)
        found[name] = cpu(partial(open_page, path))
    with context.database.read() as session:
        one, other = session.scalars(select(Lead.email).order_by(Lead.id.desc()).limit(2))
        leads = session.scalar(select(func.count(Lead.id))) or 0
        found["export of one address"] = cpu(lambda: export.export_data(session, settings, one))
    found["CSV, for each lead"] = cpu(lambda: open_page("/desk/leads.csv"), 1) / leads
    erase = partial(erasure.erase, settings=settings, address=other, by=Actor(clock.now()))
    found["erasing one address"] = cpu(lambda: context.database.write(erase), 1)
    context.database.close()
    return found


def main() -> None:
    """Print how the time of each page and job grows."""
    with tempfile.TemporaryDirectory() as folder:
        given = bench_load.environment(Path(folder))
        if url := os.environ.get("BENCH_DATABASE_URL"):
            given["DATABASE_URL"] = url
        subprocess.run(
            [*PROGRAM, "demo"], env=os.environ | given, check=True, stdout=subprocess.DEVNULL
        )
        database, times = Database(given["DATABASE_URL"]), []
        for leads in (FEW, MANY):
            with database.engine.begin() as connection:
                copy_rows(connection, leads)
            times.append(measure(given))
        database.close()
    print(f"{'milliseconds of the processor':32}{FEW:>9,}{MANY:>9,} leads")
    for name, few in times[0].items():
        many = times[1][name]
        print(f"{name:32}{few:9.1f}{many:9.1f}  {many / few:5.1f} times")
