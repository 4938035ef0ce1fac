"""Our settings of SQLite: durable commits, and writers that queue instead of failing."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from lead_service import clock
from lead_service.book.availability import queries
from lead_service.book.hosts.models import Host
from lead_service.db import engine as db_engine
from lead_service.db.engine import Database, StorageBusy
from tests.support.app.counter_table import Counter, set_to, value, with_counters
from tests.support.databases import sqlite_url
from tests.support.engines import only_sqlite


@pytest.fixture
def counters(tmp_path):
    database = with_counters(sqlite_url(tmp_path))
    yield database
    database.close()


def test_every_connection_is_set_up_for_durable_commits(counters):
    for engine in (counters.engine, counters._writer):
        with engine.connect() as connection:
            read = lambda name, c=connection: c.scalar(text(f"PRAGMA {name}"))  # noqa: E731
            assert (read("journal_mode"), read("synchronous")) == ("wal", 2)
            assert (read("foreign_keys"), read("busy_timeout")) == (1, 5000)


def test_a_write_locks_before_it_reads(counters):
    path = counters.engine.url.database

    def work(session) -> None:
        session.scalar(select(Counter.value))
        with sqlite3.connect(path, timeout=0) as other, pytest.raises(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")

    counters.write(work)


def test_a_reader_does_not_wait_for_a_writer(counters):
    def work(session) -> None:
        set_to(session, "a", 1)
        session.flush()
        assert value(counters) == 0

    counters.write(work)
    assert value(counters) == 1


def test_a_writer_that_waits_too_long_fails_and_stores_nothing(counters, monkeypatch):
    monkeypatch.setattr(db_engine, "BUSY_SECONDS", 0.1)
    another = Database(counters.engine.url.render_as_string())

    def work(_session) -> None:
        for database in (counters, another):  # a thread of this process, and another process
            with pytest.raises(StorageBusy):
                database.write(lambda session: set_to(session, "a", 1))

    counters.write(work)
    assert value(counters) == 0
    another.write(lambda session: set_to(session, "a", 2))
    assert value(counters) == 2
    another.close()


def test_another_programs_lock_is_waited_for_and_then_reported(counters, monkeypatch):
    monkeypatch.setattr(db_engine, "BUSY_SECONDS", 0.1)
    patient = Database(counters.engine.url.render_as_string())
    other = sqlite3.connect(counters.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises((StorageBusy, OperationalError)):
        patient.write(lambda session: set_to(session, "a", 1))
    other.execute("ROLLBACK")
    other.close()
    patient.write(lambda session: set_to(session, "a", 1))
    assert value(counters) == 1
    patient.close()


def test_the_lock_file_is_the_owners_alone(counters):
    lock = Path(f"{counters.engine.url.database}.lock")
    assert lock.stat().st_mode & 0o777 == 0o600


@only_sqlite
def test_the_bookings_of_a_page_of_times_are_found_by_host_and_start(context):
    asked = []
    with context.database.read() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        host, weeks = session.scalars(select(Host)).one(), timedelta(days=28)
        queries.bookings(session, [host], clock.now(), clock.now() + weeks)
        statement, values = asked[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        steps = " ".join(row[-1] for row in plan)
    assert "ix_booking_host_id_starts_at" in steps
