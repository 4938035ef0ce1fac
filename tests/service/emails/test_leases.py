"""Leases on both databases: one worker sends each email, even after crashes and clock changes."""

import threading
from datetime import timedelta

import pytest

from lead_service.emails import outbox, worker
from lead_service.emails.models import OutboxMessage
from lead_service.emails.outbox import Claim, claim, finish
from lead_service.emails.transports.base import Accepted, Permanent, Temporary
from tests.support.app.outbox_helper import (
    HOUR,
    MINUTE,
    NOW,
    FakeTransport,
    failing,
    in_threads,
)

pytestmark = pytest.mark.both_engines


def test_no_other_worker_gets_a_leased_email_until_its_lease_ends(room):
    room.put()
    held = claim(room.database, NOW)
    assert claim(room.database, NOW + timedelta(seconds=59)) is None
    again = claim(room.database, NOW + timedelta(seconds=60))
    assert again.id == held.id and again.token != held.token


def test_a_worker_without_its_lease_changes_nothing(room):
    outbox_id = room.put()
    slow = claim(room.database, NOW)
    quick = claim(room.database, NOW + MINUTE)
    assert not finish(room.database, slow, Permanent("too late to say"), NOW + MINUTE)
    assert room.row(outbox_id).state == "sending"
    assert finish(room.database, quick, Accepted("provider-2"), NOW + MINUTE)
    assert not finish(room.database, slow, Temporary("too late to say"), NOW + MINUTE)
    assert (room.row(outbox_id).state, room.row(outbox_id).provider_id) == ("sent", "provider-2")


def test_an_email_that_was_erased_while_it_was_sent_stays_erased(room):
    outbox_id = room.put()
    held = claim(room.database, NOW)
    room.database.write(lambda session: session.delete(session.get_one(OutboxMessage, outbox_id)))
    assert not finish(room.database, held, Accepted(), NOW)


def test_a_lost_worker_counts_as_a_try(room):
    outbox_id = room.put()
    for lost in range(3):
        assert claim(room.database, NOW + lost * MINUTE)
    assert room.row(outbox_id).attempts == 3


def test_several_workers_send_each_email_once(room):
    names = [f"mail-{number}" for number in range(30)]
    for name in names:
        room.put(name)
    transport, together = FakeTransport(), threading.Barrier(4)

    def work() -> None:
        together.wait()
        room.drain(transport)

    in_threads(work, 4)
    assert sorted(transport.tried) == sorted(names)


def test_an_outcome_is_recorded_though_the_database_fails_for_a_moment(room, monkeypatch):
    outbox_id, transport = room.put(), FakeTransport()
    faults = [OSError("no space left"), None]

    def finish_in_trouble(*arguments, **options):
        if fault := faults.pop(0):
            raise fault
        return finish(*arguments, **options)

    monkeypatch.setattr(outbox, "finish", finish_in_trouble)
    monkeypatch.setattr(worker.time, "sleep", lambda _seconds: None)
    room.drain(transport)
    assert transport.tried == ["one"] and room.row(outbox_id).state == "sent"


def test_an_idle_worker_never_blocks_a_writer(room):
    room.put(due_at=NOW + HOUR)
    # During this write transaction, a second writer would wait and give up.
    assert room.database.write(lambda _session: claim(room.database, NOW)) is None


def test_a_clock_set_back_delays_neither_new_emails_nor_those_being_sent(room):
    room.put("under-way", at=NOW + HOUR)
    assert isinstance(claim(room.database, NOW + HOUR), Claim)
    room.put("new", at=NOW + HOUR)
    transport = FakeTransport()
    room.drain(transport, NOW)
    assert sorted(transport.tried) == ["new", "under-way"]


def test_a_clock_off_by_minutes_takes_no_email_from_another_worker(room):
    room.put()
    assert claim(room.database, NOW)
    assert claim(room.database, NOW - 4 * MINUTE) is None


def test_a_clock_set_forward_by_a_day_gives_up_no_email(room):
    ids = [room.put(f"mail-{number}") for number in range(5)]
    transport = failing(Temporary("503"))
    room.drain(transport)
    room.drain(transport, NOW + 24 * HOUR)
    room.drain(transport, NOW + 24 * HOUR)
    assert len(transport.tried) == 10
    assert {room.row(one).state for one in ids} == {"pending"}


def test_a_pause_set_by_a_wrong_clock_ends_with_it(room):
    room.put()
    future = NOW + 24 * HOUR
    room.deliver_one(failing(Temporary("429", pause=True)), future)
    transport = FakeTransport()
    room.drain(transport, NOW)
    assert transport.tried == ["one"]
