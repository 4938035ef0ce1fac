"""Responses of the provider and missing ones: a retry, a permanent failure or a stop."""

import json
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lead_service import clock
from lead_service.emails.transports.base import Permanent, Stop, Temporary
from lead_service.emails.worker import send_in_some_form
from tests.support.app.sendgrid_client import MAIL, client
from tests.support.fake_sendgrid import (
    GARBAGE,
    TRUNCATED,
    Handler,
    StandIn,
    accept,
    drip,
    hang,
    raw,
    reset,
    status,
)
from tests.support.waiting import PATIENCE


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_or_sender_stops_everything(provider, code):
    provider.mode = status(code, body={"errors": [{"message": "no", "field": None}]})
    with pytest.raises(Stop, match=str(code)):
        client(provider.url).send(MAIL, "mail-1")


@pytest.mark.parametrize("code", [400, 413, 415, 422])
def test_an_invalid_email_fails_for_good_with_the_field_and_no_personal_data(provider, code):
    field = "personalizations.0.to.0.email"
    errors = [{"message": "ada@lead.test is wrong", "field": field}]
    provider.mode = status(code, body={"errors": errors})
    with pytest.raises(Permanent, match=str(code)) as refusal:
        client(provider.url).send(MAIL, "mail-1")
    assert field in refusal.value.reason
    assert "ada" not in refusal.value.reason


def test_a_field_that_says_more_than_its_name_is_not_repeated(provider):
    provider.mode = status(400, body={"errors": [{"field": "ada@lead.test is wrong"}]})
    with pytest.raises(Permanent) as refusal:
        client(provider.url).send(MAIL, "mail-1")
    assert "ada" not in refusal.value.reason


@pytest.mark.parametrize("code", [204, 301, 302, 307, 308, 404, 405, 408, 500, 502, 503, 504])
def test_anything_else_but_202_is_tried_again(provider, code):
    provider.mode = status(code)
    with pytest.raises(Temporary, match=str(code)) as failure:
        client(provider.url).send(MAIL, "mail-1")
    assert not failure.value.pause


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_the_key_goes_nowhere_else(provider, code):
    with StandIn() as elsewhere:
        provider.mode = status(code, {"Location": f"{elsewhere.url}v3/mail/send"})
        with pytest.raises(Temporary, match=str(code)):
            client(provider.url).send(MAIL, "mail-1")
        assert elsewhere.received == [] and elsewhere.faults == []


def test_a_429_pauses_the_sender_until_the_later_of_both_times(provider):
    reset_at = int(clock.now().timestamp()) + 300
    provider.mode = status(429, {"Retry-After": "60", "X-RateLimit-Reset": str(reset_at)})
    with pytest.raises(Temporary) as failure:
        client(provider.url).send(MAIL, "mail-1")
    assert failure.value.pause
    assert failure.value.retry_at == datetime.fromtimestamp(reset_at, UTC)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 202 Accepted\r\n", b"HTTP/1.1 202", b"HTTP/1.1 202 OK\r\nX-Message-Id: 1"]
)
def test_a_202_that_breaks_off_in_its_head_is_no_success(provider, head):
    provider.mode = raw(head)
    with pytest.raises(Temporary, match="closed the connection"):
        client(provider.url).send(MAIL, "mail-1")


def test_the_body_of_a_success_is_read_up_to_a_limit(provider):
    sizes = []

    def endless(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\n\r\n")
        with suppress(OSError):
            for _ in range(1000):
                sizes.append(handler.wfile.write(b"x" * 64_000))

    provider.mode = endless
    assert client(provider.url).send(MAIL, "mail-1")
    assert sum(sizes) < 32_000_000


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\nX-Message-Id: 7\r\n\r\nonly this",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\nX-Message-Id: 7\r\n\r\nzz\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 202 Accepted\r\nX-Message-Id: 7\r\n\r\n",
    ],
    ids=["truncated", "broken chunk", "early hints"],
)
def test_a_202_counts_as_accepted_with_any_body_or_interim_response(provider, start):
    provider.mode = raw(start)
    assert client(provider.url).send(MAIL, "mail-1").provider_id == "7"


@pytest.mark.parametrize("code", [400, 401, 403, 413])
@pytest.mark.parametrize("body", [None, "<html>Blocked by the firewall</html>", {"errors": "no"}])
def test_a_refusal_without_the_providers_json_is_retried(provider, code, body):
    provider.mode = status(code, body=body)
    with pytest.raises(Temporary, match=str(code)):
        client(provider.url).send(MAIL, "mail-1")


def test_credits_that_are_used_up_are_named(provider):
    words = {"message": "Maximum credits exceeded", "field": None}
    provider.mode = status(401, body={"errors": [words]})
    with pytest.raises(Stop, match="Maximum credits exceeded"):
        client(provider.url).send(MAIL, "mail-1")


@pytest.mark.parametrize("refused, tries", [("ada@example.com", 2), ("Ada", 3)])
def test_no_input_of_a_visitor_keeps_an_email_from_the_team(provider, refused, tries):
    """The provider refuses an address, then a name anywhere, without naming the field."""
    link = "https://example.com/desk/leads/1/"
    lead = replace(
        MAIL,
        subject="Ada wrote",
        text=f"Ada: hello\n{link}",
        html="<p>Ada",
        desk_link=link,
        reply_to="ada@example.com",
        reply_to_name="",
    )

    bad = status(400, body={"errors": [{"message": "Bad Request"}]})

    def refuse(handler: Handler) -> None:
        given = json.dumps(handler.server.received[-1].body)
        (bad if refused in given else accept)(handler)

    provider.mode = refuse
    assert send_in_some_form(client(provider.url), lead, "mail-1")
    assert len(provider.received) == tries
    assert link in provider.received[-1].body["content"][0]["value"]


def test_messages_of_the_provider_are_repeated_without_addresses(provider):
    words = {"field": "subject", "message": "Bad words\x00 to\n ada@example.com, sorry"}
    provider.mode = status(400, body={"errors": [words]})
    with pytest.raises(Permanent, match=r"\(400\): subject: Bad words to … sorry$"):
        client(provider.url).send(MAIL, "mail-1")


@pytest.mark.parametrize("mode", [GARBAGE, TRUNCATED, reset], ids=["garbage", "truncated", "reset"])
def test_no_proper_answer_is_tried_again(provider, mode):
    provider.mode = mode
    with pytest.raises(Temporary):
        client(provider.url).send(MAIL, "mail-1")
    assert provider.outbox_ids == ["mail-1"]


def test_a_provider_that_is_down_is_tried_again():
    with StandIn() as gone:
        url = gone.url
    with pytest.raises(Temporary):
        client(url).send(MAIL, "mail-1")


DRIPS = {
    "status line": drip(b""),
    "headers": drip(b"HTTP/1.1 202 Accepted\r\nX-Drip: "),
    "error body": drip(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 203\r\n\r\n"),
}


@pytest.mark.parametrize("mode", [hang, *DRIPS.values()], ids=["hang", *DRIPS])
def test_a_send_is_cut_off_at_its_deadline_and_its_connection_closed(provider, mode):
    provider.mode = mode
    with pytest.raises(Temporary, match="TimeoutError"):
        client(provider.url, seconds=0.3).send(MAIL, "mail-1")
    assert provider.connections_cut.acquire(timeout=PATIENCE)


def test_a_connection_that_opens_after_the_deadline_sends_nothing(provider, monkeypatch):
    late = []

    def slow(*arguments, **options):
        late.append(True)
        provider.closing.wait(0.5)
        return connect(*arguments, **options)

    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", slow)
    with pytest.raises(Temporary, match="TimeoutError"):
        client(provider.url, seconds=0.1).send(MAIL, "mail-1")
    provider.closing.wait(1)
    assert late and provider.received == []


def test_other_emails_are_sent_after_a_hanging_one(provider):
    sender = client(provider.url, seconds=0.3)
    provider.mode = hang
    with pytest.raises(Temporary):
        sender.send(MAIL, "mail-1")
    provider.mode = accept
    assert sender.send(MAIL, "mail-2").provider_id
