"""Let go of the times of calls that look automated and that the team has not released."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db.engine import Database
from . import bookings, notifications
from .models import Booking

HELD_FOR = timedelta(hours=4)  # then the time is free again, and the message stays


def let_go(database: Database, now: datetime) -> None:
    """Cancel the calls that were held for long enough; only their hosts are told."""
    over = select(Booking).where(bookings.held(now), Booking.created_at <= now - HELD_FOR)
    with database.read() as session:
        if session.scalar(over.limit(1)) is None:
            return

    def work(session: Session) -> None:
        for booking in session.scalars(over.order_by(Booking.id)).all():
            if bookings.cancel(session, booking, now):
                notifications.let_go(session, booking, now)

    database.write(work)
