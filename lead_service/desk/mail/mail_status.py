"""The state of an email on the desk: the outbox's, or the provider's once it is sent."""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from ...emails.models import RETURNED, RINGS, Delivery, EmailState, OutboxMessage

UNTOLD = (Delivery.UNKNOWN, Delivery.PROCESSED)  # accepted by the provider, without later events


@dataclass(frozen=True)
class MailStatus:
    """A state of an email: its name in addresses, its label, its color."""

    name: str
    word: str
    tone: str  # bad, plain for other exceptions, empty for normal states
    where: ColumnElement[bool]


def _ours(name: EmailState, word: str, tone: str = "") -> MailStatus:
    return MailStatus(name, word, tone, OutboxMessage.state == name)


def _told(name: Delivery, word: str, tone: str = "") -> MailStatus:
    return MailStatus(
        name,
        word,
        tone,
        and_(OutboxMessage.state == EmailState.SENT, OutboxMessage.delivery == name),
    )


ATTENTION = MailStatus("attention", "Needs attention", "bad", RINGS)
PAUSED = MailStatus("paused", "Paused", "bad", OutboxMessage.state == EmailState.PENDING)
MAIL_STATUSES = (
    _ours(EmailState.PENDING, "Waiting"),
    _ours(EmailState.SENDING, "Being sent"),
    MailStatus(
        EmailState.SENT,
        "Sent",
        "",
        and_(OutboxMessage.state == EmailState.SENT, OutboxMessage.delivery.in_(UNTOLD)),
    ),
    _told(Delivery.DEFERRED, "Deferred", "plain"),
    _told(Delivery.DELIVERED, "Delivered"),
    _told(Delivery.BOUNCED, "Bounced", "bad"),
    _told(Delivery.DROPPED, "Dropped", "bad"),
    _told(Delivery.REPORTED, "Marked as spam", "bad"),
    _ours(EmailState.FAILED, "Refused", "bad"),
    _ours(EmailState.DEAD, "Stopped trying", "bad"),
    _ours(EmailState.EXPIRED, "Expired", "plain"),
    _ours(EmailState.HELD, "Held", "plain"),
    _ours(EmailState.CANCELLED, "Canceled"),
)
OFTEN = {"paused", EmailState.PENDING, Delivery.DELIVERED, EmailState.HELD}  # most used filters
BY_NAME = {one.name: one for one in (*MAIL_STATUSES, PAUSED, ATTENTION)}
CAN_BE_SEEN = {
    "attention",
    EmailState.FAILED,
    EmailState.DEAD,
    *RETURNED,
}  # filters of failures


def status_of(mail: OutboxMessage, is_paused: bool = False) -> MailStatus:
    """Return the state of an email; a waiting one counts as paused while sending is."""
    if mail.state == EmailState.PENDING and is_paused:
        return PAUSED
    found = BY_NAME[_name(mail.state, mail.delivery)]
    is_retried = mail.state == EmailState.PENDING and mail.attempts
    return replace(found, word="Retrying") if is_retried else found


def counts(session: Session, is_paused: bool) -> dict[str, int]:
    """Count the emails in each state, in the order of an email's life."""
    by = (OutboxMessage.state, OutboxMessage.delivery)
    query = select(*by, func.count()).group_by(*by)
    found: dict[str, int] = {}
    for state, delivery, number in session.execute(query):
        name = _name(state, delivery)
        found[name] = found.get(name, 0) + number
    if is_paused and "pending" in found:
        found["paused"] = found.pop("pending")
    return {name: found[name] for name in ("paused", *BY_NAME) if name in found}


def _name(state: EmailState, delivery: Delivery) -> EmailState | Delivery:
    return delivery if state == EmailState.SENT and delivery not in UNTOLD else state
