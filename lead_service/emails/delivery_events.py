"""Verify, parse and apply the delivery events that SendGrid posts to the webhook.

Events arrive in any order and more than once. A later state of an email is never replaced by an
earlier one.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sendgrid.helpers.eventwebhook import EventWebhook
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..leads import capture
from ..leads import events as leads_events
from ..leads.models import EventKind, Lead
from .message import EmailKind
from .models import RETURNED, Delivery, DeliveryEvent, EmailState, OutboxMessage

TIMESTAMP = re.compile(r"\d{10}", re.ASCII)
OUTBOX_ID = re.compile(r"[0-9a-f]{32}")
OLDEST = timedelta(days=400)  # age of an event that counts
ENHANCED_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b", re.ASCII)  # RFC 3463
REPLY_CODE = re.compile(r"[245]\d\d\b", re.ASCII)  # RFC 5321, 4.2

# The provider's names and ours (`Delivery`). Opens and clicks are neither requested nor
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
    "bounced address": "email to this address bounced before",
    "invalid": "this is not an email address",
    "unsubscribed address": "they have unsubscribed from our emails",
    "spam reporting address": "they have marked our email as spam before",
    "spam content": "the provider classified it as spam",
    "recipient list over package quota": "we have reached our quota at the provider",
}
BOUNCED = {
    "invalid address": "there is no such mailbox",
    "mailbox unavailable": "the mailbox doesn't accept email",
    "technical failure": "their server could not be reached, or failed",
    "content": "their server refused the content of the email",
    "reputation": "their server does not trust the provider",
    "frequency or volume too high": "their server gets too many emails from the provider",
}
# Reasons by the second number of an enhanced status code (RFC 3463, 3).
SUBJECTS = {
    "1": "there is no such mailbox",
    "2": "the mailbox doesn't accept email",
    "3": "their server could not be reached, or failed",
    "4": "their server could not be reached, or failed",
    "6": "their server refused the content of the email",
    "7": "their server refused email from us",
}

AT_ONCE = 500  # ids per query
TOLD = {  # the delivery events in a lead's timeline
    Delivery.DELIVERED: EventKind.MAIL_DELIVERED,
    Delivery.BOUNCED: EventKind.MAIL_BOUNCED,
    Delivery.DROPPED: EventKind.MAIL_DROPPED,
    Delivery.REPORTED: EventKind.MAIL_REPORTED,
}
TROUBLE = (*RETURNED, Delivery.REPORTED)
LATE_BOUNCE = timedelta(days=5)  # an email can bounce this long after it was sent
NO_REMINDER = {
    Delivery.BOUNCED: "an earlier email to this address bounced",
    Delivery.REPORTED: "they called an earlier email spam",
}
ARRIVED = (Delivery.DELIVERED, Delivery.REPORTED)
RANKS = {kind: rank for rank, kind in enumerate(Delivery)}


@dataclass(frozen=True)
class Event:
    """One delivery event of one email; `reason` is in our words."""

    outbox_id: str  # empty if the provider leaves it out: see `_name_emails`
    digest: str  # the same for every copy of an event
    kind: Delivery
    at: datetime
    reason: str = ""
    is_lasting: bool = False  # further emails to the address would bounce as well
    message_id: str = ""  # the provider's own name for the email, with a suffix
    address: str = ""


def is_genuine(key: str, body: bytes, signature: str, timestamp: str) -> bool:
    """Say whether `body` has a valid signature of the provider's key.

    The package's own check raises many kinds of errors, and would accept a digit
    moved from the timestamp into the body. The age doesn't matter: the provider retries for a day
    when we don't answer, and an event counts once.
    """
    try:
        if not TIMESTAMP.fullmatch(timestamp):
            return False
        return EventWebhook(key).verify_signature(body.decode("utf-8"), signature, timestamp)
    except Exception:
        return False


def parse_events(body: bytes, now: datetime) -> list[Event]:
    """Parse a signed body; raise ValueError unless it is a JSON list.

    Events of unknown kinds or other senders' emails are ignored: one invalid
    event must not block the others forever.
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
    message_id, address = _text(item, "sg_message_id"), _text(item, "email")
    is_named = OUTBOX_ID.fullmatch(outbox_id) is not None
    # A late bounce may lack both ids, as the provider documents.
    if kind is None or not (is_named or (kind in TROUBLE and (message_id or address))):
        return None
    return Event(
        outbox_id if is_named else "",
        _digest(item),
        kind,
        _instant(item, now),
        _reason(item, kind),
        kind is Delivery.REPORTED
        or (kind is Delivery.BOUNCED and _text(item, "type") != "blocked"),
        _storable(message_id),
        _storable(address),
    )


def _storable(text: str) -> str:
    """Return a text that both databases can store and compare, or an empty one."""
    return text if text.isascii() and text.isprintable() else ""


def _text(item: dict, name: str) -> str:
    value = item.get(name, "")
    return value if isinstance(value, str) else ""


def _digest(item: dict) -> str:
    """Hash an event without the provider's event id, which differs between retries."""
    said = {name: value for name, value in item.items() if name != "sg_event_id"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _instant(item: dict, now: datetime) -> datetime:
    """Return an event's time; the present if it is missing or impossible."""
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
        return "their mail server asked us to wait" + _in_brackets(code or REPLY_CODE.match(said))
    return ""


def _in_words(item: dict, code: re.Match | None) -> str:
    if words := BOUNCED.get(_text(item, "bounce_classification").lower()):
        return words
    return SUBJECTS.get(code[0].split(".")[1] if code else "", "their server refused it")


def _in_brackets(code: re.Match | None) -> str:
    return f" ({code[0]})" if code else ""


def apply_events(session: Session, events: Sequence[Event], now: datetime) -> int:
    """Apply events to their emails and leads; return how many were new.

    Events of deleted emails change nothing. Leads are locked before emails, as
    everywhere else.
    """
    events = _name_emails(session, events)
    concerned = _lock_leads(session, {event.outbox_id for event in events})
    mails = _lock_mails(session, {event.outbox_id for event in events})
    fresh = _unknown(session, [event for event in events if event.outbox_id in mails])
    for event in fresh:
        mail = mails[event.outbox_id]
        _accept(mail, event)
        _note(session, mail, event, now)
        if event.is_lasting:
            _stop_reminders(session, mail.address, NO_REMINDER[event.kind])
        lead = concerned.get(mail.lead_id or 0)
        if lead and event.kind in TOLD and _is_to(mail.address, lead):
            detail = {"mail": mail.id, "what": mail.kind, "reason": event.reason}
            leads_events.record_event(session, lead, TOLD[event.kind], event.at, **detail)
    session.flush()
    for lead in concerned.values():
        lead.bounced_at = _came_back_at(session, lead)
    return len(fresh)


def _name_emails(session: Session, events: Sequence[Event]) -> list[Event]:
    """Find the emails of events without our id; drop events of other senders.

    Match by the provider's message id, with which the event's begins, or by address and time: the
    latest email sent to the address before the event.
    """
    named = [event for event in events if event.outbox_id]
    for event in events:
        if not event.outbox_id and (outbox_id := _find_email(session, event)):
            named.append(replace(event, outbox_id=outbox_id))
    return named


def _find_email(session: Session, event: Event) -> str | None:
    parts = event.message_id.split(".")
    names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    query = select(OutboxMessage.id).order_by(OutboxMessage.sent_at.desc()).limit(1)
    if event.message_id:
        by_name = query.where(OutboxMessage.provider_id.in_(names))
        if found := session.scalar(by_name):
            return found
    sent = (OutboxMessage.sent_at <= event.at, OutboxMessage.sent_at > event.at - LATE_BOUNCE)
    as_typed = {event.address, event.address.lower()}
    return session.scalar(query.where(OutboxMessage.address.in_(as_typed), *sent))


def _accept(mail: OutboxMessage, event: Event) -> None:
    """Mark an email as sent when its event arrives although the provider's answer was lost."""
    if mail.state == EmailState.SENT:
        return
    mail.state, mail.sent_at, mail.alarm_at = EmailState.SENT, event.at, None
    mail.reason, mail.facts, mail.lease_token, mail.leased_until = "", None, None, None


def _stop_reminders(session: Session, address: str, reason: str) -> None:
    """Cancel the reminders to an address that bounced or reported spam."""
    planned = update(OutboxMessage).where(
        OutboxMessage.address == address,
        OutboxMessage.kind == EmailKind.BOOKING_REMINDER,
        OutboxMessage.state.in_((EmailState.PENDING, EmailState.HELD)),
    )
    gone = {"state": EmailState.CANCELLED, "facts": None, "body": None, "reason": reason}
    session.execute(planned.values(gone))


def no_reminder(session: Session, address: str) -> str:
    """Say why an address gets no reminders; empty if it gets them."""
    reported = select(OutboxMessage.id).where(
        OutboxMessage.address == address, OutboxMessage.delivery == Delivery.REPORTED
    )
    return NO_REMINDER[Delivery.REPORTED] if session.scalar(reported.limit(1)) else ""


def _lock_leads(session: Session, outbox_ids: Iterable[str]) -> dict[int, Lead]:
    found: dict[int, Lead] = {}
    for some in _chunks(outbox_ids):
        theirs = select(OutboxMessage.lead_id).where(OutboxMessage.id.in_(some))
        query = select(Lead).where(Lead.id.in_(theirs)).order_by(Lead.id)
        found |= {lead.id: lead for lead in session.scalars(query.with_for_update())}
    return found


def _lock_mails(session: Session, outbox_ids: Iterable[str]) -> dict[str, OutboxMessage]:
    found: dict[str, OutboxMessage] = {}
    for some in _chunks(outbox_ids):
        query = select(OutboxMessage).where(OutboxMessage.id.in_(some)).order_by(OutboxMessage.id)
        found |= {mail.id: mail for mail in session.scalars(query.with_for_update())}
    return found


def _unknown(session: Session, events: Sequence[Event]) -> list[Event]:
    """Return the new events, without duplicates, and lock their emails."""
    fresh = {(event.outbox_id, event.digest): event for event in events}
    for some in _chunks({event.outbox_id for event in events}):
        kept = select(DeliveryEvent.outbox_id, DeliveryEvent.digest)
        for outbox_id, digest in session.execute(kept.where(DeliveryEvent.outbox_id.in_(some))):
            fresh.pop((outbox_id, digest), None)
    return list(fresh.values())


def _note(session: Session, mail: OutboxMessage, event: Event, now: datetime) -> None:
    """Store an event, and update the email's delivery unless a later state is known.

    An email can bounce after it was delivered, but a bounced one is never delivered
    afterward. Of two events of equal rank, the later one counts.
    """
    kept = {"digest": event.digest, "kind": event.kind, "at": event.at, "reason": event.reason}
    session.add(DeliveryEvent(outbox_id=mail.id, **kept))
    if mail.delivery_at:
        stands = _standing(mail.delivery, mail.delivery_at, mail.reason)
        if _standing(event.kind, event.at, event.reason) <= stands:
            return
    if event.kind in RETURNED and mail.delivery not in RETURNED:
        mail.alarm_at = now
    mail.delivery, mail.delivery_at, mail.reason = event.kind, event.at, event.reason


def _standing(kind: Delivery, at: datetime, reason: str) -> tuple[int, datetime, str]:
    return RANKS[kind], at, reason


def _is_to(address: str, lead: Lead) -> bool:
    """Say whether an address is the lead's present one, and not the team's or a mistyped one."""
    try:
        return capture.normalize_email(address) == lead.address
    except ValueError:
        return False


def _came_back_at(session: Session, lead: Lead) -> datetime | None:
    """Return when an email to the lead's present address bounced, if none was delivered since."""
    back: list[datetime] = []
    arrived: list[datetime] = []
    mails = select(OutboxMessage.address, OutboxMessage.delivery, OutboxMessage.delivery_at)
    told = OutboxMessage.delivery.in_(TOLD)
    for address, delivery, at in session.execute(
        mails.where(OutboxMessage.lead_id == lead.id, told)
    ):
        if at and _is_to(address, lead):
            (arrived if delivery in ARRIVED else back).append(at)
    last = max(back, default=None)
    return last if last and not any(at > last for at in arrived) else None


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield chunks of sorted ids, so that two batches lock rows in the same order."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
