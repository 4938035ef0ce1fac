"""Writing to the outbox, on both databases: mail and fact share one fate."""

import itertools
import threading

import pytest

from lead_service.emails import admin_actions, outbox
from lead_service.emails.message import EmailKind
from lead_service.emails.models import OutboxMessage
from lead_service.leads import capture, models
from lead_service.leads.contact_details import ContactDetails
from tests.support.app.outbox_helper import HOUR, NOW, FakeTransport, OutboxHelper, in_threads

pytestmark = pytest.mark.both_engines


@pytest.fixture
def post(database) -> OutboxHelper:
    return OutboxHelper(database)


@pytest.fixture
def lead_id(database) -> int:
    captured = database.write(
        lambda session: capture.capture_lead(session, ContactDetails(email="a@b.test"), at=NOW)
    )
    return captured.id


def test_an_email_is_queued_only_if_its_transaction_commits(post):
    def promise_and_fail(session):
        capture.capture_lead(session, ContactDetails(email="a@b.test"), at=NOW)
        outbox.queue(session, EmailKind.RESULT, "a@b.test", at=NOW, useless_after=NOW + HOUR)
        raise RuntimeError("after the mail was queued")

    with pytest.raises(RuntimeError):
        post.database.write(promise_and_fail)
    with post.database.read() as session:
        assert session.query(OutboxMessage).count() == session.query(models.Lead).count() == 0


def test_a_mailbox_gets_a_few_emails_a_day_under_every_tag_and_a_few_cancellations_more(post):
    typed = itertools.cycle(
        ["dora@b\u00fccher.test", "Dora+x@b\u00fccher.test", "dora@xn--bcher-kva.test"]
    )
    now = NOW

    def put(kind: EmailKind, address: str = "") -> str:
        return post.row(post.put(kind=kind, address=address or next(typed), at=now)).state

    for news, room in ((EmailKind.RESULT, outbox.EMAILS_A_DAY), (EmailKind.BOOKING_CANCELLED, 8)):
        assert [put(news) for _ in range(room + 1)] == ["pending"] * room + ["held"]
    assert put(EmailKind.BOOKING_REMINDER) == "pending"  # counted when it is due
    assert put(EmailKind.RESULT, "nora@b\u00fccher.test") == "pending"
    now += 25 * HOUR
    assert put(EmailKind.RESULT) == "pending"


def test_a_repeated_key_adds_no_second_email(post):
    first = post.put("one", dedupe_key="booking-1:confirmed")
    assert post.put("two", dedupe_key="booking-1:confirmed") == ""
    assert post.put("two", dedupe_key="booking-2:confirmed")
    assert post.row(first).address == "one@lead.test"


def test_a_repeated_key_at_the_same_moment_adds_one_email(post):
    both_ready = threading.Barrier(4)

    def queue_together() -> None:
        both_ready.wait()
        post.put(dedupe_key="booking-1:confirmed")

    in_threads(queue_together, 4)
    assert len(post.ids()) == 1


def test_a_held_email_leaves_only_after_its_lead_is_released(post, lead_id):
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


def test_waiting_emails_of_a_restored_backup_need_a_release(post, lead_id):
    now, later = post.put("now", lead_id=lead_id), post.put("later", due_at=NOW + 2 * HOUR)
    gone = post.put("gone")
    transport, write = FakeTransport(), post.database.write
    assert write(outbox.hold_waiting) == 3
    assert write(lambda session: outbox.release(session, lead_id, NOW)) == 0  # of a suspected lead
    post.drain(transport, NOW + HOUR)
    assert transport.tried == []
    assert post.health().troubles == (
        "Emails held since a backup was restored: 3. Send or cancel them on the desk.",
    )
    for one in (now, later):
        assert write(lambda session, one=one: admin_actions.retry(session, one, NOW + HOUR))
    assert write(lambda session: admin_actions.cancel(session, gone))
    assert post.health().troubles == ()
    post.drain(transport, NOW + HOUR)
    assert transport.tried == ["now"]
    post.drain(transport, NOW + 2 * HOUR)
    assert transport.tried == ["now", "later"]
