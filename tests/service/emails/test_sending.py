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
    OutboxHelper,
    failing,
    mail,
)
from tests.support.app.visitor_forms import VISITOR


@pytest.fixture
def post(database) -> OutboxHelper:
    return OutboxHelper(database)


@pytest.mark.both_engines
def test_a_sent_email_keeps_the_providers_id_and_loses_its_body(post):
    outbox_id = post.put()
    assert post.deliver_one(FakeTransport(), NOW)
    sent = post.row(outbox_id)
    assert (sent.state, sent.provider_id, sent.sent_at) == ("sent", "provider-1", NOW)
    assert sent.body is sent.facts is None and sent.lease_token is None
    assert not post.deliver_one(FakeTransport(), NOW + HOUR)


def test_local_mode_keeps_bodies_but_never_that_of_a_sign_in(post):
    plain, key = post.put("plain"), post.put("key", kind="sign_in")
    post.drain(FakeTransport(), keep_text=True)
    assert "Subject plain" in post.row(plain).body
    assert post.row(key).body is None


def test_a_sign_in_that_the_provider_refused_is_blanked_too(post):
    plain, key = post.put("plain"), post.put("key", kind="sign_in")
    post.drain(failing(Permanent("refused")))
    assert post.row(plain).facts is not None and post.row(key).facts is None


def test_an_email_waits_for_its_time(post):
    post.put(due_at=NOW + HOUR)
    transport = FakeTransport()
    post.drain(transport, NOW + HOUR - timedelta(seconds=1))
    assert transport.tried == []
    post.drain(transport, NOW + HOUR)
    assert transport.tried == ["one"]


def test_a_failed_try_is_repeated_later(post):
    outbox_id = post.put()
    post.drain(failing(Temporary("the provider answered 503")))
    failed = post.row(outbox_id)
    assert (failed.state, failed.attempts) == ("pending", 1)
    assert failed.next_at > NOW and failed.reason == "the provider answered 503"
    post.drain(FakeTransport(), failed.next_at)
    assert post.row(outbox_id).state == "sent" and post.row(outbox_id).reason == ""


def test_the_provider_may_delay_a_retry_up_to_a_limit(post):
    soon, never = post.put("soon"), post.put("never")
    answers = {"soon": NOW + HOUR, "never": NOW + 100 * HOUR}

    def answer(message: Message) -> Accepted:
        raise Temporary("503", retry_at=answers[message.to.partition("@")[0]])

    post.drain(FakeTransport(answer))
    assert post.row(soon).next_at == NOW + HOUR
    assert post.row(never).next_at == NOW + LONGEST_ASKED


def test_emails_that_failed_together_do_not_come_back_together(post):
    ids = [post.put(f"mail{number}") for number in range(20)]
    post.drain(failing(Temporary("503")))
    assert len({post.row(one).next_at for one in ids}) > 10


def test_an_email_is_given_up_only_after_48_tries_over_72_hours(post):
    outbox_id, transport, at = post.put(), failing(Temporary("503")), NOW
    tried_at = []
    while post.row(outbox_id).state == "pending":
        at = max(post.row(outbox_id).next_at, at)
        tried_at.append(at)
        post.deliver_one(transport, at)
    assert post.row(outbox_id).state == "dead" and post.row(outbox_id).facts is not None
    assert len(tried_at) >= 48 and tried_at[-1] - tried_at[0] >= 72 * HOUR
    waits = [after - before for before, after in pairwise(tried_at)]
    assert max(waits) <= LONGEST_WAIT
    assert post.health(at).dead == 1 and post.health(at).troubles


def test_days_without_a_try_do_not_count_toward_giving_up(post):
    outbox_id = post.put()
    post.deliver_one(failing(Temporary("503")), NOW)
    post.deliver_one(failing(Temporary("503")), NOW + 1000 * HOUR)
    assert post.row(outbox_id).state == "pending"


def test_a_refused_email_fails_at_once_and_does_not_delay_others(post):
    wrong, right = post.put("wrong"), post.put("right")

    def answer(message: Message) -> Accepted:
        if message.to.startswith("wrong"):
            raise Permanent("the provider refused this mail (400)")
        return Accepted()

    transport = FakeTransport(answer)
    post.drain(transport)
    assert sorted(transport.tried) == ["right", "wrong"]
    assert post.row(wrong).state == "failed" and "400" in post.row(wrong).reason
    assert post.row(right).state == "sent"
    assert post.health().failed == 1 and post.health().troubles


@pytest.mark.parametrize("error", [RuntimeError("bug"), ValueError("bug"), KeyError("bug")])
def test_an_email_that_breaks_the_transport_does_not_delay_others(post, error):
    poison = post.put("poison")

    def answer(message: Message) -> Accepted:
        if message.to.startswith("poison"):
            raise error
        return Accepted()

    right = post.put("right")
    post.drain(FakeTransport(answer))
    assert post.row(right).state == "sent"
    assert (post.row(poison).state, post.row(poison).attempts) == ("pending", 1)


def test_an_email_that_cannot_be_composed_raises_an_alarm_and_delays_no_other(post):
    poison, right = post.put("poison"), post.put("right")

    def compose(_session, row, _now) -> Message:
        return mail("right") if row.id == right else {}["poison"]

    while worker.deliver_one(post.database, FakeTransport(), compose, NOW):
        pass
    assert (post.row(poison).state, post.row(right).state) == ("failed", "sent")
    assert post.health().failed == 1 and "KeyError" in post.row(poison).reason


def test_a_lead_is_kept_whatever_the_teams_mail_looks_like(client, context, database, monkeypatch):
    post, templates = OutboxHelper(database), message._bodies.loader
    monkeypatch.setattr(message._bodies, "cache", {})
    monkeypatch.setattr(message._bodies, "loader", DictLoader({}))
    assert client.post("/contact/", data=VISITOR | {"submission": "once"}).status_code == 303
    (told,) = (id for id in post.ids() if post.row(id).kind == "new_lead")
    compose = composer(context.settings, context.published)
    worker.deliver_one(database, FakeTransport(), compose, clock.now())  # the visitor's receipt
    worker.deliver_one(database, FakeTransport(), compose, clock.now())
    failed = post.row(told)
    assert failed.state == "failed" and failed.alarm_at
    assert failed.reason.startswith("the email cannot be composed: TemplateNotFound")
    monkeypatch.setattr(message._bodies, "loader", templates)
    assert database.write(lambda session: admin_actions.retry(session, told, clock.now()))
    worker.deliver_one(database, FakeTransport(), compose, clock.now())
    assert post.row(told).state == "sent"


@pytest.mark.both_engines
def test_new_emails_are_sent_before_retries(post):
    old = post.put("old")
    post.drain(failing(Temporary("503")))
    post.put("fresh", at=NOW + 2 * HOUR)
    transport = FakeTransport()
    post.drain(transport, NOW + 2 * HOUR)
    assert transport.tried == ["fresh", "old"] and post.row(old).state == "sent"


def test_a_useless_email_is_blanked_and_not_sent(post):
    outbox_id = post.put(useless_after=NOW + 15 * MINUTE)
    transport = FakeTransport()
    post.drain(transport, NOW + 15 * MINUTE)
    assert transport.tried == []
    assert post.row(outbox_id).state == "expired" and post.row(outbox_id).facts is None


def test_email_expires_while_the_sender_is_stopped_too(post):
    outbox_id = post.put(useless_after=NOW + 15 * MINUTE)
    transport = failing(Stop("key refused"))
    post.drain(transport)
    post.drain(transport, NOW + HOUR)
    assert post.row(outbox_id).state == "expired" and transport.tried == ["one"]
