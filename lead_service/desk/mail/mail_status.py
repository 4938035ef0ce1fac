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


def _where(name: EmailState | Delivery) -> ColumnElement[bool]:
    is_sent = OutboxMessage.state == EmailState.SENT
    if name == EmailState.SENT:
        return and_(is_sent, OutboxMessage.delivery.in_(UNTOLD))
    if isinstance(name, Delivery):
        return and_(is_sent, OutboxMessage.delivery == name)
    return OutboxMessage.state == name


ATTENTION = MailStatus("attention", "Needs attention", "bad", RINGS)
PAUSED = MailStatus("paused", "Paused", "bad", OutboxMessage.state == EmailState.PENDING)
STATUSES: tuple[tuple[EmailState | Delivery, str, str], ...] = (
    (EmailState.PENDING, "Waiting", ""),
    (EmailState.SENDING, "Being sent", ""),
    (EmailState.SENT, "Sent", ""),
    (Delivery.DEFERRED, "Deferred", "plain"),
    (Delivery.DELIVERED, "Delivered", ""),
    (Delivery.BOUNCED, "Bounced", "bad"),
    (Delivery.DROPPED, "Dropped", "bad"),
    (Delivery.REPORTED, "Marked as spam", "bad"),
    (EmailState.FAILED, "Refused", "bad"),
    (EmailState.DEAD, "Stopped trying", "bad"),
    (EmailState.EXPIRED, "Expired", "plain"),
    (EmailState.HELD, "Held", "plain"),
    (EmailState.CANCELLED, "Canceled", ""),
)
MAIL_STATUSES = tuple(MailStatus(*one, _where(one[0])) for one in STATUSES)
OFTEN = {"paused", EmailState.PENDING, Delivery.DELIVERED, EmailState.HELD}  # most used filters
BY_NAME = {one.name: one for one in (*MAIL_STATUSES, PAUSED, ATTENTION)}
CAN_BE_SEEN = {"attention", EmailState.FAILED, EmailState.DEAD, *RETURNED}  # filters of failures


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
