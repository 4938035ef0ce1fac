"""Calls that wait for the team: they look automated, or the team confirms their kind first.

Calls that look automated are canceled after a few hours. Before a visitor is left without an
answer, the team gets an alarm.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, joinedload

from ..db.engine import Database
from ..emails import team_notices
from ..emails.message import EmailKind
from ..emails.models import OutboxMessage
from ..emails.team_notices import CallNews
from ..settings import Settings
from . import bookings, notifications
from .models import Booking, Status

HELD_FOR = timedelta(hours=4)  # then the time is free again, and the message stays
SOON = timedelta(hours=12)  # before its start, a call should be confirmed
BEGUN = timedelta(days=1)  # for so long after its start, a call that nobody confirmed is listed
KEY = "unconfirmed"


def look_after(database: Database, settings: Settings, now: datetime) -> None:
    """Cancel calls that were held long enough; tell the team of calls that start unconfirmed."""
    over = select(Booking.id).where(bookings.held(now), Booking.created_at <= now - HELD_FOR)
    with database.read() as session:
        found = session.scalars(over.order_by(Booking.id)).all()
        begun = [booking.id for booking in unconfirmed(session, now) if booking.starts_at <= now]
        begun = [one for one in begun if not _is_told(session, one)]
    for booking_id in found:  # each by itself, so that no two hosts are locked at once
        database.write(partial(_let_go, settings, booking_id, now))
    for booking_id in begun:
        database.write(partial(_never_told, settings, booking_id, now))


def unconfirmed(session: Session, now: datetime) -> list[Booking]:
    """Return the calls that begin soon, or began within a day, and that no visitor was told of.

    In the order of their starts, without those that will be let go before.
    """
    query = (
        select(Booking)
        .where(
            Booking.status == Status.CONFIRMED,
            Booking.outcome.is_(None),
            or_(Booking.quarantine, Booking.awaits_confirmation),
            Booking.starts_at > now - BEGUN,
            Booking.starts_at <= now + SOON,
        )
        .options(joinedload(Booking.host), joinedload(Booking.lead))
        .order_by(Booking.starts_at, Booking.id)
    )
    return [
        booking
        for booking in session.scalars(query)
        if not booking.quarantine or booking.starts_at <= booking.created_at + HELD_FOR
    ]


def problems(session: Session, now: datetime) -> Iterator[str]:
    """Yield a line for calls to confirm now, and one for calls that began unconfirmed."""
    found = unconfirmed(session, now)
    begun = sum(booking.starts_at <= now for booking in found)
    if coming := len(found) - begun:
        soon = f"Calls that start soon and need confirmation: {coming}."
        yield f"{soon} Confirm or cancel them on the desk."
    if begun:
        late = f"Calls that started without confirmation: {begun}."
        yield f"{late} Call or write to the visitors yourself."


def _let_go(settings: Settings, booking_id: int, now: datetime, session: Session) -> None:
    booking = session.get(Booking, booking_id)
    if booking is None:
        return
    bookings.lock_one(session, booking)
    if booking.quarantine and bookings.cancel(session, booking, now):  # not released meanwhile
        notifications.canceled(session, settings, booking, now)


def _is_told(session: Session, booking_id: int) -> bool:
    told = exists().where(
        OutboxMessage.booking_id == booking_id,
        OutboxMessage.kind == EmailKind.NEW_LEAD,
        OutboxMessage.dedupe_key.startswith(f"team:{KEY}:"),
    )
    return bool(session.scalar(select(told)))


def _never_told(settings: Settings, booking_id: int, now: datetime, session: Session) -> None:
    booking = session.get(Booking, booking_id)
    if booking is None or booking.is_confirmed:
        return
    call, key = (booking.id, booking.sequence), f"{KEY}:{booking.uid}"
    news = CallNews.NEVER_TOLD
    team_notices.notify_of_call(session, settings, booking.lead_id, call, news, now, key=key)
