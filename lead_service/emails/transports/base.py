"""The interface of a transport, and the possible outcomes of a send.

A send ends in one of four ways: it returns Accepted, or it raises

- Temporary: a retry can help (the provider is down, slow, or asks us to wait);
- Permanent: a retry can't help (the provider refuses this email);
- Stop: no email can be sent at all (the key is revoked, the sender not verified).

Reasons are shown on the desk and logged, so they never hold an address, a name or a text.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from email_validator import validate_email

from ..message import Message


@dataclass(frozen=True)
class Accepted:
    """The provider has accepted the email; `provider_id` is its own id, or None."""

    provider_id: str | None = None


class Failure(Exception):
    """The email was not sent, for a `reason` in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Temporary(Failure):
    """The try failed; a retry may succeed, not before `retry_at`.

    With `pause`, the provider asked us to slow down, and the try doesn't count.
    With `may_have_left`, there was no answer, and the email may still arrive.
    """

    def __init__(
        self,
        reason: str,
        retry_at: datetime | None = None,
        pause: bool = False,
        may_have_left: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_at, self.pause, self.may_have_left = retry_at, pause, may_have_left


class Permanent(Failure):
    """The provider will never accept this email."""


class Stop(Failure):
    """The provider accepts no email from us until a person fixes the cause."""


# Automatic replies must not go to an email's Reply-To (RFC 3834, 5).
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def extra_headers(message: Message) -> dict[str, str]:
    """Return the headers for which transports have no fields."""
    thread = {"In-Reply-To": message.thread, "References": message.thread}
    return AUTOMATIC | (thread if message.thread else {})


def header_text(text: str) -> str:
    """Return header text that no program can decode as an encoded word (RFC 2047).

    A visitor's encoded word could contain line breaks, and with them headers or a body.
    """
    return text.replace("=?", "= ?")


ADDRESS = re.compile(r"\S*@\S*")
NUMBER = re.compile(r"[+\d][\d ()./-]{5,}\d")
LONGEST_SAID = 150  # characters


def said(words: str, message: Message | None = None, *secrets: str) -> str:
    """Return a provider's message for people: one line, without personal data.

    Addresses, numbers, secrets and quoted names are left out.
    """
    people = [message.to, message.to_name] if message else []
    people += [message.reply_to or "", message.reply_to_name] if message else []
    names = [word for one in people for word in re.split(r"[\s@,;]+", one) if len(word) > 3]
    text = "".join(c for c in " ".join(words.split()) if c.isprintable())
    for private in sorted((*filter(None, secrets), *names), key=len, reverse=True):
        text = re.sub(re.escape(private), "…", text, flags=re.IGNORECASE)
    return NUMBER.sub("…", ADDRESS.sub("…", text))[:LONGEST_SAID].strip()


Outcome = Accepted | Temporary | Permanent | Stop


class Transport(Protocol):
    """A provider, mail server or folder that takes emails."""

    fingerprint: str  # a hash of the key

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Try to send once, within outbox.SEND_SECONDS; raise Temporary, Permanent or Stop."""
        ...


def wire_address(address: str) -> str:
    """Return an address as mail servers write it: the domain in punycode (RFC 5891).

    Raises ValueError for a domain that has no such form.
    """
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    checked = validate_email(f"x@{domain}", check_deliverability=False, test_environment=True)
    return f"{local}@{checked.ascii_domain}"
