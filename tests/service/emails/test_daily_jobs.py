"""The deliver process's other work: daily jobs and background tasks."""

import threading
import time
from datetime import timedelta

import pytest

from lead_service import clock
from lead_service.emails import worker
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.outbox_helper import compose


def chores_in(settings, monkeypatch, hours: list[int], chore) -> int:
    """Run the process with the clock at each of these hours; count its daily jobs."""
    monkeypatch.setattr(clock, "now", lambda: MONDAY_MORNING)
    done = []
    looks = iter(hours)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0)

    def is_over() -> bool:
        hour = next(looks, None)
        if hour is None:
            return True
        monkeypatch.setattr(clock, "now", lambda: MONDAY_MORNING + timedelta(hours=hour))
        return False

    def daily(database) -> None:
        done.append(database)
        chore()

    worker.run(settings, compose, until=is_over, daily=daily)
    return len(done)


def test_daily_jobs_run_at_the_start_and_once_a_day(settings, database, monkeypatch):
    hours = [0, 1, 12, 23, 24, 25, 47, 48]
    assert chores_in(settings, monkeypatch, hours, lambda: None) == 3


def test_a_clock_that_was_ahead_delays_no_daily_job(settings, database, monkeypatch):
    assert chores_in(settings, monkeypatch, [0, 30_000, 1, 2], lambda: None) == 3


def test_a_failed_daily_job_does_not_stop_emails_and_is_not_retried_at_once(
    settings, database, monkeypatch
):
    def fail() -> None:
        raise RuntimeError

    assert chores_in(settings, monkeypatch, [0, 1, 2, 25], fail) == 2


AHEAD = timedelta(days=1200)


@pytest.mark.parametrize(
    ("can_ask", "doubted", "done_at"),
    [
        (True, 0, [MONDAY_MORNING]),
        (False, worker.DOUBTED_SECONDS, [MONDAY_MORNING]),
        (False, 0, [MONDAY_MORNING + AHEAD, MONDAY_MORNING]),
    ],
    ids=["another clock says so", "it has just leapt", "it stays so"],
)
def test_no_work_is_done_while_the_clock_is_wrong(
    settings, database, monkeypatch, can_ask, doubted, done_at
):
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0)
    monkeypatch.setattr(worker, "DOUBTED_SECONDS", doubted)
    shown = iter([AHEAD, AHEAD, AHEAD, timedelta(), timedelta(), None])
    now, done = [MONDAY_MORNING], []
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def is_over() -> bool:
        if (wrong_by := next(shown)) is None:
            return True
        now[0] = MONDAY_MORNING + wrong_by
        return False

    def fault(_database) -> str | None:
        return "it is years ahead" if can_ask and now[0] > MONDAY_MORNING else None

    daily = lambda _db: done.append(now[0])  # noqa: E731
    worker.run(settings, compose, until=is_over, daily=daily, clock_fault=fault)
    assert done == done_at


def test_background_tasks_are_independent_and_wait_while_the_clock_is_wrong(
    settings, database, monkeypatch
):
    monkeypatch.setattr(worker, "BESIDE_SECONDS", 0.01)
    done = threading.Event()

    def fail(_database) -> None:
        raise RuntimeError

    worker.run(settings, compose, until=done.is_set, beside=[fail, lambda _db: done.set()])
    worked = []
    ends = time.monotonic() + 0.2
    worker.run(
        settings,
        compose,
        until=lambda: time.monotonic() > ends,
        beside=[worked.append],
        clock_fault=lambda _database: "it is years ahead",
    )
    assert worked == []
