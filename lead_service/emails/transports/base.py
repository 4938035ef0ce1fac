"""What the outbox asks of whatever carries a mail away, and how the answer is told.

A send ends in one of four ways: it returns Accepted, or it raises

- Temporary: trying again can help (the provider is down, slow, or asks us to wait);
- Permanent: it cannot (the provider says that this very mail is wrong);
- Stop: no mail can leave at all (the key is revoked, the sender not verified).

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
    """The provider has taken the mail over; `provider_id` is its own name for it, or None."""

    provider_id: str | None = None


class Temporary(Exception):
    """This try failed; another may succeed, not before `retry_at`.

    With `pause` the provider asked the whole sender to wait: no try of this email is counted.
    With `may_have_left` the answer is missing, and the email may still arrive.
    """

    def __init__(
        self,
        reason: str,
        retry_at: datetime | None = None,
        pause: bool = False,
        may_have_left: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.retry_at, self.pause = reason, retry_at, pause
        self.may_have_left = may_have_left


class Permanent(Exception):
    """The provider will never take this mail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stop(Exception):
    """The provider takes no mail from us until a person has done something about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# Automatic replies must not go to an email's Reply-To (RFC 3834, 5).
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def extra_headers(message: Message) -> dict[str, str]:
    """Return the headers beside those that a transport has fields for."""
    thread = {"In-Reply-To": message.thread, "References": message.thread}
    return AUTOMATIC | (thread if message.thread else {})


def header_text(text: str) -> str:
    """Return text for a header in which no program finds an encoded word (RFC 2047) to decode.

    One that a visitor typed could hold line breaks, and with them headers or a body of their own.
    """
    return text.replace("=?", "= ?")


ADDRESS = re.compile(r"\S*@\S*")
NUMBER = re.compile(r"[+\d][\d ()./-]{5,}\d")
LONGEST_SAID = 150  # characters


def said(words: str, message: Message | None = None, *secrets: str) -> str:
    """Return what a provider says, for people: one line, without what the email is about.

    Addresses, numbers, secrets and the words of names are left out.
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
    """A way out for mail."""

    fingerprint: str  # changes when the key does, and does not tell it

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Send once, within outbox.SEND_SECONDS; raise Temporary, Permanent or Stop."""
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
