"""How a mail stands, as the desk says it: what we did with it and what the provider told since."""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from ..emails.models import RETURNED, RINGS, OutboxMessage

UNTOLD = ("", "processed")  # the provider has it, and has not said more


@dataclass(frozen=True)
class Standing:
    """One way in which a mail can stand: its name in addresses, the word for it, its color."""

    name: str
    word: str
    tone: str  # plain, good, bad
    where: ColumnElement[bool]


def _ours(name: str, word: str, tone: str = "plain") -> Standing:
    return Standing(name, word, tone, OutboxMessage.state == name)


def _told(name: str, word: str, tone: str = "plain") -> Standing:
    return Standing(
        name, word, tone, and_(OutboxMessage.state == "sent", OutboxMessage.delivery == name)
    )


ATTENTION = Standing("attention", "To look at", "bad", RINGS)
PAUSED = Standing("paused", "Paused", "bad", OutboxMessage.state == "pending")
STANDINGS = (
    _ours("pending", "Waiting"),
    _ours("sending", "Being sent"),
    Standing(
        "sent",
        "Sent",
        "good",
        and_(OutboxMessage.state == "sent", OutboxMessage.delivery.in_(UNTOLD)),
    ),
    _told("deferred", "Deferred"),
    _told("delivered", "Delivered", "good"),
    _told("bounced", "Bounced", "bad"),
    _told("dropped", "Dropped", "bad"),
    _told("reported", "Called spam", "bad"),
    _ours("failed", "Refused", "bad"),
    _ours("dead", "Given up", "bad"),
    _ours("expired", "Too late"),
    _ours("held", "Held back"),
    _ours("cancelled", "Taken back"),
)
BY_NAME = {one.name: one for one in (*STANDINGS, PAUSED, ATTENTION)}
CAN_BE_SEEN = {"attention", "failed", "dead", *RETURNED}  # where failures stand together


def of(mail: OutboxMessage, is_paused: bool = False) -> Standing:
    """Return how a mail stands; while nothing is sent, what waits is paused."""
    if mail.state == "pending" and is_paused:
        return PAUSED
    found = BY_NAME[_name(mail.state, mail.delivery)]
    is_retried = mail.state == "pending" and mail.attempts
    return replace(found, word="Trying again") if is_retried else found


def counts(session: Session, is_paused: bool) -> dict[str, int]:
    """Count the mails of each standing that there is, in the order of a mail's life."""
    by = (OutboxMessage.state, OutboxMessage.delivery)
    query = select(*by, func.count()).group_by(*by)
    found: dict[str, int] = {}
    for state, delivery, number in session.execute(query):
        name = _name(state, delivery)
        found[name] = found.get(name, 0) + number
    if is_paused and "pending" in found:
        found["paused"] = found.pop("pending")
    return {name: found[name] for name in ("paused", *BY_NAME) if name in found}


def _name(state: str, delivery: str) -> str:
    return delivery if state == "sent" and delivery not in UNTOLD else state
