"""What the provider's events change: how a mail stands, and whether a lead's address works.

Events come in any order and more than once. So a mail's standing is the greatest of all that
was ever told of it, by rank and then by time, and a lead's address works or not by how the
mails to it then stand: both come out the same whatever comes first.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import leads
from ..leads import EventKind, Lead
from .events import Event
from .models import RETURNED, Delivery, DeliveryEvent, OutboxMessage

AT_ONCE = 500  # ids that one query asks for
TOLD = {  # what a lead's timeline tells
    Delivery.DELIVERED: EventKind.MAIL_DELIVERED,
    Delivery.BOUNCED: EventKind.MAIL_BOUNCED,
    Delivery.DROPPED: EventKind.MAIL_DROPPED,
    Delivery.REPORTED: EventKind.MAIL_REPORTED,
}
ARRIVED = (Delivery.DELIVERED, Delivery.REPORTED)
RANKS = {kind: rank for rank, kind in enumerate(Delivery)}


def take(session: Session, events: Sequence[Event], now: datetime) -> int:
    """Apply events to the mails and leads that they are about; return how many were new.

    Those of mails that are no longer kept change nothing. Leads are locked before mails, as
    whatever else changes both does.
    """
    concerned = _lock_leads(session, {event.outbox_id for event in events})
    mails = _lock_mails(session, {event.outbox_id for event in events})
    fresh = _unknown(session, [event for event in events if event.outbox_id in mails])
    for event in fresh:
        mail = mails[event.outbox_id]
        _note(session, mail, event, now)
        lead = concerned.get(mail.lead_id or 0)
        if lead and event.kind in TOLD and _is_to(mail.address, lead):
            detail = {"mail": mail.id, "what": mail.kind, "reason": event.reason}
            leads.record(session, lead, TOLD[event.kind], event.at, **detail)
    session.flush()
    for lead in concerned.values():
        lead.bounced_at = _came_back_at(session, lead)
    return len(fresh)


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
    """Return the events that were not told before, each once; their mails are locked."""
    fresh = {(event.outbox_id, event.digest): event for event in events}
    for some in _chunks({event.outbox_id for event in events}):
        kept = select(DeliveryEvent.outbox_id, DeliveryEvent.digest)
        for outbox_id, digest in session.execute(kept.where(DeliveryEvent.outbox_id.in_(some))):
            fresh.pop((outbox_id, digest), None)
    return list(fresh.values())


def _note(session: Session, mail: OutboxMessage, event: Event, now: datetime) -> None:
    """Keep an event, and let the mail stand as it says unless something further on was told.

    A mail can come back after it was delivered, when their server finds out later; one that
    came back is delivered no more. Of two events of one rank the later counts.
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
        return leads.normalize(address) == lead.address
    except ValueError:
        return False


def _came_back_at(session: Session, lead: Lead) -> datetime | None:
    """Return when a mail to the lead's present address came back, if none arrived since."""
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
    """Yield ids in order, so that two batches lock the same rows in the same order."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
