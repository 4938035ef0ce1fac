"""Rate limits counted in memory."""

import time

import pytest

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
    """Advance every clock by some seconds."""
    now = time.time()
    return lambda seconds: monkeypatch.setattr(time, "time", lambda: now + seconds)


def test_hits_are_counted_again_once_the_wait_is_over(counter, later):
    later(0)
    counter.hit("1 per second", "client")
    wait = counter.hit("1 per second", "client")
    assert wait == 1
    later(wait + 0.01)
    assert counter.hit("1 per second", "client") == 0
