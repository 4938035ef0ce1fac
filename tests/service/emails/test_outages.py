"""Days without the provider, and a key that is revoked: lived through with a clock that is fast.

The provider is a server of our own. Time goes from one try to the next; the tries are real.
"""

import itertools
from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import func, select

from lead_service import clock
from lead_service.emails import admin_actions, worker
from lead_service.emails.models import OutboxMessage
from lead_service.emails.retries import LONGEST_WAIT
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.settings import Settings, load
from tests.support.app.outbox_helper import HOUR, MINUTE, NOW, OutboxHelper, compose
from tests.support.fake_sendgrid import (
    GARBAGE,
    KEY,
    REFUSAL,
    TRUNCATED,
    StandIn,
    accept,
    reset,
    status,
)

NEW_KEY = "SG.stand-in.another"
DOWN = (status(503), reset, GARBAGE, status(500), TRUNCATED, status(502))


@pytest.fixture
def post(database) -> OutboxHelper:
    return OutboxHelper(database)


@pytest.fixture
def live(post, monkeypatch):
    """Live from one instant to another: deliver whatever becomes due on the way."""

    def live(transport: SendGrid, start: datetime, end: datetime) -> None:
        now = start
        while now <= end:
            monkeypatch.setattr(clock, "now", lambda now=now: now)
            post.drain(transport, now)
            now = max(_next(post) or end + MINUTE, now + MINUTE)

    return live


def _next(post: OutboxHelper) -> datetime | None:
    waiting = select(func.min(OutboxMessage.next_at)).where(OutboxMessage.state == "pending")
    with post.database.read() as session:
        return session.scalar(waiting)


def _states(post: OutboxHelper) -> Counter[str]:
    with post.database.read() as session:
        return Counter(session.scalars(select(OutboxMessage.state)))


def _transport(provider: StandIn, key: str = KEY) -> SendGrid:
    return SendGrid(Settings(sendgrid_api_key=key, sendgrid_host=provider.url))


def _arrived(provider: StandIn) -> Counter[str]:
    people = (one.body["personalizations"][0]["to"][0]["email"] for one in provider.received)
    return Counter(address.partition("@")[0] for address in people)


def _take_turns(provider: StandIn) -> None:
    """Let the provider be down in one way after another."""
    ways = itertools.cycle(DOWN)
    provider.mode = lambda handler: next(ways)(handler)


@pytest.mark.long
def test_after_two_days_without_the_provider_every_mail_arrives_once(post, provider, live):
    _take_turns(provider)
    transport, names = _transport(provider), [f"mail-{number}" for number in range(6)]
    for number, name in enumerate(names):
        post.put(name, at=NOW + number * 8 * HOUR)
        live(transport, NOW + number * 8 * HOUR, NOW + (number + 1) * 8 * HOUR)
    late = post.put("late", at=NOW + HOUR, useless_after=NOW + 5 * HOUR)
    back = NOW + 48 * HOUR

    assert _states(post) == {"pending": 7}, "nothing is given up within two days"
    assert any("oldest mail has waited for 2 days" in one for one in post.health(back).troubles)
    tries = _arrived(provider)
    assert 24 < tries["mail-0"] < 200, "neither forgotten nor hammered"

    provider.received.clear()
    provider.mode = accept
    live(transport, back, back + LONGEST_WAIT)
    assert _arrived(provider) == dict.fromkeys(names, 1)
    assert post.row(late).state == "expired"
    assert post.health(back + LONGEST_WAIT).troubles == ()


@pytest.mark.long
def test_the_desk_need_not_wait_for_the_next_try_once_the_provider_is_back(post, provider, live):
    _take_turns(provider)
    transport = _transport(provider)
    ids = [post.put(name) for name in ("one", "two", "three")]
    live(transport, NOW, NOW + 30 * HOUR)
    provider.received.clear()
    provider.mode = accept
    back = NOW + 30 * HOUR
    post.database.write(lambda session: admin_actions.retry_waiting(session, back))
    post.drain(transport, back)
    assert _arrived(provider) == {"one": 1, "two": 1, "three": 1}
    assert {post.row(id).state for id in ids} == {"sent"}


@pytest.mark.long
def test_four_days_without_the_provider_end_in_an_alarm_and_with_every_text_kept(
    post, provider, live
):
    _take_turns(provider)
    transport, outbox_id = _transport(provider), post.put("one")
    live(transport, NOW, NOW + 96 * HOUR)
    row, end = post.row(outbox_id), NOW + 96 * HOUR
    assert (row.state, row.attempts >= 48, row.facts is not None) == ("dead", True, True)
    assert any("given up" in one for one in post.health(end).troubles)

    provider.received.clear()
    provider.mode = accept
    assert post.database.write(lambda session: admin_actions.retry(session, outbox_id, end))
    post.drain(transport, end)
    assert _arrived(provider) == {"one": 1}
    assert post.health(end).troubles == ()


@pytest.mark.long
def test_a_revoked_key_stops_all_until_another_comes_and_then_all_leaves(
    post, provider, live, db_url, tmp_path
):
    ids = [post.put(name) for name in ("one", "two")]
    provider.mode = status(401, body=REFUSAL)
    live(_transport(provider), NOW, NOW + 30 * HOUR)
    ids.append(post.put("three", at=NOW + 30 * HOUR))
    live(_transport(provider), NOW + 30 * HOUR, NOW + 31 * HOUR)

    assert 170 < len(provider.received) < 190, "one email is tried every ten minutes"
    assert _states(post) == {"pending": 3}
    assert {post.row(id).attempts for id in ids} == {0}
    assert any("Sending has stopped" in one for one in post.health(NOW + 31 * HOUR).troubles)

    provider.received.clear()
    provider.key, provider.mode = NEW_KEY, accept
    given = {"SENDGRID_API_KEY": NEW_KEY, "SENDGRID_HOST": provider.url}
    given |= {"DATABASE_URL": db_url, "VAR_DIR": str(tmp_path)}
    worker.run(load(given), compose, until=lambda: _states(post)["sent"] == 3)
    assert _arrived(provider) == {"one": 1, "two": 1, "three": 1}
    assert post.health(NOW + 32 * HOUR).troubles == ()


def test_a_stop_ends_by_itself_once_the_provider_takes_an_email(post, provider, live):
    for name in ("one", "two"):
        post.put(name)
    provider.mode = status(403, body=REFUSAL)
    live(_transport(provider), NOW, NOW + HOUR)
    assert post.health(NOW + HOUR).stopped_at == NOW
    provider.mode = accept
    live(_transport(provider), NOW + HOUR, NOW + HOUR + 11 * MINUTE)
    assert _states(post) == {"sent": 2}
    assert post.health(NOW + 2 * HOUR).stopped_at is None


@pytest.mark.long
def test_a_day_of_too_many_requests_gives_up_nothing_and_asks_no_oftener_than_told(
    post, provider, live
):
    for number in range(20):
        post.put(f"mail-{number}")
    provider.mode = status(429, {"Retry-After": "3600"})
    live(_transport(provider), NOW, NOW + 24 * HOUR)
    # Once an hour for all mails together, or less: our own back-off may be the longer one.
    assert 12 <= len(provider.received) <= 25
    provider.received.clear()
    provider.mode = accept
    live(_transport(provider), NOW + 24 * HOUR, NOW + 26 * HOUR)
    assert set(_arrived(provider).values()) == {1} and len(provider.received) == 20
