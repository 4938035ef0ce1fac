"""Sending from the outbox, on both databases: what each outcome comes to."""

from datetime import timedelta
from itertools import pairwise

import pytest
from jinja2 import DictLoader

from lead_service import clock
from lead_service.desk.mail.composers import composer
from lead_service.emails import admin_actions, message, worker
from lead_service.emails.message import Message
from lead_service.emails.retries import LONGEST_ASKED, LONGEST_WAIT
from lead_service.emails.transports.base import Accepted, Permanent, Stop, Temporary
from tests.support.app.outbox_helper import (
    HOUR,
    MINUTE,
    NOW,
    FakeTransport,
    failing,
    mail,
)
from tests.support.app.visitor_forms import VISITOR


@pytest.mark.both_engines
def test_a_sent_email_keeps_the_providers_id_and_loses_its_body(room):
    outbox_id = room.put()
    assert room.deliver_one(FakeTransport(), NOW)
    sent = room.row(outbox_id)
    assert (sent.state, sent.provider_id, sent.sent_at) == ("sent", "provider-1", NOW)
    assert sent.body is sent.facts is None and sent.lease_token is None
    assert not room.deliver_one(FakeTransport(), NOW + HOUR)


def test_local_mode_keeps_bodies_but_never_that_of_a_sign_in(room):
    plain, key = room.put("plain"), room.put("key", kind="sign_in")
    room.drain(FakeTransport(), keep_text=True)
    assert "Subject plain" in room.row(plain).body
    assert room.row(key).body is None


def test_a_sign_in_that_the_provider_refused_is_blanked_too(room):
    plain, key = room.put("plain"), room.put("key", kind="sign_in")
    room.drain(failing(Permanent("refused")))
    assert room.row(plain).facts is not None and room.row(key).facts is None


def test_an_email_waits_for_its_time(room):
    room.put(due_at=NOW + HOUR)
    transport = FakeTransport()
    room.drain(transport, NOW + HOUR - timedelta(seconds=1))
    assert transport.tried == []
    room.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"]


def test_a_failed_try_is_repeated_later(room):
    outbox_id = room.put()
    room.drain(failing(Temporary("the provider answered 503")))
    failed = room.row(outbox_id)
    assert (failed.state, failed.attempts) == ("pending", 1)
    assert failed.next_at > NOW and failed.reason == "the provider answered 503"
    room.drain(FakeTransport(), failed.next_at)
    assert room.row(outbox_id).state == "sent" and room.row(outbox_id).reason == ""


def test_the_provider_may_delay_a_retry_up_to_a_limit(room):
    soon, never = room.put("soon"), room.put("never")
    answers = {"soon": NOW + HOUR, "never": NOW + 100 * HOUR}

    def answer(message: Message) -> Accepted:
        raise Temporary("503", retry_at=answers[message.to.partition("@")[0]])

    room.drain(FakeTransport(answer))
    assert room.row(soon).next_at == NOW + HOUR
    assert room.row(never).next_at == NOW + LONGEST_ASKED


def test_emails_that_failed_together_do_not_come_back_together(room):
    ids = [room.put(f"mail{number}") for number in range(20)]
    room.drain(failing(Temporary("503")))
    assert len({room.row(one).next_at for one in ids}) > 10


def test_an_email_is_given_up_only_after_48_tries_over_72_hours(room):
    outbox_id, transport, at = room.put(), failing(Temporary("503")), NOW
    tried_at = []
    while room.row(outbox_id).state == "pending":
        at = max(room.row(outbox_id).next_at, at)
        tried_at.append(at)
        room.deliver_one(transport, at)
    assert room.row(outbox_id).state == "dead" and room.row(outbox_id).facts is not None
    assert len(tried_at) >= 48 and tried_at[-1] - tried_at[0] >= 72 * HOUR
    waits = [after - before for before, after in pairwise(tried_at)]
    assert max(waits) <= LONGEST_WAIT
    assert room.health(at).dead == 1 and room.health(at).troubles


def test_days_without_a_try_do_not_count_toward_giving_up(room):
    outbox_id = room.put()
    room.deliver_one(failing(Temporary("503")), NOW)
    room.deliver_one(failing(Temporary("503")), NOW + 1000 * HOUR)
    assert room.row(outbox_id).state == "pending"


def test_a_refused_email_fails_at_once_and_does_not_delay_others(room):
    wrong, right = room.put("wrong"), room.put("right")

    def answer(message: Message) -> Accepted:
        if message.to.startswith("wrong"):
            raise Permanent("the provider refused this mail (400)")
        return Accepted()

    transport = FakeTransport(answer)
    room.drain(transport)
    assert sorted(transport.tried) == ["right", "wrong"]
    assert room.row(wrong).state == "failed" and "400" in room.row(wrong).reason
    assert room.row(right).state == "sent"
    assert room.health().failed == 1 and room.health().troubles


@pytest.mark.parametrize("error", [RuntimeError("bug"), ValueError("bug"), KeyError("bug")])
def test_an_email_that_breaks_the_transport_does_not_delay_others(room, error):
    poison = room.put("poison")

    def answer(message: Message) -> Accepted:
        if message.to.startswith("poison"):
            raise error
        return Accepted()

    right = room.put("right")
    room.drain(FakeTransport(answer))
    assert room.row(right).state == "sent"
    assert (room.row(poison).state, room.row(poison).attempts) == ("pending", 1)


def test_an_email_that_cannot_be_composed_raises_an_alarm_and_delays_no_other(room):
    poison, right = room.put("poison"), room.put("right")

    def compose(_session, row, _now) -> Message:
        return mail("right") if row.id == right else {}["poison"]

    while worker.deliver_one(room.database, FakeTransport(), compose, NOW):
        pass
    assert (room.row(poison).state, room.row(right).state) == ("failed", "sent")
    assert room.health().failed == 1 and "KeyError" in room.row(poison).reason


def test_a_lead_is_kept_whatever_the_teams_mail_looks_like(
    client, context, database, room, monkeypatch
):
    templates = message._bodies.loader
    monkeypatch.setattr(message._bodies, "cache", {})
    monkeypatch.setattr(message._bodies, "loader", DictLoader({}))
    assert client.post("/contact/", data=VISITOR | {"submission": "once"}).status_code == 303
    (told,) = (id for id in room.ids() if room.row(id).kind == "new_lead")
    compose = composer(context.settings, context.published)
    worker.deliver_one(database, FakeTransport(), compose, clock.now())  # the visitor's receipt
    worker.deliver_one(database, FakeTransport(), compose, clock.now())
    failed = room.row(told)
    assert failed.state == "failed" and failed.alarm_at
    assert failed.reason.startswith("the email cannot be composed: TemplateNotFound")
    monkeypatch.setattr(message._bodies, "loader", templates)
    assert database.write(lambda session: admin_actions.retry(session, told, clock.now()))
    worker.deliver_one(database, FakeTransport(), compose, clock.now())
    assert room.row(told).state == "sent"


@pytest.mark.both_engines
def test_new_emails_are_sent_before_retries(room):
    old = room.put("old")
    room.drain(failing(Temporary("503")))
    room.put("fresh", at=NOW + 2 * HOUR)
    transport = FakeTransport()
    room.drain(transport, NOW + 2 * HOUR)
    assert transport.tried == ["fresh", "old"] and room.row(old).state == "sent"


def test_a_useless_email_is_blanked_and_not_sent(room):
    outbox_id = room.put(useless_after=NOW + 15 * MINUTE)
    transport = FakeTransport()
    room.drain(transport, NOW + 15 * MINUTE)
    assert transport.tried == []
    assert room.row(outbox_id).state == "expired" and room.row(outbox_id).facts is None


def test_email_expires_while_the_sender_is_stopped_too(room):
    outbox_id = room.put(useless_after=NOW + 15 * MINUTE)
    transport = failing(Stop("key refused"))
    room.drain(transport)
    room.drain(transport, NOW + HOUR)
    assert room.row(outbox_id).state == "expired" and transport.tried == ["one"]
