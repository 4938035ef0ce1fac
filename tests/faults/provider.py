"""A provider that fails in every way, in random order: each email is accepted exactly once."""

import itertools
import random
from collections import Counter

from pydantic import SecretStr

from lead_service import clock
from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.emails import outbox
from lead_service.emails.retries import LONGEST_WAIT
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.settings import Settings
from tests.support.app.outbox_helper import MINUTE, OutboxHelper
from tests.support.fake_sendgrid import (
    GARBAGE,
    KEY,
    REFUSAL,
    TRUNCATED,
    Handler,
    Mode,
    StandIn,
    accept,
    drip,
    hang,
    reset,
    status,
)

MAILS = 2  # before each kind of response
PATIENCE = 0.1  # seconds of a send that gets no answer, instead of twenty
REFUSED = [status(code, body=REFUSAL) for code in (401, 403)]
TORN = [hang, reset, GARBAGE, TRUNCATED, drip(b""), drip(b"HTTP/1.1 202 Accepted\r\nX: ")]


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Queue emails while the provider fails in every way, `rounds` times each, and then works."""
    database = Database(environment["DATABASE_URL"])
    schema.migrate(database)
    post = OutboxHelper(database)
    accepted: Counter[str] = Counter()
    with StandIn() as provider, StandIn() as elsewhere:
        moods = _moods(elsewhere, accepted) * rounds
        random.Random(rounds).shuffle(moods)
        stops = _live_through(post, provider, moods, _accepting(accepted))
        assert elsewhere.received == [] and elsewhere.faults == [], "the key went elsewhere"
    ids = set(post.ids())
    states = Counter(post.row(one).state for one in ids)
    database.close()
    assert states == {"sent": len(ids)}, states
    assert stops == rounds * len(REFUSED), "a refused key did not stop the sender"
    assert set(accepted) == ids and set(accepted.values()) == {1}
    return {
        "mails": len(ids),
        "moods": len(moods),
        "tries": len(provider.received),
        "stops": stops,
        "accepted once": len(accepted),
    }


def _live_through(post: OutboxHelper, provider: StandIn, moods: list[Mode], well: Mode) -> int:
    """Deliver during all kinds of response, then correct ones; return the number of stops."""
    settings = Settings(sendgrid_api_key=SecretStr(KEY), sendgrid_host=provider.url)
    # The provider's waits are told from the present: what lies ahead of it is never longer off.
    now, stops, numbers = clock.now(), 0, itertools.count()
    for mood in moods:
        provider.mode = mood
        for _ in range(MAILS):
            post.put(f"mail{next(numbers)}", at=now)
        post.drain(SendGrid(settings, PATIENCE if mood in TORN else 10), now)
        if post.health(now).stopped_at:
            stops += 1
            post.database.write(outbox.resume)
        now += LONGEST_WAIT / 2
    provider.mode = well
    for _ in range(4):
        now += LONGEST_WAIT + MINUTE
        post.drain(SendGrid(settings, 10), now)
    return stops


def _accepting(accepted: Counter[str]) -> Mode:
    def mood(handler: Handler) -> None:
        accepted[handler.server.received[-1].outbox_id] += 1
        accept(handler)

    return mood


def _moods(elsewhere: StandIn, accepted: Counter[str]) -> list[Mode]:
    """Return all kinds of response, those of a failure and the one of success."""
    redirects = [status(code, {"Location": f"{elsewhere.url}v3/mail/send"}) for code in (302, 307)]
    slow_down = {"X-RateLimit-Reset": "1", "Retry-After": "30"}
    broken = [status(code) for code in (200, 204, 401, 404, 500, 502, 503, 504)]
    return [
        *redirects,
        *broken,
        *TORN,
        *REFUSED,
        status(429, slow_down),
        *[_accepting(accepted)] * 3,
    ]
