"""Send email through SendGrid, and interpret its responses.

SendGrid's package builds the JSON of a request; `outbound` sends it within a deadline and never
follows a redirect with the key. Success is exactly 202; in sandbox mode, in which SendGrid checks
an email without sending it, it is 200.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from ssl import SSLError
from typing import Any
from urllib.parse import urlsplit

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
from werkzeug.datastructures import Headers

from ... import clock
from ...outbound import Answer, connections, request
from ...settings import LOOPBACK, Settings
from ..message import Message
from ..outbox import SEND_SECONDS
from .base import (
    Accepted,
    Permanent,
    Stop,
    Temporary,
    extra_headers,
    header_text,
    said,
    wire_address,
)

# All scopes that the key needs.
SENDING, ERASING = "mail.send", "recipients.erasejob.create"
ERASE_PATH = "/v3/recipients/erasejob"
KEPT_SECONDS = 5  # shorter than any server's time-out for idle connections
# Statuses for which a retry can't help.
WRONG_MAIL = {400, 413, 415, 422}
# Why there was no response; the first matching reason is reported.
SILENCES = (
    (TimeoutError, "did not answer in time"),
    (SSLError, "has an invalid certificate"),
    (ConnectionResetError, "closed the connection"),
    (HTTPException, "sent an invalid response"),
    (OSError, "could not be reached"),
)
WHOLE_NUMBER = re.compile(r"\d{1,12}", re.ASCII)


class SendGrid:
    """Send by the provider's v3 API, with the key and host of the settings.

    A send takes at most `seconds`. Raises ValueError without a key, or for a host that would
    get the key unencrypted: plain http is only for fakes on this machine.
    """

    def __init__(self, settings: Settings, seconds: float = SEND_SECONDS) -> None:
        host = urlsplit(settings.sendgrid_host)
        if settings.sendgrid_api_key is None:
            raise ValueError("SENDGRID_API_KEY: is missing")
        if host.scheme != "https" and host.hostname not in LOOPBACK:
            raise ValueError("SENDGRID_HOST: must start with https:// unless it is this machine")
        self._key = settings.sendgrid_api_key.get_secret_value().strip()
        self._host = settings.sendgrid_host.rstrip("/")
        self._sender = (settings.mail_from, settings.practice_name)
        self._is_sandbox = settings.sendgrid_sandbox
        self._seconds = seconds
        self._pool = connections(proxy_for=self._host, kept_seconds=KEPT_SECONDS)
        self.fingerprint = hashlib.sha256(f"{self._host} {self._key}".encode()).hexdigest()

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Send once, within `seconds`; raise Temporary, Permanent or Stop."""
        try:
            content = self._content(message, outbox_id)
        except Exception as error:
            raise Permanent(f"it is not a valid request ({type(error).__name__})") from None
        answer = self._ask("POST", "/v3/mail/send", content)
        if answer.status == 202 or (answer.status == 200 and self._is_sandbox):
            return Accepted(_printable(answer.headers.get("X-Message-Id", "")))
        raise meaning(answer, clock.now(), message, self._key)

    def erase(self, address: str) -> None:
        """Ask the provider to erase an address; raises like `send`."""
        answer = self._ask("POST", ERASE_PATH, {"email_addresses": [address]})
        if answer.status == 202:
            return
        outcome = meaning(answer, clock.now(), None, self._key)
        if isinstance(outcome, Stop):
            raise Stop(f"{outcome.reason}; it may lack the right {ERASING}")
        raise outcome

    def check(self) -> tuple[str | None, datetime | None]:
        """Return the key's fault or None, and the provider's time if it is known."""
        try:
            answer = self._ask("GET", "/v3/scopes")
        except Temporary as silence:
            return f"SENDGRID_HOST: {silence.reason}", None
        if answer.status in {401, 403}:
            return "SENDGRID_API_KEY: is refused by the provider", None
        if answer.status != 200:
            return f"SENDGRID_API_KEY: the provider answers {answer.status}", None
        try:
            scopes = json.loads(answer.body)["scopes"]
        except (ValueError, KeyError, TypeError):
            return "SENDGRID_HOST: the provider sent an invalid response", None
        wrong = None
        if SENDING not in scopes:
            wrong = f"SENDGRID_API_KEY: lacks the right to send ({SENDING})"
        elif ERASING not in scopes and not self._is_sandbox:
            wrong = f"SENDGRID_API_KEY: lacks the right to erase an address ({ERASING})"
        return wrong, _after(answer.headers.get("Date", ""), clock.now())

    def _ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> Answer:
        """Return the response to one request, or raise Temporary without one."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        body = None if content is None else json.dumps(content).encode()
        try:
            return request(self._pool, self._seconds, method, self._host + path, headers, body)
        except Exception as error:  # OSError, HTTPException, or any error of the client
            raise silence(error) from None

    def _content(self, message: Message, outbox_id: str) -> dict[str, Any]:
        person = Personalization()
        person.add_to(_named(To(), message.to, message.to_name))
        # On the personalization: for the top level, the documentation and the client disagree.
        person.add_custom_arg(CustomArg("outbox_id", outbox_id))
        mail = Mail()
        mail.add_personalization(person)
        mail.from_email = _named(From(), *self._sender)
        mail.subject = header_text(message.subject)
        if message.reply_to:
            mail.reply_to = _named(ReplyTo(), message.reply_to, message.reply_to_name)
        mail.add_content(Content("text/plain", message.text))  # plain text first: RFC 2046, 5.1.4
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
        # Send also to people who unsubscribed from a newsletter of the same account.
        mail.mail_settings = MailSettings(
            bypass_unsubscribe_management=BypassUnsubscribeManagement(True),
            sandbox_mode=SandBoxMode(True) if self._is_sandbox else None,
        )
        return mail.get()


def _named(person: Email, address: str, name: str) -> Any:
    """Set a person's address and name. The constructor would parse an address without a name.

    SendGrid drops emails to a name with a comma or semicolon, so such a name is left out.
    """
    person.email = wire_address(address)
    person.name = None if {",", ";"} & set(name) else header_text(name) or None
    return person


def _printable(text: str) -> str | None:
    """Return the printable part of the provider's id, or None."""
    return "".join(c for c in text if "!" <= c <= "~")[:200] or None


def _untracked() -> TrackingSettings:
    """Switch tracking off, regardless of the account's own settings."""
    return TrackingSettings(
        click_tracking=ClickTracking(False, False),
        open_tracking=OpenTracking(False),
        subscription_tracking=SubscriptionTracking(False),
        ganalytics=Ganalytics(False),
    )


def meaning(
    answer: Answer, at: datetime, message: Message | None = None, key: str = ""
) -> Temporary | Permanent | Stop:
    """Return the outcome that an error response means.

    A refusal without SendGrid's JSON comes from a proxy or firewall, and is temporary.
    """
    status, headers = answer.status, answer.headers
    if status == 429:
        return Temporary("the provider asked us to slow down (429)", retry_at(headers, at), True)
    errors = _errors(answer.body)
    if status in {401, 403} and errors is not None:
        return Stop(f"the provider refuses to send ({status}){_said(errors, message, key)}")
    if status in WRONG_MAIL and errors is not None:
        return Permanent(f"the provider refused this email ({status}){_said(errors, message, key)}")
    return Temporary(f"the email provider returned an error ({status})", retry_at(headers, at))


def silence(error: Exception) -> Temporary:
    """Say why there was no response, with the error's type for developers."""
    words = next((words for kind, words in SILENCES if isinstance(error, kind)), "did not answer")
    may_have_left = isinstance(error, TimeoutError | HTTPException | ConnectionResetError)
    said = f"the provider {words} ({type(error).__name__})"
    return Temporary(said, may_have_left=may_have_left)


def _errors(body: bytes) -> list[dict] | None:
    """Return the provider's list of errors; None if the response has another form."""
    try:
        errors = json.loads(body)["errors"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_ours = isinstance(errors, list) and all(isinstance(error, dict) for error in errors)
    return errors if is_ours else None


def _said(errors: list[dict], message: Message | None, key: str) -> str:
    """Return the provider's first error message, with its field."""
    words = [
        str(errors[0][name]) for name in ("field", "message") if errors and errors[0].get(name)
    ]
    return ": " + said(": ".join(words), message, key) if words else ""


def retry_at(headers: Headers, at: datetime) -> datetime | None:
    """Return the later of Retry-After (RFC 9110, 10.2.3) and X-RateLimit-Reset, if any.

    The first is seconds or a date, the second seconds since 1970. Invalid values are
    ignored, and times are limited to a day ahead (`retries` allows less).
    """
    times = [_after(headers.get("Retry-After", "").strip(), at)]
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if WHOLE_NUMBER.fullmatch(reset):
        # Limit the seconds first: a reset in the year 10000 would overflow.
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
