"""Pauses and stops of all sending, and how the desk shows them."""

from datetime import timedelta

import pytest

from lead_service.emails import outbox, status
from lead_service.emails.outbox import claim, finish
from lead_service.emails.transports.base import Accepted, Stop, Temporary
from tests.support.app.outbox_helper import HOUR, MINUTE, NOW, FakeTransport, failing


@pytest.mark.both_engines
def test_a_429_pauses_the_whole_sender_and_counts_as_no_try(room):
    first = room.put("first")
    until = NOW + 10 * MINUTE
    room.deliver_one(failing(Temporary("429", until, pause=True)), NOW)
    assert (room.row(first).state, room.row(first).attempts) == ("pending", 0)
    assert room.row(first).next_at == until

    room.put("second", at=NOW + MINUTE)
    transport = FakeTransport()
    room.drain(transport, until - timedelta(seconds=1))
    assert transport.tried == []
    room.drain(transport, until)
    assert sorted(transport.tried) == ["first", "second"]


def test_a_pause_never_lasts_longer_than_an_hour(room):
    room.put()
    room.deliver_one(failing(Temporary("429", NOW + 90 * HOUR, pause=True)), NOW)
    transport = FakeTransport()
    room.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"]


def test_in_a_long_pause_one_email_is_tried_every_ten_minutes(room):
    asked, ids = failing(Temporary("429", NOW + HOUR, pause=True)), [room.put("1"), room.put("2")]
    for minute in range(30):
        room.drain(asked, NOW + minute * MINUTE)
    assert len(asked.tried) == 3
    assert {room.row(one).attempts for one in ids} == {0}
    room.drain(FakeTransport(), NOW + 30 * MINUTE)
    assert {room.row(one).state for one in ids} == {"sent"}


def test_pauses_grow_when_the_provider_names_no_time_and_end_with_success(room, monkeypatch):
    monkeypatch.setattr("lead_service.emails.retries.random.random", lambda: 0.999)
    outbox_id, at, waits = room.put(), NOW, []
    for _ in range(4):
        room.deliver_one(failing(Temporary("429", pause=True)), at)
        waits.append(room.row(outbox_id).next_at - at)
        at = room.row(outbox_id).next_at
    assert waits == sorted(waits) and waits[-1] > 4 * waits[0]
    room.drain(FakeTransport(), at)
    room.put("next", at=at)
    room.deliver_one(failing(Temporary("429", pause=True)), at)
    with room.database.read() as session:
        assert status.health(session, at).paused_until - at == waits[0]


def test_a_refused_key_stops_everything_and_fails_nothing(room):
    ids = [room.put("first"), room.put("second")]
    transport = failing(Stop("the provider refused our key or our sender (401)"))
    room.drain(transport)
    room.drain(transport, NOW + timedelta(minutes=9))
    assert len(transport.tried) == 1
    room.drain(transport, NOW + timedelta(minutes=11))
    assert len(transport.tried) == 2  # the probe
    assert {(room.row(one).state, room.row(one).attempts) for one in ids} == {("pending", 0)}
    assert room.health().stopped_at == NOW
    assert any("401" in trouble for trouble in room.health().troubles)


@pytest.mark.both_engines
def test_a_new_key_resumes_sending_automatically(room):
    outbox_id = room.put()
    room.drain(failing(Stop("key refused")))
    renewed = FakeTransport()
    renewed.fingerprint = "key-2"
    room.drain(renewed)
    assert room.row(outbox_id).state == "sent" and room.health().stopped_at is None


def test_a_stop_ends_automatically_once_the_provider_accepts_an_email(room):
    ids = [room.put("first"), room.put("second")]
    room.drain(failing(Stop("sender not verified")))
    room.drain(FakeTransport(), NOW + timedelta(minutes=11))
    assert {room.row(one).state for one in ids} == {"sent"} and room.health().stopped_at is None


def test_a_person_can_start_the_sender_again_with_the_same_key(room):
    outbox_id = room.put()
    room.drain(failing(Stop("sender not verified")))
    room.database.write(lambda session: outbox.resume(session, key="key-1"))
    assert room.health().stopped_at
    room.database.write(outbox.resume)
    assert room.health().stopped_at is None
    room.drain(FakeTransport())
    assert room.row(outbox_id).state == "sent"


def test_a_success_that_began_before_a_stop_does_not_clear_it(room):
    room.put("first"), room.put("second")
    under_way = claim(room.database, NOW, fingerprint="key-1")
    room.deliver_one(failing(Stop("key refused")), NOW)
    assert finish(room.database, under_way, Accepted(), NOW)
    assert room.health().stopped_at


@pytest.mark.both_engines
def test_the_outbox_shows_how_long_its_oldest_email_has_waited(room):
    assert (room.health().waiting, room.health().troubles) == (0, ())
    room.put("early")
    room.put("late", at=NOW + 10 * MINUTE)
    room.put("reminder", due_at=NOW + 90 * HOUR)
    in_time = room.health(NOW + 14 * MINUTE)
    assert (in_time.waiting, in_time.troubles) == (2, ())
    assert room.health(NOW + 20 * MINUTE).oldest == 20 * MINUTE
    assert "20 minutes" in room.health(NOW + 20 * MINUTE).troubles[0]


def test_an_email_that_failed_while_the_clock_ran_ahead_is_tried_again(room):
    outbox_id = room.put()
    later = NOW + 48 * HOUR  # the wrong clock
    room.drain(failing(Temporary("503")), later)
    room.drain(FakeTransport(), NOW + timedelta(minutes=1))
    assert room.row(outbox_id).state == "sent"
