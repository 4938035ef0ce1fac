"""The diary: claiming a start, giving it back. The database decides who was first."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import leads
from ..assess.models import Assessment
from ..db import broken_rule
from ..emails.models import OutboxMessage
from ..security import derived_token, token_hash
from . import calendar
from .models import Booking, Host, Status, TimeCell

CELL = timedelta(minutes=5)
FUTURE_BOOKINGS = 2  # of one address
ADDRESS_CHANGES = 3  # of one booking: the form must not become a way to mail strangers


class NotOffered(Exception):
    """The start is past, off the grid or outside the hours: nothing is stored."""


class TooMany(Exception):
    """The address has as many coming calls as one may have."""


@dataclass(frozen=True)
class Wish:
    """What a visitor asks for, cleaned and checked by the form."""

    start: datetime  # UTC
    zone: str  # the visitor's, for writing times
    name: str
    email: str
    company: str
    phone: str
    topic: str
    submission_key: str
    quarantine: bool = False
    assessment_id: int | None = None
    came_from: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a wish; `booking` is None when the start was just taken."""

    lead: leads.Lead
    booking: Booking | None
    is_new: bool  # False when this very form had been sent before


def take(session: Session, wish: Wish, now: datetime, secret: str) -> Outcome:
    """Claim the wished start for the first free host, and keep the lead either way.

    Locks the hosts, then the lead, always in that order. Raises NotOffered and TooMany.
    """
    if booking := _submitted(session, wish.submission_key):
        return Outcome(booking.lead, booking, is_new=False)
    hosts = calendar.active_hosts(session, lock=True)
    if booking := _submitted(session, wish.submission_key):  # while we waited for the lock
        return Outcome(booking.lead, booking, is_new=False)
    if not calendar.is_offered(hosts, wish.start, now):
        raise NotOffered
    lead, _ = leads.capture(
        session,
        email=wish.email,
        name=wish.name,
        company=wish.company,
        phone=wish.phone,
        quarantine=wish.quarantine,
        at=now,
    )
    if _coming(session, lead, now) >= FUTURE_BOOKINGS:
        raise TooMany
    # What is known of an address outlives a form that looks innocent.
    wish = replace(wish, quarantine=wish.quarantine or lead.quarantine)
    for host in calendar.free_hosts(session, hosts, wish.start, now):
        if booking := _claim(session, _booking(host, lead, wish, now, secret)):
            return Outcome(lead, booking, is_new=True)
    return Outcome(lead, None, is_new=True)


def cancel(session: Session, token: str, now: datetime) -> tuple[Booking, bool] | None:
    """Free the cells of a booking; return it and whether this call is what cancelled it.

    A call that has begun is no longer cancelled: it took place, or it did not.
    """
    booking = find(session, token, lock=True)
    if booking is None:
        return None
    if not booking.is_live or booking.starts_at <= now:
        return booking, False
    booking.status = Status.CANCELLED
    booking.cancelled_at = now
    booking.sequence += 1
    booking.cells.clear()
    session.flush()
    return booking, True


def readdress(session: Session, booking: Booking, email: str, now: datetime, secret: str) -> bool:
    """Correct where the invitation goes; False when it was done too often, or came too late.

    The link changes with it: whoever reads the mistyped mailbox must not hold this one. The
    SEQUENCE rises by two, one for the cancellation at the old address, which a calendar that
    gets both must find older than the invitation at the new one.
    """
    if booking.starts_at <= now or not booking.is_live:
        return False
    mistyped, meant = booking.lead, leads.find(session, email)
    has_its_share = meant and meant is not mistyped and _coming(session, meant, now)
    if booking.address_changes >= ADDRESS_CHANGES or (has_its_share or 0) >= FUTURE_BOOKINGS:
        return False
    if not _is_its_only_trace(session, booking, mistyped):
        meant, _ = leads.capture(
            session, email=email, name=booking.name, company=booking.company, at=now
        )
        booking.lead = meant
    elif meant is None:
        leads.correct(mistyped, email)
    elif meant is not mistyped:
        _move_all(session, mistyped, meant)
    booking.email = email
    booking.address_changes += 1
    booking.sequence += 2
    booking.token_hash = token_hash(manage_token(booking, secret))
    return True


def _is_its_only_trace(session: Session, booking: Booking, lead: leads.Lead) -> bool:
    """Say whether a lead exists through this booking alone, so that a typo made it."""
    others = session.scalar(
        select(func.count()).where(Booking.lead_id == lead.id, Booking.id != booking.id)
    )
    return lead.created_at == booking.created_at and not others


def _move_all(session: Session, wrong: leads.Lead, right: leads.Lead) -> None:
    """Give the lead that was meant all that hangs on the mistyped one, which then goes."""
    leads.absorb(session, right, wrong)
    for model in (Booking, Assessment, OutboxMessage):
        session.execute(update(model).where(model.lead_id == wrong.id).values(lead_id=right.id))
    session.expire_all()
    session.delete(wrong)
    session.flush()


def find(session: Session, token: str, *, lock: bool = False) -> Booking | None:
    """Find a booking by the token of its link; lock it, after its host, for a change."""
    query = select(Booking).where(Booking.token_hash == token_hash(token))
    booking = session.scalar(query)
    if booking and lock:
        session.get_one(Host, booking.host_id, with_for_update=True)
        session.refresh(booking, with_for_update=True)
    return booking


def manage_token(booking: Booking, secret: str) -> str:
    """Return the token of the booking's link, of which only the hash is kept."""
    return _token(secret, booking.uid, booking.address_changes)


def _token(secret: str, uid: str, address_changes: int) -> str:
    return derived_token(secret, "booking", f"{uid}:{address_changes}")


def _submitted(session: Session, key: str) -> Booking | None:
    return session.scalar(select(Booking).where(Booking.submission_key == key))


def _coming(session: Session, lead: leads.Lead, now: datetime) -> int:
    query = (
        select(func.count())
        .select_from(Booking)
        .where(Booking.lead_id == lead.id, Booking.status == Status.CONFIRMED)
    )
    return session.scalar(query.where(Booking.starts_at > now)) or 0


def _claim(session: Session, booking: Booking) -> Booking | None:
    """Insert a booking with its cells, or return None when a cell is taken."""
    booking.cells = [TimeCell(host_id=booking.host_id, starts_at=at) for at in _cells(booking)]
    try:
        with session.begin_nested():
            session.add(booking)
    except IntegrityError as error:
        if broken_rule(error) != "uq_time_cell_host_id_starts_at":
            raise
        return None
    return booking


def _booking(host: Host, lead: leads.Lead, wish: Wish, now: datetime, secret: str) -> Booking:
    uid = uuid.uuid4().hex
    return Booking(
        uid=uid,
        token_hash=token_hash(_token(secret, uid, 0)),
        submission_key=wish.submission_key,
        host_id=host.id,
        lead_id=lead.id,
        assessment_id=wish.assessment_id,
        came_from=wish.came_from,
        quarantine=wish.quarantine,
        starts_at=wish.start,
        duration=host.duration,
        buffer_before=host.buffer_before,
        buffer_after=host.buffer_after,
        host_zone=host.zone,
        visitor_zone=wish.zone,
        meeting_link=host.meeting_link,
        name=wish.name,
        email=wish.email,
        company=wish.company,
        phone=wish.phone,
        topic=wish.topic,
        address_changes=0,
        created_at=now,
        cancelled_at=None,
    )


def _cells(booking: Booking) -> list[datetime]:
    """Return the five-minute instants of [start - buffer before, end + buffer after)."""
    first = booking.starts_at - timedelta(minutes=booking.buffer_before)
    minutes = booking.buffer_before + booking.duration + booking.buffer_after
    return [first + number * CELL for number in range(minutes // 5)]
