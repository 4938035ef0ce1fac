"""The database layer on both databases: committed writes are kept, and writers take turns."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
import pytest
from hypothesis import given
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from lead_service.db.base import UtcDateTime, broken_rule
from tests.support.app.counter_table import NOON, Counter, set_to, value, with_counters
from tests.support.app.outbox_helper import in_threads
from tests.support.engines import only_postgresql
from tests.support.waiting import eventually

pytestmark = pytest.mark.both_engines


@pytest.fixture
def counters(db_url):
    database = with_counters(db_url)
    yield database
    database.close()


# -- Transactions ---------------------------------------------------------------------------


def test_a_write_commits_everything_and_returns_the_result_of_its_work(counters):
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


def test_changes_in_a_read_session_are_rolled_back(counters):
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


@only_postgresql
def test_a_deadlocked_transaction_is_retried(counters):
    both_hold, one_is_done = threading.Barrier(2), threading.Event()
    runs, done = [], []

    def crosswise(first: str, second: str) -> None:
        def work(session) -> None:
            runs.append(first)
            if len(runs) > 2:
                one_is_done.wait(60)
            session.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            set_to(session, first, 1)
            if len(runs) <= 2:
                both_hold.wait()
            set_to(session, second, 1)

        done.append(counters.write(work))
        one_is_done.set()

    pairs = [("a", "b"), ("b", "a")]
    threads = [threading.Thread(target=crosswise, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 3 and len(done) == 2


@pytest.mark.parametrize("state", ["40P01", "40001"])
def test_a_lasting_conflict_fails_after_three_tries(counters, state):
    class Conflict(Exception):
        sqlstate = state

    runs = []

    def work(_session) -> None:
        runs.append(1)
        raise DBAPIError("UPDATE", {}, Conflict())

    with pytest.raises(DBAPIError):
        counters.write(work)
    assert len(runs) == 3


def test_other_errors_are_not_retried(counters):
    runs = []

    def work(session) -> None:
        runs.append(1)
        session.add(Counter(name="a"))

    with pytest.raises(IntegrityError):
        counters.write(work)
    assert len(runs) == 1


# -- Values and rules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Counter(name="a"), "uq_counter_name_half"),
        (Counter(name="c", value=-1), "ck_counter_not_negative"),
    ],
    ids=["unique", "check"],
)
def test_a_violated_constraint_has_one_name_on_both_databases(counters, broken, rule):
    copy = Counter(name=broken.name, value=broken.value)
    with pytest.raises(IntegrityError) as error:
        counters.write(lambda session: session.add(copy))
    assert broken_rule(error.value) == rule


def test_an_instant_of_any_zone_is_read_back_in_utc(counters):
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


def test_no_error_repeats_the_values_of_its_statement(counters):
    with pytest.raises(IntegrityError) as error:
        counters.write(lambda session: session.add(Counter(name="a", at=NOON)))
    assert "[parameters:" not in str(error.value)


@only_postgresql
def test_the_daily_cleanup_vacuums_the_tables(counters):
    counters.write(lambda session: set_to(session, "a", 1))
    counters.clean_up()
    query = text("SELECT last_vacuum FROM pg_stat_user_tables WHERE relname = 'counter'")

    def is_vacuumed() -> bool:
        with counters.engine.connect() as connection:
            return connection.scalar(query) is not None

    assert eventually(is_vacuumed)
