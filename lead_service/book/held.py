"""Let go of the times of calls that look automated and that the team has not released."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db.engine import Database
from . import bookings, notifications
from .models import Booking

HELD_FOR = timedelta(hours=4)  # then the time is free again, and the message stays


def let_go(database: Database, now: datetime) -> None:
    """Cancel the calls that were held for long enough; only their hosts are told."""
    over = select(Booking.id).where(bookings.held(now), Booking.created_at <= now - HELD_FOR)
    with database.read() as session:
        found = session.scalars(over.order_by(Booking.id)).all()
    for booking_id in found:  # each by itself, so that no two hosts are locked at once
        database.write(partial(_let_go, booking_id, now))


def _let_go(booking_id: int, now: datetime, session: Session) -> None:
    booking = session.get(Booking, booking_id)
    if booking is None:
        return
    bookings.lock_one(session, booking)
    if booking.quarantine and bookings.cancel(session, booking, now):  # not released meanwhile
        notifications.let_go(session, booking, now)
