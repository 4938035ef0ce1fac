"""Leases, on both databases: each mail is one worker's, whatever dies and whatever clocks do."""

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
    OutboxHelper,
    failing,
    in_threads,
)

pytestmark = pytest.mark.both_engines


@pytest.fixture
def post(database) -> OutboxHelper:
    return OutboxHelper(database)


def test_no_other_worker_gets_a_leased_email_until_its_lease_ends(post):
    post.put()
    held = claim(post.database, NOW)
    assert claim(post.database, NOW + timedelta(seconds=59)) is None
    again = claim(post.database, NOW + timedelta(seconds=60))
    assert again.id == held.id and again.token != held.token


def test_a_worker_that_lost_its_lease_changes_nothing(post):
    outbox_id = post.put()
    slow = claim(post.database, NOW)
    quick = claim(post.database, NOW + MINUTE)
    assert not finish(post.database, slow, Permanent("too late to say"), NOW + MINUTE)
    assert post.row(outbox_id).state == "sending"
    assert finish(post.database, quick, Accepted("provider-2"), NOW + MINUTE)
    assert not finish(post.database, slow, Temporary("too late to say"), NOW + MINUTE)
    assert (post.row(outbox_id).state, post.row(outbox_id).provider_id) == ("sent", "provider-2")


def test_an_email_that_was_erased_while_it_was_sent_stays_erased(post):
    outbox_id = post.put()
    held = claim(post.database, NOW)
    post.database.write(lambda session: session.delete(session.get_one(OutboxMessage, outbox_id)))
    assert not finish(post.database, held, Accepted(), NOW)


def test_a_lost_worker_counts_as_a_try(post):
    outbox_id = post.put()
    for lost in range(3):
        assert claim(post.database, NOW + lost * MINUTE)
    assert post.row(outbox_id).attempts == 3


def test_several_workers_send_each_email_once(post):
    names = [f"mail-{number}" for number in range(30)]
    for name in names:
        post.put(name)
    transport, together = FakeTransport(), threading.Barrier(4)

    def work() -> None:
        together.wait()
        post.drain(transport)

    in_threads(work, 4)
    assert sorted(transport.tried) == sorted(names)


def test_an_outcome_is_recorded_though_the_database_fails_for_a_moment(post, monkeypatch):
    outbox_id, transport = post.put(), FakeTransport()
    faults = [OSError("no space left"), None]

    def finish_in_trouble(*arguments, **options):
        if fault := faults.pop(0):
            raise fault
        return finish(*arguments, **options)

    monkeypatch.setattr(outbox, "finish", finish_in_trouble)
    monkeypatch.setattr(worker.time, "sleep", lambda _seconds: None)
    post.drain(transport)
    assert transport.tried == ["one"] and post.row(outbox_id).state == "sent"


def test_an_idle_worker_never_blocks_a_writer(post):
    post.put(due_at=NOW + HOUR)
    # Inside this write transaction a second writer would wait, and give up.
    assert post.database.write(lambda _session: claim(post.database, NOW)) is None


def test_a_clock_set_back_delays_neither_new_emails_nor_those_being_sent(post):
    post.put("under-way", at=NOW + HOUR)
    assert isinstance(claim(post.database, NOW + HOUR), Claim)
    post.put("new", at=NOW + HOUR)
    transport = FakeTransport()
    post.drain(transport, NOW)
    assert sorted(transport.tried) == ["new", "under-way"]


def test_a_clock_off_by_minutes_takes_no_email_from_another_worker(post):
    post.put()
    assert claim(post.database, NOW)
    assert claim(post.database, NOW - 4 * MINUTE) is None


def test_a_clock_set_forward_by_a_day_gives_up_no_email(post):
    ids = [post.put(f"mail-{number}") for number in range(5)]
    transport = failing(Temporary("503"))
    post.drain(transport)
    post.drain(transport, NOW + 24 * HOUR)
    post.drain(transport, NOW + 24 * HOUR)
    assert len(transport.tried) == 10
    assert {post.row(one).state for one in ids} == {"pending"}


def test_a_pause_set_by_a_wrong_clock_does_not_outlive_it(post):
    post.put()
    future = NOW + 24 * HOUR
    post.deliver_one(failing(Temporary("429", pause=True)), future)
    transport = FakeTransport()
    post.drain(transport, NOW)
    assert transport.tried == ["one"]
