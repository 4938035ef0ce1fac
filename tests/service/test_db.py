"""The database layer on both databases: what is acknowledged is kept, and writers take turns."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from sqlalchemy import CheckConstraint, UniqueConstraint, delete, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lead_service import db
from lead_service.db import Base, Database, StorageBusy, UtcDateTime, broken_rule
from tests.service.postroom import in_threads

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


class OwnBase(DeclarativeBase):
    """Tables of this file alone, named and typed as the product's are."""

    metadata = type(Base.metadata)(naming_convention=Base.metadata.naming_convention)
    type_annotation_map = Base.type_annotation_map


class Counter(OwnBase):
    __tablename__ = "counter"
    __table_args__ = (
        UniqueConstraint("name", "half"),
        CheckConstraint("value >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    half: Mapped[int] = mapped_column(default=0)
    value: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(default=NOON)


@pytest.fixture
def counters(db_url):
    """A database with two counters in it, `a` and `b`, at 0."""
    database = Database(db_url)
    OwnBase.metadata.create_all(database.engine)
    database.write(lambda session: session.add_all([Counter(name="a"), Counter(name="b")]))
    yield database
    database.close()


@pytest.fixture
def on_sqlite(counters):
    if not counters.is_sqlite:
        pytest.skip("about SQLite alone")
    return counters


@pytest.fixture
def on_postgresql(counters):
    if counters.is_sqlite:
        pytest.skip("about PostgreSQL alone")
    return counters


def value(database: Database, name: str = "a") -> int:
    with database.read() as session:
        return session.scalar(select(Counter.value).where(Counter.name == name))


def set_to(session, name: str, number: int) -> None:
    session.execute(update(Counter).where(Counter.name == name).values(value=number))


# -- Transactions ---------------------------------------------------------------------------


def test_a_write_commits_all_and_returns_what_the_work_returned(counters):
    def work(session):
        set_to(session, "a", 1), set_to(session, "b", 2)
        return "done"

    assert counters.write(work) == "done"
    assert (value(counters, "a"), value(counters, "b")) == (1, 2)


def test_a_write_that_fails_leaves_nothing(counters):
    def work(session):
        set_to(session, "a", 1)
        session.flush()
        raise RuntimeError("after the first change")

    with pytest.raises(RuntimeError):
        counters.write(work)
    assert value(counters) == 0


def test_a_failed_write_takes_back_its_tables_too(counters):
    def work(session):
        session.execute(text("CREATE TABLE half_made (id INTEGER)"))
        raise RuntimeError("after the table was made")

    with pytest.raises(RuntimeError):
        counters.write(work)
    with counters.read() as session, pytest.raises(DBAPIError):
        session.execute(text("SELECT * FROM half_made"))


def test_what_is_changed_while_reading_is_not_kept(counters):
    with counters.read() as session:
        set_to(session, "a", 1)
    assert value(counters) == 0


def test_writers_that_read_first_take_turns_and_lose_nothing(counters):
    def count_ten() -> None:
        for _ in range(10):
            counters.write(add_one)

    def add_one(session) -> None:
        found = session.scalar(select(Counter).where(Counter.name == "a").with_for_update())
        found.value += 1

    in_threads(count_ten, 4)
    assert value(counters) == 40


def test_a_deadlock_is_tried_again_from_the_start(on_postgresql):
    both_hold = threading.Barrier(2)
    runs, done = [], []

    def crosswise(first: str, second: str) -> None:
        def work(session) -> None:
            runs.append(first)
            session.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            set_to(session, first, 1)
            if len(runs) <= 2:
                both_hold.wait()
            set_to(session, second, 1)

        done.append(on_postgresql.write(work))

    pairs = [("a", "b"), ("b", "a")]
    threads = [threading.Thread(target=crosswise, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) > len(done) == 2


@pytest.mark.parametrize("state", ["40P01", "40001"])
def test_a_conflict_that_does_not_end_is_given_up_after_three_tries(counters, state):
    class Conflict(Exception):
        sqlstate = state

    runs = []

    def work(_session) -> None:
        runs.append(1)
        raise DBAPIError("UPDATE", {}, Conflict())

    with pytest.raises(DBAPIError):
        counters.write(work)
    assert len(runs) == 3


def test_other_faults_are_not_tried_again(counters):
    runs = []

    def work(session) -> None:
        runs.append(1)
        session.add(Counter(name="a"))

    with pytest.raises(IntegrityError):
        counters.write(work)
    assert len(runs) == 1


# -- SQLite ---------------------------------------------------------------------------------


def test_every_connection_is_set_up_to_keep_what_it_acknowledged(on_sqlite):
    for engine in (on_sqlite.engine, on_sqlite._writer):
        with engine.connect() as connection:
            read = lambda name, c=connection: c.scalar(text(f"PRAGMA {name}"))  # noqa: E731
            assert (read("journal_mode"), read("synchronous")) == ("wal", 2)
            assert (read("foreign_keys"), read("busy_timeout")) == (1, 5000)


def test_a_write_locks_before_it_reads(on_sqlite):
    path = on_sqlite.engine.url.database

    def work(session) -> None:
        session.scalar(select(Counter.value))
        with sqlite3.connect(path, timeout=0) as other, pytest.raises(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")

    on_sqlite.write(work)


def test_a_reader_does_not_wait_for_a_writer(on_sqlite):
    def work(session) -> None:
        set_to(session, "a", 1)
        session.flush()
        assert value(on_sqlite) == 0

    on_sqlite.write(work)
    assert value(on_sqlite) == 1


def test_a_writer_that_waits_too_long_is_told_so_and_stores_nothing(on_sqlite, monkeypatch):
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.1)
    another = Database(on_sqlite.engine.url.render_as_string())

    def work(_session) -> None:
        for database in (on_sqlite, another):  # a thread of this process, and another process
            with pytest.raises(StorageBusy):
                database.write(lambda session: set_to(session, "a", 1))

    on_sqlite.write(work)
    assert value(on_sqlite) == 0
    another.write(lambda session: set_to(session, "a", 2))
    assert value(on_sqlite) == 2
    another.close()


def test_a_program_that_knows_nothing_of_our_turns_makes_us_wait_and_then_say_so(
    on_sqlite, monkeypatch
):
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.1)
    patient = Database(on_sqlite.engine.url.render_as_string())
    other = sqlite3.connect(on_sqlite.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises((StorageBusy, OperationalError)):
        patient.write(lambda session: set_to(session, "a", 1))
    other.execute("ROLLBACK")
    other.close()
    patient.write(lambda session: set_to(session, "a", 1))
    assert value(on_sqlite) == 1
    patient.close()


def test_the_lock_file_is_the_owners_alone(on_sqlite):
    lock = Path(f"{on_sqlite.engine.url.database}.lock")
    assert lock.stat().st_mode & 0o777 == 0o600


# -- Values and rules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Counter(name="a"), "uq_counter_name_half"),
        (Counter(name="c", value=-1), "ck_counter_not_negative"),
    ],
    ids=["unique", "check"],
)
def test_a_broken_rule_has_one_name_on_both_databases(counters, broken, rule):
    copy = Counter(name=broken.name, value=broken.value)
    with pytest.raises(IntegrityError) as error:
        counters.write(lambda session: session.add(copy))
    assert broken_rule(error.value) == rule


def test_an_instant_comes_back_aware_in_utc_whatever_zone_it_was_given_in(counters):
    given_at = datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    def store(session) -> None:
        session.execute(delete(Counter))
        session.add(Counter(name="c", at=given_at))

    counters.write(store)
    with counters.read() as session:
        at = session.scalar(select(Counter.at))
        assert at == given_at and at.tzinfo is UTC
        assert session.scalar(select(Counter.name).where(Counter.at <= NOON)) == "c"


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_is_stored_as_utc(instant):
    try:
        expected = instant.astimezone(UTC)
    except OverflowError:
        return
    assert UtcDateTime().process_bind_param(instant, None) == expected


@given(st.datetimes())
def test_an_instant_without_a_zone_is_refused(instant):
    with pytest.raises(ValueError, match="zone"):
        UtcDateTime().process_bind_param(instant, None)


def test_no_error_of_the_database_repeats_what_was_typed(counters):
    with pytest.raises(IntegrityError) as error:
        counters.write(lambda session: session.add_all([Counter(name="Ada"), Counter(name="Ada")]))
    assert "Ada" not in str(error.value).partition("DETAIL")[0]
