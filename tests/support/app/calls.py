"""What happens to a booked call, and who takes it: shared by the tests of bookings and mails."""

from datetime import datetime
from functools import partial

from sqlalchemy import func, select

from lead_service import clock
from lead_service.book import bookings, notifications
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking

from . import hosts

ANN = "ann@example.com"
add_host = partial(hosts.add_host, name="Ann Example")


def count(database, model) -> int:
    """Count the rows of a table."""
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def only_call(database) -> Booking:
    """Return the one booking there is, with its host, its lead and its cells."""
    with database.read() as session:
        call = session.scalars(select(Booking)).one()
        assert call.host and call.lead and call.cells is not None
        return call


def move(context, start: datetime, note: str = "", member_id: int | None = None, **how) -> bool:
    """Move the one call there is and tell everybody; return whether it moved."""

    def work(session) -> bool:
        booking, now = session.scalars(select(Booking)).one(), clock.now()
        before, previous_host = booking.starts_at, booking.host
        is_moved = bookings.move(session, booking, context.published.calls, start, now, **how)
        if is_moved:
            given = previous_host if previous_host.id != booking.host_id else None
            notifications.moved(
                session,
                context.settings,
                booking,
                before,
                now,
                previous_host=given,
                note=note,
                member_id=member_id,
            )
        return is_moved

    return context.database.write(work)


def give_to(context, host_id: int, note: str = "", member_id: int | None = None) -> bool:
    """Give the one call there is to another host and tell everybody; return whether it went."""

    def work(session) -> bool:
        booking, now = session.scalars(select(Booking)).one(), clock.now()
        previous_host = booking.host
        is_given = bookings.reassign(
            session, booking, context.published.calls, session.get_one(Host, host_id), now
        )
        if is_given:
            notifications.reassigned(
                session,
                context.settings,
                booking,
                previous_host,
                now,
                note=note,
                member_id=member_id,
            )
        return is_given

    return context.database.write(work)
