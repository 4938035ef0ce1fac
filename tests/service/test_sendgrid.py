"""SendGrid, played by a server of our own: what it is sent, and what its answers come to."""

import base64
import logging
import socket
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from lead_service.clock import now
from lead_service.emails.message import Attachment, Message
from lead_service.emails.sendgrid import SendGrid
from lead_service.emails.transport import Accepted, Permanent, Stop, Temporary
from lead_service.settings import Settings, SettingsError, load
from tests.sendgrid_standin import (
    GARBAGE,
    KEY,
    TRUNCATED,
    StandIn,
    accept,
    drip,
    hang,
    raw,
    reset,
    status,
)

INVITE = Attachment("invite.ics", "text/calendar;method=REQUEST", b"BEGIN:VCALENDAR\r\n")
MAIL = Message(
    kind="booking_confirmed",
    to="ada@lead.test",
    to_name="Ada, of the Lovelaces; née Byron",
    subject="Your call: Monday",
    text="Hello Ada, SECRET-TEXT",
    html="<p>Hello Ada, SECRET-HTML</p>",
    reply_to="host@practice.test",
    reply_to_name="The Host",
    attachments=(INVITE,),
)


@pytest.fixture
def provider():
    with StandIn() as stand_in:
        yield stand_in


def client(url: str, seconds: float = 20, **changed) -> SendGrid:
    settings = Settings(sendgrid_api_key=KEY, sendgrid_host=url, **changed)
    return SendGrid(settings, seconds=seconds)


# -- What it is sent ------------------------------------------------------------------------


def test_a_mail_arrives_in_the_published_shape(provider):
    assert client(provider.url).send(MAIL, "mail-1") == Accepted("message-1")
    assert provider.faults == []
    body = provider.received[0].body
    assert body["from"] == {"email": "calls@example.test", "name": "ACTION Advisory"}
    assert body["reply_to"] == {"email": "host@practice.test", "name": "The Host"}
    assert body["subject"] == "Your call: Monday"
    (person,) = body["personalizations"]
    assert person["to"] == [{"email": MAIL.to, "name": MAIL.to_name}]


def test_a_mail_carries_our_own_id_where_both_sides_agree(provider):
    client(provider.url).send(MAIL, "mail-1")
    body = provider.received[0].body
    assert body["personalizations"][0]["custom_args"] == {"outbox_id": "mail-1"}
    assert "custom_args" not in body


def test_the_text_comes_before_the_html(provider):
    client(provider.url).send(MAIL, "mail-1")
    assert provider.received[0].body["content"] == [
        {"type": "text/plain", "value": MAIL.text},
        {"type": "text/html", "value": MAIL.html},
    ]


def test_the_invite_is_attached_under_the_one_type_that_is_accepted(provider):
    client(provider.url).send(MAIL, "mail-1")
    (attached,) = provider.received[0].body["attachments"]
    assert attached["type"] == "text/calendar;method=REQUEST"
    assert attached["disposition"] == "attachment"
    assert base64.b64decode(attached["content"]) == INVITE.content


def test_no_reader_and_no_link_is_tracked(provider):
    client(provider.url).send(MAIL, "mail-1")
    tracking = provider.received[0].body["tracking_settings"]
    assert set(tracking) >= {"click_tracking", "open_tracking", "subscription_tracking"}
    for setting in tracking.values():
        assert not any(setting.values())


def test_a_plain_mail_to_an_address_beyond_ascii_is_in_shape_too(provider):
    plain = Message("result", "ada@bücher.example", "", "Ergebnis: schön", "text", "<p>x</p>")
    client(provider.url).send(plain, "mail-1")
    assert provider.faults == []
    (person,) = provider.received[0].body["personalizations"]
    assert person["to"] == [{"email": "ada@xn--bcher-kva.example"}]
    assert "reply_to" not in provider.received[0].body


def test_a_mail_that_no_request_can_be_made_of_is_refused_before_it_is_sent(provider):
    broken = Message("result", "ada@-ü-.x", "", "s", "text", "<p>x</p>")
    with pytest.raises(Permanent) as refusal:
        client(provider.url).send(broken, "mail-1")
    assert "ada" not in refusal.value.reason
    assert provider.received == []


def test_200_is_a_success_in_sandbox_mode_only(provider):
    provider.mode = status(200)
    with pytest.raises(Temporary, match="200"):
        client(provider.url).send(MAIL, "mail-1")
    assert "mail_settings" not in provider.received[0].body

    assert client(provider.url, sendgrid_sandbox=True).send(MAIL, "mail-2") == Accepted(None)
    assert provider.received[1].body["mail_settings"] == {"sandbox_mode": {"enable": True}}
    assert provider.faults == []


# -- What its answers come to ---------------------------------------------------------------


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_or_sender_stops_everything(provider, code):
    provider.mode = status(code, body={"errors": [{"message": "no", "field": None}]})
    with pytest.raises(Stop, match=str(code)):
        client(provider.url).send(MAIL, "mail-1")


@pytest.mark.parametrize("code", [400, 413, 415, 422])
def test_a_mail_that_is_wrong_is_refused_for_good_with_the_field_and_nothing_personal(
    provider, code
):
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
    reset_at = int(now().timestamp()) + 300
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
    with pytest.raises(Temporary, match="broke off"):
        client(provider.url).send(MAIL, "mail-1")


def test_of_a_success_no_more_is_read_than_any_answer_holds(provider):
    sizes = []

    def endless(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\n\r\n")
        with suppress(OSError):
            for _ in range(1000):
                sizes.append(handler.wfile.write(b"x" * 64_000))

    provider.mode = endless
    assert client(provider.url).send(MAIL, "mail-1")
    assert sum(sizes) < 32_000_000


@pytest.mark.parametrize("mode", [GARBAGE, TRUNCATED, reset], ids=["garbage", "truncated", "reset"])
def test_no_proper_answer_is_tried_again(provider, mode):
    provider.mode = mode
    with pytest.raises(Temporary):
        client(provider.url).send(MAIL, "mail-1")
    assert provider.outbox_ids == ["mail-1"]


def test_an_error_whose_body_does_not_arrive_still_counts_as_what_it_is(provider):
    provider.mode = lambda handler: handler.wfile.write(
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 500\r\n\r\n{"
    )
    with pytest.raises(Stop):
        client(provider.url).send(MAIL, "mail-1")


def test_a_provider_that_is_down_is_tried_again():
    with StandIn() as gone:
        url = gone.url
    with pytest.raises(Temporary):
        client(url).send(MAIL, "mail-1")


def test_a_name_that_cannot_be_resolved_is_tried_again(monkeypatch):
    def nowhere(*_arguments, **_options):
        raise socket.gaierror(socket.EAI_AGAIN, "no name server")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(Temporary, match="gaierror"):
        client("https://api.sendgrid.com/").send(MAIL, "mail-1")


DRIPS = {
    "status line": drip(b""),
    "headers": drip(b"HTTP/1.1 202 Accepted\r\nX-Drip: "),
    "body": drip(b"HTTP/1.1 202 Accepted\r\nContent-Length: 203\r\n\r\n"),
    "error body": drip(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 203\r\n\r\n"),
}


@pytest.mark.parametrize("mode", [hang, *DRIPS.values()], ids=["hang", *DRIPS])
def test_a_send_is_cut_off_at_its_deadline_and_its_connection_closed(provider, mode):
    provider.mode = mode
    with pytest.raises(Temporary, match="TimeoutError"):
        client(provider.url, seconds=0.3).send(MAIL, "mail-1")
    assert provider.connections_cut.acquire(timeout=5)


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


def test_other_mails_go_on_after_a_hang(provider):
    sender = client(provider.url, seconds=0.3)
    provider.mode = hang
    with pytest.raises(Temporary):
        sender.send(MAIL, "mail-1")
    provider.mode = accept
    assert sender.send(MAIL, "mail-2").provider_id


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
    logging.getLogger("python_http_client").setLevel(logging.NOTSET)
    sender = client(provider.url)
    provider.mode = mode
    try:
        sender.send(MAIL, "mail-1")
    except (Temporary, Permanent) as failure:
        logging.getLogger("test").error("failed: %r %s", failure, failure.reason)
    logged = caplog.text + repr([vars(record) for record in caplog.records])
    for secret in (KEY, MAIL.to, "Lovelace", "SECRET", MAIL.subject, "host@practice.test"):
        assert secret not in logged
