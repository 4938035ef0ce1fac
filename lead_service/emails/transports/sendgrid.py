"""SendGrid as a transport: what it is asked, and what each of its answers means.

Its client makes the request's JSON and headers; `deadline_http` guards against where it would lose
an email or leak the key. Success is exactly 202; in sandbox mode, which checks an email and does
not send it, the provider answers 200.
"""

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import Message as Headers
from email.utils import parsedate_to_datetime
from http.client import HTTPException, IncompleteRead
from ssl import SSLError
from typing import Any
from urllib.parse import urlsplit

from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    Attachment,
    BypassUnsubscribeManagement,
    ClickTracking,
    Content,
    CustomArg,
    Disposition,
    Email,
    FileContent,
    FileName,
    FileType,
    From,
    Ganalytics,
    Header,
    Mail,
    MailSettings,
    OpenTracking,
    Personalization,
    ReplyTo,
    SandBoxMode,
    SubscriptionTracking,
    To,
    TrackingSettings,
)

from ... import clock
from ...settings import LOOPBACK, Settings
from ..message import Message
from ..outbox import SEND_SECONDS
from .base import Accepted, Permanent, Stop, Temporary, extra_headers, wire_address
from .deadline_http import Attempt, KeptConnection, PinnedClient, Refused

# At DEBUG this client logs the recipient, the whole mail and the key.
TALKATIVE = ("python_http_client", "python_http_client.client")
# The scopes that the key needs, and no others.
SENDING, ERASING = "mail.send", "recipients.erasejob.create"
# Trying again cannot help these: bad request, too large, unsupported type, unprocessable.
WRONG_MAIL = {400, 413, 415, 422}
# Why there was no answer; the first that fits is said.
SILENCES = (
    (TimeoutError, "did not answer in time"),
    (SSLError, "has an invalid certificate"),
    ((ConnectionResetError, IncompleteRead), "closed the connection"),
    (HTTPException, "sent an invalid response"),
    (OSError, "could not be reached"),
)
ADDRESS = re.compile(r"\S*@\S*")
LONGEST_SAID = 150  # characters
WHOLE_NUMBER = re.compile(r"\d{1,12}", re.ASCII)


class SendGrid:
    """Sends by the provider's v3 interface, with the key and the host of the settings.

    A send takes `seconds` at most. Raises ValueError without a key, or with a host that would
    get the key in the clear: plain http is for stand-ins on this machine.
    """

    def __init__(self, settings: Settings, seconds: float = SEND_SECONDS) -> None:
        host = urlsplit(settings.sendgrid_host)
        if settings.sendgrid_api_key is None:
            raise ValueError("SENDGRID_API_KEY: is missing")
        if host.scheme != "https" and host.hostname not in LOOPBACK:
            raise ValueError("SENDGRID_HOST: must start with https:// unless it is this machine")
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._key = settings.sendgrid_api_key.get_secret_value().strip()
        self._host = settings.sendgrid_host.rstrip("/")
        self._sender = (settings.mail_from, settings.practice_name)
        self._is_sandbox = settings.sendgrid_sandbox
        self._seconds = seconds
        self._kept = KeptConnection()
        self.fingerprint = hashlib.sha256(f"{self._host} {self._key}".encode()).hexdigest()

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Send once, within `seconds`; raise Temporary, Permanent or Stop."""
        try:
            request = self._request(message, outbox_id)
        except Exception as error:
            raise Permanent(f"no request can be made of it ({type(error).__name__})") from None
        answer = self._answer(lambda client: client.send(request))
        if answer.status_code == 202 or (answer.status_code == 200 and self._is_sandbox):
            return Accepted(_printable(answer.headers.get("X-Message-Id", "")))
        raise Temporary(f"the provider answered {answer.status_code}, which is not 202")

    def erase(self, address: str) -> None:
        """Have what the provider knows of an address erased; raise as `send` does."""
        request = {"email_addresses": [address]}
        try:
            answer = self._answer(lambda one: one.client.recipients.erasejob.post(request))
        except Stop as refusal:
            raise Stop(f"{refusal.reason}; it may lack the right {ERASING}") from None
        if answer.status_code != 202:
            raise Temporary(f"the provider answered {answer.status_code}, which is not 202")

    def _answer(self, ask: Callable[[SendGridAPIClient], Any]) -> Any:
        """Return the answer to one request, or raise what it means."""
        attempt = Attempt()
        try:
            return attempt.run(self._seconds, lambda: ask(self.client(attempt)))
        except Refused as refusal:
            raise meaning(refusal.status, refusal.headers, refusal.body, clock.now()) from None
        except Exception as error:  # OSError, HTTPException, whatever the client lets through
            raise silence(error) from None

    def client(self, attempt: Attempt) -> SendGridAPIClient:
        """Return the provider's client, its requests bound to the time of `attempt`."""
        client = SendGridAPIClient(self._key, host=self._host)
        headers = client.client.request_headers
        client.client = PinnedClient(attempt, self._host, headers, kept=self._kept)
        return client

    def _request(self, message: Message, outbox_id: str) -> dict[str, Any]:
        person = Personalization()
        person.add_to(_named(To(), message.to, message.to_name))
        # On the personalization: of the top level, the description and the client disagree.
        person.add_custom_arg(CustomArg("outbox_id", outbox_id))
        mail = Mail()
        mail.add_personalization(person)
        mail.from_email = _named(From(), *self._sender)
        mail.subject = message.subject
        if message.reply_to:
            mail.reply_to = _named(ReplyTo(), message.reply_to, message.reply_to_name)
        mail.add_content(Content("text/plain", message.text))  # plain before rich: RFC 2046, 5.1.4
        mail.add_content(Content("text/html", message.html))
        for attachment in message.attachments:
            mail.add_attachment(
                Attachment(
                    FileContent(base64.b64encode(attachment.content).decode("ascii")),
                    FileName(attachment.filename),
                    FileType(attachment.content_type),
                    Disposition("attachment"),
                )
            )
        for name, value in extra_headers(message).items():
            mail.add_header(Header(name, value))
        mail.tracking_settings = _untracked()
        # Who has left a newsletter of the same account still gets what they asked for here.
        mail.mail_settings = MailSettings(
            bypass_unsubscribe_management=BypassUnsubscribeManagement(True),
            sandbox_mode=SandBoxMode(True) if self._is_sandbox else None,
        )
        return mail.get()


def _named(person: Email, address: str, name: str) -> Any:
    """Fill in a person. The constructor would parse an address given without a name.

    SendGrid drops emails to a name with a comma or a semicolon: those go without the name.
    """
    person.email = wire_address(address)
    person.name = None if {",", ";"} & set(name) else name or None
    return person


def _printable(text: str) -> str | None:
    """Return the provider's id in a form that the database can hold, or None."""
    return "".join(c for c in text if "!" <= c <= "~")[:200] or None


def _untracked() -> TrackingSettings:
    """Leave links and readers alone, whatever the account's own settings are."""
    return TrackingSettings(
        click_tracking=ClickTracking(False, False),
        open_tracking=OpenTracking(False),
        subscription_tracking=SubscriptionTracking(False),
        ganalytics=Ganalytics(False),
    )


def meaning(
    status: int, headers: Headers, body: bytes, at: datetime
) -> Temporary | Permanent | Stop:
    """Say what an answer other than success means for the mail and for the sender.

    A refusal without SendGrid's own JSON comes from a proxy or a firewall on the way, and ends.
    """
    if status == 429:
        return Temporary("the provider asked us to slow down (429)", retry_at(headers, at), True)
    errors = _errors(body)
    if status in {401, 403} and errors is not None:
        return Stop(f"the provider refuses to send ({status}){_said(errors)}")
    if status in WRONG_MAIL and errors is not None:
        return Permanent(f"the provider refused this email ({status}){_said(errors)}")
    return Temporary(f"the provider answered {status}", retry_at(headers, at))


def silence(error: Exception) -> Temporary:
    """Say in words why there was no answer; for us, the error's own name stands behind them."""
    inner = getattr(error, "reason", None)  # of a URLError
    cause = inner if isinstance(inner, Exception) else error
    words = next((words for kind, words in SILENCES if isinstance(cause, kind)), "did not answer")
    may_have_left = isinstance(cause, TimeoutError | HTTPException | ConnectionResetError)
    said = f"the provider {words} ({type(cause).__name__})"
    return Temporary(said, may_have_left=may_have_left)


def _errors(body: bytes) -> list[dict] | None:
    """Return the errors that the provider lists; None when the answer is not in its form."""
    try:
        errors = json.loads(body)["errors"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_ours = isinstance(errors, list) and all(isinstance(error, dict) for error in errors)
    return errors if is_ours else None


def _said(errors: list[dict]) -> str:
    """Repeat what the provider says first, with the field that it names and without addresses."""
    said = [str(errors[0][key]) for key in ("field", "message") if errors and errors[0].get(key)]
    words = "".join(c for c in " ".join(": ".join(said).split()) if c.isprintable())
    return f": {ADDRESS.sub('…', words)}"[:LONGEST_SAID] if words else ""


def retry_at(headers: Headers, at: datetime) -> datetime | None:
    """Return the later of Retry-After (RFC 9110, 10.2.3) and X-RateLimit-Reset, if any.

    The first is seconds or a date, the second seconds since 1970. What cannot be read is
    ignored, and nothing further away than a day is believed (and `retries` grants less).
    """
    times = [_after(headers.get("Retry-After", "").strip(), at)]
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if WHOLE_NUMBER.fullmatch(reset):
        # Bounded before it is added: a reset in the year 10000 is no date.
        wait = min(int(reset) - int(at.timestamp()), 86_400)
        times.append(at + timedelta(seconds=max(wait, 0)))
    known = [min(time, at + timedelta(days=1)) for time in times if time and time > at]
    return max(known, default=None)


def _after(text: str, at: datetime) -> datetime | None:
    if WHOLE_NUMBER.fullmatch(text):
        return at + timedelta(seconds=min(int(text), 86_400) + 1)  # `at` has no fraction
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
