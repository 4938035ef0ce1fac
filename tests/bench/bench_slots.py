"""Time the slot engine against a plain loop: `python -m tests.bench.bench_slots`.

Both answer the same question: which half-hour starts of 60 days are open, given 1,000 busy
intervals. The target is a tenth of the loop's time.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lead_service.book.availability.intervals import Hours, Window
from lead_service.book.availability.slots import Busy, Rules, open_starts

NOW = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = NOW + timedelta(days=60)
HALF_HOUR = timedelta(minutes=30)
HOURS = Hours("Europe/London", dict.fromkeys(range(5), (Window(9 * 60, 17 * 60),)))
RULES = Rules()


def busy_times(count: int = 1000) -> list[Busy]:
    """Scatter busy times of a quarter to two hours over the range; the same ones every time."""
    chance = random.Random(7)
    starts = [NOW + timedelta(minutes=chance.randrange(60 * 1440)) for _ in range(count)]
    return [Busy(at, at + timedelta(minutes=chance.choice((15, 30, 60, 120)))) for at in starts]


def engine(busy: list[Busy]) -> list[datetime]:
    return open_starts(HOURS, RULES, now=NOW, start=NOW, end=UNTIL, busy=busy)


def plain_loop(busy: list[Busy]) -> list[datetime]:
    """Look at every half hour and, for each, at every busy time."""
    zone = ZoneInfo(HOURS.zone)
    found = []
    at = NOW
    while at < UNTIL:
        wall = at.astimezone(zone)
        if wall.weekday() < 5 and 9 <= wall.hour < 17:
            after = at + HALF_HOUR
            if not any(event.start < after and at < event.end for event in busy):
                found.append(at)
        at += HALF_HOUR
    return found


def best_of(times: int, work: Callable[[list[Busy]], list[datetime]], busy: list[Busy]) -> float:
    """Give the least time of several runs, in milliseconds: the one least disturbed."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work(busy)
        taken.append(time.perf_counter() - began)
    return min(taken) * 1000


def main() -> None:
    busy = busy_times()
    if engine(busy) != plain_loop(busy):
        raise SystemExit("the engine and the loop disagree: there is nothing to time")
    fast, slow = best_of(20, engine, busy), best_of(5, plain_loop, busy)
    print(f"open starts of 60 days against {len(busy)} busy times: {len(engine(busy))}")
    print(f"engine {fast:.2f} ms, plain loop {slow:.2f} ms, ratio {slow / fast:.1f}")


if __name__ == "__main__":
    main()
