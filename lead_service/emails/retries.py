"""How long to wait before the next try, and the limits by which `outbox` gives up."""

import random
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=2)  # by our own backoff
LONGEST_ASKED = timedelta(hours=1)  # that the provider may ask for
PROBE_EVERY = timedelta(minutes=10)  # while sending is paused or stopped, one email is tried
TRIES_BEFORE_DEAD = 48
SPAN_BEFORE_DEAD = timedelta(hours=72)


def next_time(tries: int, retry_at: datetime | None, now: datetime) -> datetime:
    """Return when to retry: after our backoff, or later if asked, within LONGEST_ASKED."""
    own = now + back_off(tries, random.random())
    return max(own, min(retry_at or own, now + LONGEST_ASKED))


def back_off(tries: int, chance: float) -> timedelta:
    """Return how long to wait after `tries` failures, by a `chance` in [0, 1).

    Exponential with full jitter (anything from a second to the ceiling), so that mails which
    failed together do not come back together.
    """
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 16))
    return timedelta(seconds=1) + chance * (ceiling - timedelta(seconds=1))
