"""Send email through a mail server (RFC 5321), and interpret its replies.

For a practice that has a mailbox and no provider. An email counts as sent once the server
accepts its text. There are no delivery events: bounces
go to the sender's mailbox.
"""

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from ...outbound import Attempt
from ...settings import LOOPBACK, Settings
from ..message import Message
from ..outbox import SEND_SECONDS
from .base import Accepted, Failure, Permanent, Stop, Temporary, said, wire_address
from .mime import mime_message

PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409 and 8314
GOODBYE_SECONDS = 2
CLOSING = 421  # the server is shutting down
TOO_LARGE = 552


class Smtp:
    """Send through the mail server of `SMTP_URL`, with a connection for each email.

    A send takes at most `seconds`. Passwords and emails go over TLS, with a certificate
    checked by `context`, unless the server is on this machine.
    """

    def __init__(
        self,
        settings: Settings,
        seconds: float = SEND_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if settings.smtp_url is None:
            raise ValueError("SMTP_URL: is missing")
        url = settings.smtp_url.get_secret_value()
        self._server = urlsplit(url)
        self._sender = (settings.mail_from, settings.practice_name)
        self._our_name = urlsplit(settings.public_url).hostname
        self._seconds = seconds
        self._context = context or ssl.create_default_context()
        self.fingerprint = hashlib.sha256(url.encode()).hexdigest()

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Send once, within `seconds`; raise Temporary, Permanent or Stop."""
        try:
            content = mime_message(message, outbox_id, self._sender).as_bytes()
            envelope = wire_address(self._sender[0]), wire_address(message.to)
            "".join(envelope).encode("ascii")
        except Exception as error:
            raise Permanent(f"it is not a valid email ({type(error).__name__})") from None
        self._converse(lambda server: server.sendmail(*envelope, content), message)
        return Accepted()

    def check(self) -> str | None:
        """Sign in and disconnect; return the fault, or None."""
        try:
            self._converse(lambda server: server.noop())
        except Failure as refusal:
            return f"SMTP_URL: {refusal.reason}"
        return None

    def _converse(
        self, work: Callable[[smtplib.SMTP], Any], message: Message | None = None
    ) -> None:
        """Run `work` with a connected server; raise Temporary, Permanent or Stop on failure."""
        attempt = Attempt()
        try:
            server = attempt.run(self._seconds, partial(self._work, attempt, work))
        except Exception as error:  # OSError, SMTPException, or an error from a malformed reply
            raise meaning(error, message, unquote(self._server.password or "")) from None
        _leave(server)

    def _work(self, attempt: Attempt, work: Callable[[smtplib.SMTP], Any]) -> smtplib.SMTP:
        server = self._connected(attempt)
        try:
            if self._server.username is not None:
                server.login(unquote(self._server.username), unquote(self._server.password or ""))
            work(server)
        except BaseException:
            server.close()
            raise
        return server

    def _connected(self, attempt: Attempt) -> smtplib.SMTP:
        host = self._server.hostname or ""
        port = self._server.port or PORTS[self._server.scheme]
        named: dict[str, Any] = {"timeout": self._seconds, "local_hostname": self._our_name}
        if self._server.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, context=self._context, **named)
        else:
            server = smtplib.SMTP(host, port, **named)
        _watch(attempt, server)
        if self._server.scheme == "smtp" and (host not in LOOPBACK or _offers_tls(server)):
            server.starttls(context=_unchecked() if host in LOOPBACK else self._context)
            _watch(attempt, server)
        return server


def _offers_tls(server: smtplib.SMTP) -> bool:
    """Say whether a server on this machine has TLS, which it may require for passwords."""
    server.ehlo_or_helo_if_needed()
    return server.has_extn("starttls")


def _unchecked() -> ssl.SSLContext:
    """Accept any certificate: a server on this machine usually has one for another name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _watch(attempt: Attempt, server: smtplib.SMTP) -> None:
    if server.sock is None:
        raise smtplib.SMTPServerDisconnected
    attempt.watch(server.sock)


def _leave(server: smtplib.SMTP) -> None:
    """Disconnect. The email was accepted already, so errors don't matter."""
    farewell = Attempt()
    with suppress(Exception):
        _watch(farewell, server)
        farewell.run(GOODBYE_SECONDS, server.quit)
    server.close()


def meaning(
    error: Exception, message: Message | None = None, password: str = ""
) -> Temporary | Permanent | Stop:
    """Return the outcome that a failure means; 4xx replies are temporary."""

    def answered(code: int, words: bytes | str) -> str:
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        return f"({code}): {said(text, message, password)}".rstrip(": ")

    match error:
        case smtplib.SMTPNotSupportedError():
            return Stop("the mail server doesn't support encryption or signing in")
        case smtplib.SMTPAuthenticationError(smtp_code=code, smtp_error=words) if code >= 500:
            return Stop(f"the mail server refused our name or password {answered(code, words)}")
        case smtplib.SMTPSenderRefused(smtp_code=code, smtp_error=words) if (
            code >= 500 and code != TOO_LARGE
        ):
            return Stop(f"the mail server refused our sender {answered(code, words)}")
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            ((code, words),) = refused.values()
            return _of_code(code, f"this recipient {answered(code, words)}")
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
            return Temporary(f"the mail server answered {error.smtp_code}")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=words):
            return _of_code(code, f"this email {answered(code, words)}")
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER"):
            return Temporary("the mail server does not begin with TLS on this port")
        case ssl.SSLError():
            return Temporary("the mail server's certificate is not valid for its name")
        case TimeoutError():
            return Temporary("the mail server did not answer in time", may_have_left=True)
        case ConnectionRefusedError():
            return Temporary("the mail server could not be reached")
        case smtplib.SMTPServerDisconnected() | ConnectionError():
            return Temporary("the mail server closed the connection", may_have_left=True)
        case OSError() if not isinstance(error, smtplib.SMTPException):
            return Temporary("the mail server could not be reached")
    return Temporary(f"the mail server sent an invalid response ({type(error).__name__})")


def _of_code(code: int, what: str) -> Temporary | Permanent:
    if code >= 500:
        return Permanent(f"the mail server refused {what}")
    return Temporary(f"the mail server answered {code}", pause=code == CLOSING)
