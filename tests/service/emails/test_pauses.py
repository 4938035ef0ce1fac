"""Pauses and stops of the whole sender, and how they show."""

from datetime import timedelta

import pytest

from lead_service.emails import outbox, status
from lead_service.emails.outbox import claim, finish
from lead_service.emails.transports.base import Accepted, Stop, Temporary
from tests.support.app.outbox_helper import HOUR, MINUTE, NOW, FakeTransport, OutboxHelper, failing


@pytest.fixture
def post(database) -> OutboxHelper:
    return OutboxHelper(database)


@pytest.mark.both_engines
def test_a_429_pauses_the_whole_sender_and_counts_as_no_try(post):
    first = post.put("first")
    until = NOW + 10 * MINUTE
    post.deliver_one(failing(Temporary("429", until, pause=True)), NOW)
    assert (post.row(first).state, post.row(first).attempts) == ("pending", 0)
    assert post.row(first).next_at == until

    post.put("second", at=NOW + MINUTE)
    transport = FakeTransport()
    post.drain(transport, until - timedelta(seconds=1))
    assert transport.tried == []
    post.drain(transport, until)
    assert sorted(transport.tried) == ["first", "second"]


def test_a_pause_never_lasts_longer_than_an_hour(post):
    post.put()
    post.deliver_one(failing(Temporary("429", NOW + 90 * HOUR, pause=True)), NOW)
    transport = FakeTransport()
    post.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"]


def test_in_a_long_pause_one_email_is_tried_every_ten_minutes(post):
    asked, ids = failing(Temporary("429", NOW + HOUR, pause=True)), [post.put("1"), post.put("2")]
    for minute in range(30):
        post.drain(asked, NOW + minute * MINUTE)
    assert len(asked.tried) == 3
    assert {post.row(one).attempts for one in ids} == {0}
    post.drain(FakeTransport(), NOW + 30 * MINUTE)
    assert {post.row(one).state for one in ids} == {"sent"}


def test_pauses_grow_when_the_provider_names_no_time_and_end_with_success(post, monkeypatch):
    monkeypatch.setattr("lead_service.emails.retries.random.random", lambda: 0.999)
    outbox_id, at, waits = post.put(), NOW, []
    for _ in range(4):
        post.deliver_one(failing(Temporary("429", pause=True)), at)
        waits.append(post.row(outbox_id).next_at - at)
        at = post.row(outbox_id).next_at
    assert waits == sorted(waits) and waits[-1] > 4 * waits[0]
    post.drain(FakeTransport(), at)
    post.put("next", at=at)
    post.deliver_one(failing(Temporary("429", pause=True)), at)
    with post.database.read() as session:
        assert status.health(session, at).paused_until - at == waits[0]


def test_a_refused_key_stops_everything_and_fails_nothing(post):
    ids = [post.put("first"), post.put("second")]
    transport = failing(Stop("the provider refused our key or our sender (401)"))
    post.drain(transport)
    post.drain(transport, NOW + timedelta(minutes=9))
    assert len(transport.tried) == 1
    post.drain(transport, NOW + timedelta(minutes=11))
    assert len(transport.tried) == 2  # the probe
    assert {(post.row(one).state, post.row(one).attempts) for one in ids} == {("pending", 0)}
    assert post.health().stopped_at == NOW
    assert any("401" in trouble for trouble in post.health().troubles)


@pytest.mark.both_engines
def test_a_new_key_resumes_sending_automatically(post):
    outbox_id = post.put()
    post.drain(failing(Stop("key refused")))
    renewed = FakeTransport()
    renewed.fingerprint = "key-2"
    post.drain(renewed)
    assert post.row(outbox_id).state == "sent" and post.health().stopped_at is None


def test_a_stop_ends_automatically_once_the_provider_accepts_an_email(post):
    ids = [post.put("first"), post.put("second")]
    post.drain(failing(Stop("sender not verified")))
    post.drain(FakeTransport(), NOW + timedelta(minutes=11))
    assert {post.row(one).state for one in ids} == {"sent"} and post.health().stopped_at is None


def test_a_person_can_start_the_sender_again_with_the_same_key(post):
    outbox_id = post.put()
    post.drain(failing(Stop("sender not verified")))
    post.database.write(lambda session: outbox.resume(session, key="key-1"))
    assert post.health().stopped_at
    post.database.write(outbox.resume)
    assert post.health().stopped_at is None
    post.drain(FakeTransport())
    assert post.row(outbox_id).state == "sent"


def test_a_success_that_began_before_a_stop_does_not_clear_it(post):
    post.put("first"), post.put("second")
    under_way = claim(post.database, NOW, fingerprint="key-1")
    post.deliver_one(failing(Stop("key refused")), NOW)
    assert finish(post.database, under_way, Accepted(), NOW)
    assert post.health().stopped_at


@pytest.mark.both_engines
def test_the_outbox_shows_how_long_its_oldest_email_has_waited(post):
    assert (post.health().waiting, post.health().troubles) == (0, ())
    post.put("early")
    post.put("late", at=NOW + 10 * MINUTE)
    post.put("reminder", due_at=NOW + 90 * HOUR)
    in_time = post.health(NOW + 14 * MINUTE)
    assert (in_time.waiting, in_time.troubles) == (2, ())
    assert post.health(NOW + 20 * MINUTE).oldest == 20 * MINUTE
    assert "20 minutes" in post.health(NOW + 20 * MINUTE).troubles[0]


def test_an_email_that_failed_while_the_clock_ran_ahead_is_tried_again(post):
    outbox_id = post.put()
    later = NOW + 48 * HOUR  # the wrong clock
    post.drain(failing(Temporary("503")), later)
    post.drain(FakeTransport(), NOW + timedelta(minutes=1))
    assert post.row(outbox_id).state == "sent"
