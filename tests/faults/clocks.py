"""Let the clock jump: each email is sent once, and none is given up or expires too early."""

import random
from collections import Counter
from datetime import datetime, timedelta

from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.emails import outbox
from lead_service.emails.outbox import claim
from lead_service.emails.transports.base import Temporary
from tests.support.app.outbox_helper import HOUR, MINUTE, NOW, FakeTransport, OutboxHelper

JUMPS = (-HOUR, -5 * MINUTE, 5 * MINUTE, 24 * HOUR, -24 * HOUR, timedelta(seconds=40))
FARTHEST = 48 * HOUR  # at most, from the right time: emails are useful for 300 hours
STEPS = 25  # a round


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Deliver during `rounds` times 25 jumps, with a provider that fails sometimes."""
    database = Database(environment["DATABASE_URL"])
    schema.migrate(database)
    post, chance = OutboxHelper(database), random.Random(rounds)
    accepted: Counter[str] = Counter()

    def answer(message):
        if chance.random() < 0.2:
            raise Temporary("by lot")
        accepted[message.to] += 1
        return outbox.Accepted("x")

    transport, now, most, lost, held_up = FakeTransport(answer), NOW, 0, 0, 0
    for step in range(rounds * STEPS):
        later = now + HOUR if step % 3 == 0 else None
        name = f"mail{step}"
        post.put(name, at=now, useless_after=now + 300 * HOUR, due_at=later)
        if step % 5 == 0:
            lost += claim(database, now) is not None  # a worker that dies with it
        tried = len(transport.tried)
        now = min(max(now + chance.choice(JUMPS), NOW - FARTHEST), NOW + FARTHEST)
        post.drain(transport, now)
        # Another worker takes a dead worker's email after its lease, by any clock.
        held_up += not later and step % 5 != 0 and name not in transport.tried
        most = max(most, len(transport.tried) - tried)
    _let_time_pass(post, transport, now)
    states = Counter(post.row(one).state for one in post.ids())
    database.close()
    counted = {
        "jumps": rounds * STEPS,
        "mails": rounds * STEPS,
        "workers lost": lost,
        "tries": len(transport.tried),
        "tries at once, at most": most,
        "accepted once": len(accepted),
    }
    _check(counted, states, accepted, held_up)
    return counted


def _let_time_pass(post: OutboxHelper, transport: FakeTransport, now: datetime) -> None:
    """Deliver for days with a correct clock."""
    for _ in range(30):
        now = max(now, NOW + FARTHEST) + 3 * HOUR
        post.drain(transport, now)


def _check(counted: dict[str, int], states: Counter, accepted: Counter, held_up: int) -> None:
    assert states == {"sent": counted["mails"]}, states
    assert set(accepted.values()) == {1}, "a mail left twice"
    assert held_up == 0, "a mail that was due waited for a clock"
    assert counted["tries at once, at most"] <= counted["mails"], "a storm"
