"""Limits that are counted in memory."""

import threading
import time

import pytest

from lead_service.web import rate_limits
from lead_service.web.rate_limits import RateLimits


@pytest.fixture
def counter() -> RateLimits:
    return RateLimits("memory://")


def test_hits_beyond_a_limit_say_how_long_to_wait(counter):
    assert [counter.hit("2 per hour", "client") for _ in range(2)] == [0, 0]
    assert 3590 <= counter.hit("2 per hour", "client") <= 3600
    assert counter.hit("2 per hour", "another") == 0


@pytest.fixture
def later(monkeypatch):
    """Let seconds pass for all who read the clock."""
    now = time.time()
    return lambda seconds: monkeypatch.setattr(time, "time", lambda: now + seconds)


def test_hits_are_counted_again_once_the_wait_is_over(counter, later):
    later(0)
    counter.hit("1 per second", "client")
    wait = counter.hit("1 per second", "client")
    assert wait == 1
    later(wait + 0.01)
    assert counter.hit("1 per second", "client") == 0


def test_hits_start_no_thread_each(counter, monkeypatch):
    started = []
    begin = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda it: (started.append(it), begin(it)))
    for _ in range(10):
        counter.hit("100 per second", "client")
        counter.here.storage.timer.join()  # what was swept is swept: the next may start another
    assert len(started) <= 2  # one that the library starts when it is made, and one sweep


def test_what_has_expired_is_swept(counter, monkeypatch, later):
    monkeypatch.setattr(rate_limits, "SWEPT_EVERY", 0)
    memory = counter.here.storage
    counter.hit("1 per hour", "gone")
    later(3601)
    memory.timer.join()
    counter.hit("2 per hour", "client")
    memory.timer.join()
    assert len([key for key, events in memory.events.items() if events]) == 1
