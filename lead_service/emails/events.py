"""What the provider tells us of mails that it has taken: whether it is genuine, and what it says.

SendGrid's Event Webhook posts a JSON list of events, signed with ECDSA. It posts late, in any
order and more than once, and what a recipient's server answered is text of a stranger's: only
codes and known words of it are kept.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sendgrid.helpers.eventwebhook import EventWebhook

from .models import Delivery

TIMESTAMP = re.compile(r"\d{10}", re.ASCII)
OUTBOX_ID = re.compile(r"[0-9a-f]{32}")
OLDEST = timedelta(days=400)  # that an event can be: mails wait for days, their readers for weeks
ENHANCED_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b", re.ASCII)  # RFC 3463
REPLY_CODE = re.compile(r"[245]\d\d\b", re.ASCII)  # RFC 5321, 4.2

# The provider's names and ours (`Delivery`). Opens and clicks are neither asked for nor
# kept: tracking is off.
KINDS: dict[str, Delivery] = {
    "processed": Delivery.PROCESSED,
    "deferred": Delivery.DEFERRED,
    "delivered": Delivery.DELIVERED,
    "bounce": Delivery.BOUNCED,
    "dropped": Delivery.DROPPED,
    "spamreport": Delivery.REPORTED,
}
DROPPED = {
    "bounced address": "mail to this address came back before",
    "invalid": "this is no mail address",
    "unsubscribed address": "they have unsubscribed from our mail",
    "spam reporting address": "they have called our mail spam before",
    "spam content": "the provider took it for spam",
    "recipient list over package quota": "our quota at the provider is used up",
}
BOUNCED = {
    "invalid address": "there is no such mailbox",
    "mailbox unavailable": "the mailbox takes no mail",
    "technical failure": "their server could not be reached, or failed",
    "content": "their server refused what the mail says",
    "reputation": "their server does not trust the provider",
    "frequency or volume too high": "their server gets too much mail from the provider",
}
# By the second number of an enhanced status code (RFC 3463, 3).
SUBJECTS = {
    "1": "there is no such mailbox",
    "2": "the mailbox takes no mail",
    "3": "their server could not be reached, or failed",
    "4": "their server could not be reached, or failed",
    "6": "their server refused what the mail says",
    "7": "their server refused mail from us",
}


@dataclass(frozen=True)
class Event:
    """One thing that became of one mail; `reason` is in our words."""

    outbox_id: str
    digest: str  # the same for the same event, however often it comes
    kind: Delivery
    at: datetime
    reason: str = ""


def is_genuine(key: str, body: bytes, signature: str, timestamp: str) -> bool:
    """Say whether the provider has signed `body` with the private half of `key`.

    The package's own check raises whatever its input makes it raise, and would accept a digit
    moved from the timestamp into the body. How old it is does not matter: what we could not
    take is posted again for a day, and an event counts once.
    """
    try:
        if not TIMESTAMP.fullmatch(timestamp):
            return False
        return EventWebhook(key).verify_signature(body.decode("utf-8"), signature, timestamp)
    except Exception:
        return False


def parse(body: bytes, now: datetime) -> list[Event]:
    """Read a signed body; raise ValueError when it is no JSON list.

    What is not about a mail of ours, or of a kind that we do not keep, is passed over: one odd
    event must not hold up the others for ever.
    """
    try:
        found = json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, list):
        raise ValueError("not a list")
    return [event for item in found if (event := _event(item, now))]


def _event(item: Any, now: datetime) -> Event | None:
    if not isinstance(item, dict):
        return None
    kind, outbox_id = KINDS.get(_text(item, "event")), _text(item, "outbox_id")
    if kind is None or not OUTBOX_ID.fullmatch(outbox_id):
        return None
    return Event(outbox_id, _digest(item), kind, _instant(item, now), _reason(item, kind))


def _text(item: dict, name: str) -> str:
    value = item.get(name, "")
    return value if isinstance(value, str) else ""


def _digest(item: dict) -> str:
    """Name an event by the provider's id for it, or by all it says when it has none."""
    named = _text(item, "sg_event_id") or json.dumps(item, sort_keys=True)
    return hashlib.sha256(named.encode("utf-8", "backslashreplace")).hexdigest()


def _instant(item: dict, now: datetime) -> datetime:
    """Return when it happened; the present when that cannot be read or cannot be."""
    try:
        at = datetime.fromtimestamp(int(item["timestamp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return now
    return at if now - OLDEST <= at <= now else now


def _reason(item: dict, kind: Delivery) -> str:
    if kind is Delivery.DROPPED:
        return DROPPED.get(_text(item, "reason").lower(), "the provider did not try to deliver it")
    said = _text(item, "reason") or _text(item, "response")
    code = ENHANCED_CODE.search(f"{_text(item, 'status')} {said}")
    if kind is Delivery.BOUNCED:
        return _in_words(item, code) + _in_brackets(code or REPLY_CODE.match(said))
    if kind is Delivery.DEFERRED:
        return "their server asked to wait" + _in_brackets(code or REPLY_CODE.match(said))
    return ""


def _in_words(item: dict, code: re.Match | None) -> str:
    if words := BOUNCED.get(_text(item, "bounce_classification").lower()):
        return words
    return SUBJECTS.get(code[0].split(".")[1] if code else "", "their server refused it")


def _in_brackets(code: re.Match | None) -> str:
    return f" ({code[0]})" if code else ""
