"""A real mail server on this machine, with configurable replies, which records emails."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.support.local_server import free_port


class Mailbox:
    """The handler of a server that gives `answers` to commands, and records accepted emails."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.received: list[tuple[str, list[str], bytes]] = []
        self.signed_in: list[tuple[bytes, bytes]] = []

    async def handle_MAIL(self, _server, _session, envelope, address, options):
        envelope.mail_from, envelope.mail_options = address, options
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        answer = self.answers.get(f"rcpt {address}", self.answers.get("rcpt", "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server, _session, envelope):
        text = envelope.content
        if "reply" in self.answers and b"\nReply-To:" in text:
            return self.answers["reply"]
        answer = self.answers.get("data", "250 OK")
        if answer.startswith("250"):
            self.received.append((envelope.mail_from, envelope.rcpt_tos, text))
        return answer

    def authenticator(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        self.signed_in.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss", handled=False)


@contextmanager
def serving(mailbox: Mailbox, host: str = "127.0.0.1", **named) -> Iterator[int]:
    """Run a server until the end of the block; yield its port."""
    named |= {"authenticator": mailbox.authenticator, "server_hostname": "stand-in.test"}
    controller = Controller(mailbox, hostname=host, port=free_port(host), **named)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop(no_assert=True)
