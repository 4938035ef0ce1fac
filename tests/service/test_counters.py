"""Limits that are counted in memory."""

import threading
import time

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from lead_service import counters

TWICE = parse("2 per second")


def test_memory_is_ours_and_counts_as_the_library_s_does():
    memory = storage_from_string("memory://")
    assert type(memory) is counters.Memory
    limiter = MovingWindowRateLimiter(memory)
    assert [limiter.hit(TWICE, "client") for _ in range(3)] == [True, True, False]
    assert limiter.hit(TWICE, "another")


def test_hits_start_no_thread_each(monkeypatch):
    started = []
    begin = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda it: (started.append(it), begin(it)))
    memory = storage_from_string("memory://")
    limiter = MovingWindowRateLimiter(memory)
    for _ in range(10):
        limiter.hit(TWICE, "client")
        memory.timer.join()  # what was swept is swept: the next hit may start another
    assert len(started) <= 2  # one that the library starts when it is made, and one sweep


def test_what_has_expired_is_swept(monkeypatch):
    monkeypatch.setattr(counters, "SWEPT_EVERY", 0)
    memory = storage_from_string("memory://")
    limiter = MovingWindowRateLimiter(memory)
    limiter.hit(parse("1 per second"), "gone")
    time.sleep(1.05)
    memory.timer.join()
    limiter.hit(TWICE, "client")
    memory.timer.join()
    assert len([key for key, events in memory.events.items() if events]) == 1
