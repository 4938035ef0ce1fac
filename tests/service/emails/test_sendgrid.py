"""Requests to a fake SendGrid, and where the key may be sent."""

import base64
import logging
from dataclasses import replace

import pytest

from lead_service import outbound
from lead_service.emails.message import Message
from lead_service.emails.transports.base import Accepted, Permanent, Temporary
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.settings import Settings, SettingsError, load
from tests.support.app.sendgrid_client import INVITE, MAIL, client
from tests.support.fake_sendgrid import (
    GARBAGE,
    KEY,
    StandIn,
    accept,
    accept_and_keep,
    raw,
    reset,
    status,
)
from tests.support.waiting import eventually

# It accepts the email and closes the connection without a response.
ACCEPT_AND_LEAVE = raw(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

# -- What it is sent ------------------------------------------------------------------------


def test_an_email_arrives_in_the_published_shape(provider):
    assert client(provider.url).send(MAIL, "mail-1") == Accepted("message-1")
    assert provider.faults == []
    body = provider.received[0].body
    assert body["from"] == {"email": "calls@example.test", "name": "ACTION Advisory"}
    assert body["reply_to"] == {"email": "host@practice.test", "name": "The Host"}
    assert body["subject"] == "Your call: Monday"
    (person,) = body["personalizations"]
    assert person["to"] == [{"email": MAIL.to}]
    assert body["headers"]["Auto-Submitted"] == "auto-generated"
    assert body["headers"]["References"] == body["headers"]["In-Reply-To"] == MAIL.thread
    assert body["mail_settings"]["bypass_unsubscribe_management"] == {"enable": True}
    assert person["custom_args"] == {"outbox_id": "mail-1"} and "custom_args" not in body
    kinds = [(part["type"], part["value"]) for part in body["content"]]
    assert kinds == [("text/plain", MAIL.text), ("text/html", MAIL.html)]
    (attached,) = body["attachments"]
    assert (attached["type"], attached["disposition"]) == (INVITE.content_type, "attachment")
    assert base64.b64decode(attached["content"]) == INVITE.content


@pytest.mark.parametrize("name", ["Doe, Jane", "Jane Doe; PhD"])
def test_a_name_with_a_comma_or_semicolon_is_left_out(provider, name):
    """SendGrid answers 202 and then drops an email to such a name."""
    mail = replace(MAIL, to_name=name, reply_to_name=name)
    client(provider.url, practice_name=name).send(mail, "mail-1")
    body = provider.received[0].body
    people = [*body["personalizations"][0]["to"], body["from"], body["reply_to"]]
    assert len(people) == 3 and not any("name" in person for person in people)


def test_a_connection_is_used_again_while_it_is_open(provider):
    sender, provider.mode = client(provider.url), accept_and_keep
    for number in range(2):
        assert sender.send(MAIL, f"mail-{number}") == Accepted(f"message-{number + 1}")
    assert len(set(provider.clients)) == 1
    provider.mode = ACCEPT_AND_LEAVE
    sender.send(MAIL, "mail-2")
    assert eventually(lambda: all(one.has_expired() for one in sender._pool.connections))
    sender.send(MAIL, "mail-3")
    assert [len(set(provider.clients[:end])) for end in range(1, 5)] == [1, 1, 1, 2]
    assert provider.faults == []


def test_a_request_that_gets_no_answer_on_a_kept_connection_is_not_repeated_at_once(
    provider, monkeypatch
):
    """The provider may have accepted it, so only the next attempt may send it again."""
    sender, provider.mode = client(provider.url), ACCEPT_AND_LEAVE
    monkeypatch.setattr(outbound._Stream, "get_extra_info", lambda *_given: None)
    sender.send(MAIL, "mail-1")
    with pytest.raises(Temporary):
        sender.send(MAIL, "mail-2")
    sender.send(MAIL, "mail-2")
    assert provider.outbox_ids == ["mail-1", "mail-2"]


def test_no_reader_and_no_link_is_tracked(provider):
    client(provider.url).send(MAIL, "mail-1")
    tracking = provider.received[0].body["tracking_settings"]
    assert set(tracking) >= {"click_tracking", "open_tracking", "subscription_tracking"}
    for setting in tracking.values():
        assert not any(setting.values())


def test_an_email_to_a_non_ascii_address_has_a_valid_form(provider):
    plain = Message("result", "ada@bücher.example", "", "Ergebnis: schön", "text", "<p>x</p>")
    client(provider.url).send(plain, "mail-1")
    assert provider.faults == []
    (person,) = provider.received[0].body["personalizations"]
    assert person["to"] == [{"email": "ada@xn--bcher-kva.example"}]
    assert "reply_to" not in provider.received[0].body


def test_an_email_without_a_valid_request_fails_before_it_is_sent(provider):
    broken = Message("result", "ada@-ü-.x", "", "s", "text", "<p>x</p>")
    with pytest.raises(Permanent) as refusal:
        client(provider.url).send(broken, "mail-1")
    assert "ada" not in refusal.value.reason
    assert provider.received == []


def test_200_is_a_success_in_sandbox_mode_only(provider):
    provider.mode = status(200)
    with pytest.raises(Temporary, match="200"):
        client(provider.url).send(MAIL, "mail-1")
    assert "sandbox_mode" not in provider.received[0].body["mail_settings"]

    assert client(provider.url, sendgrid_sandbox=True).send(MAIL, "mail-2") == Accepted(None)
    assert provider.received[1].body["mail_settings"]["sandbox_mode"] == {"enable": True}
    assert provider.faults == []


# -- Where the key may go -------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://api.sendgrid.com/", "http://10.0.0.8/", "http://127.0.0.1.example.com/"]
)
def test_a_host_that_would_get_the_key_in_the_clear_is_refused(url):
    settings = Settings(sendgrid_api_key=KEY).model_copy(update={"sendgrid_host": url})
    with pytest.raises(ValueError, match="SENDGRID_HOST"):
        SendGrid(settings)
    with pytest.raises(SettingsError, match="SENDGRID_HOST"):
        load({"SENDGRID_HOST": url})


def test_without_a_key_there_is_no_sender():
    with pytest.raises(ValueError, match="SENDGRID_API_KEY"):
        SendGrid(Settings(sendgrid_api_key=None))


def test_a_request_to_this_machine_is_not_given_to_a_proxy(provider, monkeypatch):
    with StandIn() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        client(provider.url).send(MAIL, "mail-1")
        assert proxy.received == [] and proxy.faults == []
    assert provider.outbox_ids == ["mail-1"]


def test_the_fingerprint_follows_the_key_and_does_not_tell_it(provider):
    here, same = client(provider.url), client(provider.url)
    other = SendGrid(Settings(sendgrid_api_key=KEY + "x", sendgrid_host=provider.url))
    assert here.fingerprint == same.fingerprint != other.fingerprint
    assert KEY not in here.fingerprint


MODES = [accept, status(400, body={"errors": [{"message": MAIL.to}]}), status(500), GARBAGE, reset]


@pytest.mark.parametrize("mode", MODES, ids=["accept", "400", "500", "garbage", "reset"])
def test_no_log_line_holds_an_address_a_body_or_the_key(provider, caplog, mode):
    caplog.set_level(logging.DEBUG)
    sender = client(provider.url)
    provider.mode = mode
    try:
        sender.send(MAIL, "mail-1")
    except (Temporary, Permanent) as failure:
        logging.getLogger("test").error("failed: %r %s", failure, failure.reason)
    logged = caplog.text + repr([vars(record) for record in caplog.records])
    for secret in (KEY, MAIL.to, "Lovelace", "SECRET", MAIL.subject, "host@practice.test"):
        assert secret not in logged
