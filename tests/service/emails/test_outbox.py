"""Queuing emails on both databases, in the transaction of their cause."""

import itertools
import threading

import pytest

from lead_service.emails import admin_actions, outbox
from lead_service.emails.message import EmailKind
from lead_service.emails.models import OutboxMessage
from lead_service.leads import capture, models
from lead_service.leads.contact_details import ContactDetails
from tests.support.app.outbox_helper import HOUR, NOW, FakeTransport, in_threads

pytestmark = pytest.mark.both_engines


@pytest.fixture
def lead_id(database) -> int:
    captured = database.write(
        lambda session: capture.capture_lead(session, ContactDetails(email="a@b.test"), at=NOW)
    )
    return captured.id


def test_an_email_is_queued_only_if_its_transaction_commits(room):
    def promise_and_fail(session):
        capture.capture_lead(session, ContactDetails(email="a@b.test"), at=NOW)
        outbox.queue(session, EmailKind.RESULT, "a@b.test", at=NOW, useless_after=NOW + HOUR)
        raise RuntimeError("after the mail was queued")

    with pytest.raises(RuntimeError):
        room.database.write(promise_and_fail)
    with room.database.read() as session:
        assert session.query(OutboxMessage).count() == session.query(models.Lead).count() == 0


def test_a_mailbox_gets_a_few_emails_a_day_under_every_tag_and_a_few_cancellations_more(room):
    typed = itertools.cycle(
        ["dora@b\u00fccher.test", "Dora+x@b\u00fccher.test", "dora@xn--bcher-kva.test"]
    )
    now = NOW

    def put(kind: EmailKind, address: str = "") -> str:
        return room.row(room.put(kind=kind, address=address or next(typed), at=now)).state

    for news, most in ((EmailKind.RESULT, outbox.EMAILS_A_DAY), (EmailKind.BOOKING_CANCELLED, 8)):
        assert [put(news) for _ in range(most + 1)] == ["pending"] * most + ["held"]
    assert put(EmailKind.BOOKING_REMINDER) == "pending"  # counted when it is due
    assert put(EmailKind.RESULT, "nora@b\u00fccher.test") == "pending"
    now += 25 * HOUR
    assert put(EmailKind.RESULT) == "pending"


def test_a_repeated_key_adds_no_second_email(room):
    first = room.put("one", dedupe_key="booking-1:confirmed")
    assert room.put("two", dedupe_key="booking-1:confirmed") == ""
    assert room.put("two", dedupe_key="booking-2:confirmed")
    assert room.row(first).address == "one@lead.test"


def test_a_repeated_key_at_the_same_moment_adds_one_email(room):
    both_ready = threading.Barrier(4)

    def queue_together() -> None:
        both_ready.wait()
        room.put(dedupe_key="booking-1:confirmed")

    in_threads(queue_together, 4)
    assert len(room.ids()) == 1


def test_a_held_email_leaves_only_after_its_lead_is_released(room, lead_id):
    held = room.put(lead_id=lead_id, held=True)
    transport = FakeTransport()
    room.drain(transport, NOW + HOUR)
    assert transport.tried == [] and room.row(held).state == "held"

    assert room.database.write(lambda session: outbox.release(session, lead_id, NOW + HOUR)) == 1
    room.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"] and room.row(held).state == "sent"


def test_waiting_emails_of_a_restored_backup_need_a_release(room, lead_id):
    now, later = room.put("now", lead_id=lead_id), room.put("later", due_at=NOW + 2 * HOUR)
    gone = room.put("gone")
    transport, write = FakeTransport(), room.database.write
    assert write(outbox.hold_waiting) == 3
    assert write(lambda session: outbox.release(session, lead_id, NOW)) == 0  # of a suspected lead
    room.drain(transport, NOW + HOUR)
    assert transport.tried == []
    assert room.health().troubles == (
        "Emails held since a backup was restored: 3. Send or cancel them on the desk.",
    )
    for one in (now, later):
        assert write(lambda session, one=one: admin_actions.retry(session, one, NOW + HOUR))
    assert write(lambda session: admin_actions.cancel(session, gone))
    assert room.health().troubles == ()
    room.drain(transport, NOW + HOUR)
    assert transport.tried == ["now"]
    room.drain(transport, NOW + 2 * HOUR)
    assert transport.tried == ["now", "later"]
