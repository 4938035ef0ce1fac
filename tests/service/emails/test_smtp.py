"""A mail server of our own: what it is told, and what each of its answers comes to."""

import email
import email.policy
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from aiosmtpd.smtp import SMTP

from lead_service.emails.transports.base import Accepted, Permanent, Stop, Temporary
from lead_service.emails.transports.smtp import Smtp
from lead_service.emails.worker import send_in_some_form, transport_for
from lead_service.settings import Settings
from tests.support.app.sendgrid_client import MAIL
from tests.support.local_server import certificate, free_port
from tests.support.mail_server import Mailbox, serving

ELSEWHERE = "127.0.0.2"  # another machine, according to the settings


def sender(url: str, context: ssl.SSLContext | None = None, seconds: float = 5) -> Smtp:
    return Smtp(Settings(smtp_url=url, public_url="https://advisory.test/"), seconds, context)


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS context of a server at `ELSEWHERE`, and of a client that trusts it."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(certificate(ELSEWHERE))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=path)


def test_an_email_arrives_whole_with_our_own_id():
    mailbox = Mailbox()
    with serving(mailbox) as port:
        assert sender(f"smtp://127.0.0.1:{port}").send(MAIL, "0af1") == Accepted()
    ((sender_address, recipients, content),) = mailbox.received
    assert (sender_address, recipients) == ("calls@example.test", [MAIL.to])
    assert content.isascii()
    arrived = email.message_from_bytes(content, policy=email.policy.default)
    assert arrived["Message-ID"] == "<0af1@example.test>"
    assert arrived["To"].addresses[0].display_name == MAIL.to_name
    assert arrived["Auto-Submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in arrived.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html", "text/calendar"]


def test_elsewhere_it_signs_in_and_sends_over_starttls(tls):
    server, client = tls
    mailbox = Mailbox()
    with serving(mailbox, ELSEWHERE, tls_context=server, require_starttls=True) as port:
        url = f"smtp://calls%40example.test:p%40ss@{ELSEWHERE}:{port}"
        assert sender(url, client).send(MAIL, "0af1") == Accepted()
        assert sender(url, client).check() is None
    assert len(mailbox.received) == 1
    assert mailbox.signed_in == [(b"calls@example.test", b"p@ss")] * 2


def test_on_this_machine_it_signs_in_over_starttls_where_that_is_offered(tls):
    server, _client = tls  # for another name, as on a stock mail server
    mailbox = Mailbox()
    with serving(mailbox, tls_context=server, require_starttls=True) as port:
        own = sender(f"smtp://calls%40example.test:p%40ss@127.0.0.1:{port}")
        assert own.send(MAIL, "0af1") == Accepted()
    assert mailbox.signed_in == [(b"calls@example.test", b"p@ss")]


def test_smtps_is_encrypted_from_the_first_byte(tls):
    server, client = tls
    mailbox = Mailbox()
    with serving(mailbox, ELSEWHERE, ssl_context=server) as port:
        assert sender(f"smtps://{ELSEWHERE}:{port}", client).send(MAIL, "0af1") == Accepted()
    assert len(mailbox.received) == 1


def test_no_email_is_sent_to_a_server_without_a_valid_certificate(tls):
    server, _client = tls
    mailbox = Mailbox()
    with (
        serving(mailbox, ELSEWHERE, tls_context=server) as port,
        pytest.raises(Temporary, match="certificate is not valid"),
    ):
        sender(f"smtp://x:p%40ss@{ELSEWHERE}:{port}").send(MAIL, "0af1")
    assert (mailbox.received, mailbox.signed_in) == ([], [])


def test_nothing_is_sent_elsewhere_without_encryption():
    mailbox = Mailbox()
    with (
        serving(mailbox, ELSEWHERE, auth_require_tls=False) as port,
        pytest.raises(Stop, match="encryption or signing in"),
    ):
        sender(f"smtp://x:p%40ss@{ELSEWHERE}:{port}").send(MAIL, "0af1")
    assert (mailbox.received, mailbox.signed_in) == ([], [])


def test_a_wrong_password_stops_everything_and_is_not_repeated():
    mailbox = Mailbox()
    with serving(mailbox, auth_require_tls=False) as port:
        smtp = sender(f"smtp://x:guess@127.0.0.1:{port}")
        with pytest.raises(Stop) as refusal:
            smtp.send(MAIL, "0af1")
        assert smtp.check() == f"SMTP_URL: {refusal.value.reason}"
    assert refusal.value.reason.startswith("the mail server refused our name or password (535): ")
    assert mailbox.received == []


@pytest.mark.parametrize(
    ("command", "answer", "outcome"),
    [
        ("mail", "550 5.7.1 not you, calls@example.test", Stop),
        ("mail", "552 5.3.4 too large", Permanent),
        ("mail", "451 4.3.0 later", Temporary),
        ("rcpt", "550 5.1.1 no such user ada@lead.test", Permanent),
        ("rcpt", "450 4.2.1 greylisted", Temporary),
        ("data", "554 5.7.1 spam", Permanent),
        ("data", "452 4.2.2 full", Temporary),
        ("data", "421 4.7.0 too many", Temporary),
    ],
)
def test_a_response_is_reported_by_its_meaning_without_addresses(command, answer, outcome):
    mailbox = Mailbox(**{command: answer})
    with serving(mailbox) as port, pytest.raises(outcome) as told:
        sender(f"smtp://127.0.0.1:{port}").send(replace(MAIL, reply_to=None), "0af1")
    assert f"({answer[:3]}): {answer[4:12]}" in told.value.reason or answer.startswith("4")
    assert "@" not in told.value.reason
    assert getattr(told.value, "pause", False) == answer.startswith("421")
    assert mailbox.received == []


def test_an_email_refused_over_its_reply_to_leaves_without_it():
    mailbox = Mailbox(reply="554 5.6.0 bad header")
    with serving(mailbox) as port:
        send_in_some_form(sender(f"smtp://127.0.0.1:{port}"), MAIL, "0af1")
    assert len(mailbox.received) == 1


def test_an_address_that_no_command_can_hold_is_refused_before_it_is_sent():
    with serving(Mailbox()) as port, pytest.raises(Permanent) as refusal:
        sender(f"smtp://127.0.0.1:{port}").send(replace(MAIL, to="andré@lead.test"), "0af1")
    assert "andr" not in refusal.value.reason


def test_a_server_that_is_down_is_tried_again():
    with pytest.raises(Temporary, match="could not be reached"):
        sender(f"smtp://127.0.0.1:{free_port()}").send(MAIL, "0af1")


@pytest.mark.parametrize("greeting", [b"", b"nonsense\r\n", b"554 go away\r\n", b"220-a\r\n" * 9])
def test_no_proper_answer_is_tried_again(greeting):
    with _raw_server(greeting.splitlines(keepends=True)) as port, pytest.raises(Temporary):
        sender(f"smtp://127.0.0.1:{port}").send(MAIL, "0af1")


def test_a_server_that_drips_is_left_at_the_deadline():
    late = pytest.raises(Temporary, match="did not answer in time")
    with _raw_server(itertools.repeat(b"220-still here\r\n"), pause=0.05) as port, late:
        sender(f"smtp://127.0.0.1:{port}", seconds=0.3).send(MAIL, "0af1")


def test_errors_after_the_acceptance_do_not_matter(monkeypatch):
    async def broken_quit(self, _arg):
        self.transport.close()

    monkeypatch.setattr(SMTP, "smtp_QUIT", broken_quit)
    mailbox = Mailbox()
    with serving(mailbox) as port:
        assert sender(f"smtp://127.0.0.1:{port}").send(MAIL, "0af1") == Accepted()
    assert len(mailbox.received) == 1


def test_the_provider_is_used_if_both_are_set():
    smtp = {"smtp_url": "smtp://127.0.0.1"}
    assert type(transport_for(Settings(**smtp))).__name__ == "Smtp"
    assert type(transport_for(Settings(**smtp, sendgrid_api_key="x"))).__name__ == "SendGrid"
    assert type(transport_for(Settings())).__name__ == "Folder"


@contextmanager
def _raw_server(lines: Iterable[bytes], pause: float = 0.0) -> Iterator[int]:
    """Answer one connection with lines, `pause` seconds apart, and close it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            with connection:
                for line in lines:
                    try:
                        connection.sendall(line)
                    except OSError:
                        return
                    time.sleep(pause)

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("typed", ["=?utf-8?q?=0D=0A=0D=0AEvil?=", "=?utf-8?q?Doe=2C_Jane?="])
def test_an_encoded_word_that_a_visitor_typed_is_not_decoded(typed):
    mailbox = Mailbox()
    named = {"to_name": typed, "reply_to_name": typed, "subject": f"{typed} booked a call"}
    with serving(mailbox) as port:
        sender(f"smtp://127.0.0.1:{port}").send(replace(MAIL, **named), "0af1")
    ((_sender, _recipients, content),) = mailbox.received
    head, _, body = content.partition(b"\r\n\r\n")
    assert b"Evil" not in body and b"Doe," not in head
    assert b"Message-ID" in head and b"\nEvil" not in head
