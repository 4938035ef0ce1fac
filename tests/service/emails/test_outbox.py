"""Writing to the outbox, on both databases: mail and fact share one fate."""

import threading

import pytest

from lead_service.emails import outbox
from lead_service.emails.models import OutboxMessage
from lead_service.leads import capture, models
from tests.support.app.outbox_helper import HOUR, NOW, FakeTransport, OutboxHelper, in_threads, mail

pytestmark = pytest.mark.both_engines


@pytest.fixture
def post(database) -> OutboxHelper:
    return OutboxHelper(database)


@pytest.fixture
def lead_id(database) -> int:
    captured = database.write(
        lambda session: capture.capture_lead(session, email="a@b.test", at=NOW)
    )
    return captured.id


def test_a_mail_shares_the_fate_of_the_transaction_that_promised_it(post):
    def promise_and_fail(session):
        capture.capture_lead(session, email="a@b.test", at=NOW)
        outbox.queue(session, mail(), at=NOW)
        raise RuntimeError("after the mail was queued")

    with pytest.raises(RuntimeError):
        post.database.write(promise_and_fail)
    with post.database.read() as session:
        assert session.query(OutboxMessage).count() == session.query(models.Lead).count() == 0


def test_the_same_key_again_adds_no_second_mail(post):
    first = post.put("one", dedupe_key="booking-1:confirmed")
    assert post.put("two", dedupe_key="booking-1:confirmed") == first
    assert post.put("two", dedupe_key="booking-2:confirmed") != first
    assert post.row(first).address == "one@lead.test"


def test_the_same_key_at_the_same_moment_adds_one_mail(post):
    both_ready, ids = threading.Barrier(4), []

    def queue_together() -> None:
        both_ready.wait()
        ids.append(post.put(dedupe_key="booking-1:confirmed"))

    in_threads(queue_together, 4)
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_a_held_mail_leaves_only_after_its_lead_is_released(post, lead_id):
    held = post.put(lead_id=lead_id, held=True)
    transport = FakeTransport()
    post.drain(transport, NOW + HOUR)
    assert transport.tried == [] and post.row(held).state == "held"

    assert post.database.write(lambda session: outbox.release(session, lead_id, NOW + HOUR)) == 1
    post.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"] and post.row(held).state == "sent"


def test_a_released_reminder_still_waits_for_its_time(post, lead_id):
    post.put(lead_id=lead_id, held=True, due_at=NOW + HOUR)
    post.database.write(lambda session: outbox.release(session, lead_id, NOW))
    transport = FakeTransport()
    post.drain(transport, NOW)
    assert transport.tried == []
    post.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"]


def test_cancelled_mails_are_blanked_and_never_sent(post, lead_id):
    waiting, held = post.put(lead_id=lead_id), post.put(lead_id=lead_id, held=True)
    others = post.put("other")
    assert post.database.write(lambda session: outbox.cancel(session, lead_id=lead_id)) == 2
    transport = FakeTransport()
    post.drain(transport)
    assert transport.tried == ["other"] and post.row(others).state == "sent"
    for outbox_id in (waiting, held):
        assert post.row(outbox_id).state == "cancelled" and post.row(outbox_id).body is None


def test_cancelling_by_the_start_of_a_key_takes_that_text_literally(post):
    ours, near = post.put(dedupe_key="b_1:confirmed"), post.put(dedupe_key="bx1:confirmed")
    assert post.database.write(lambda session: outbox.cancel(session, dedupe_prefix="b_1:")) == 1
    assert (post.row(ours).state, post.row(near).state) == ("cancelled", "pending")


def test_what_was_sent_cannot_be_cancelled(post):
    outbox_id = post.put(dedupe_key="booking-1:confirmed")
    post.drain(FakeTransport())
    assert (
        post.database.write(lambda session: outbox.cancel(session, dedupe_prefix="booking-1:")) == 0
    )
    assert post.row(outbox_id).state == "sent"


def test_nothing_is_cancelled_without_saying_what(post):
    post.put()
    with pytest.raises(ValueError):
        post.database.write(lambda session: outbox.cancel(session))
