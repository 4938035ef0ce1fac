"""Time cells of five minutes: a unique constraint lets no two calls of a host hold the same one."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...call_types import CallType
from ...db.base import broken_rule
from ..hosts.models import Host
from ..models import Booking, TimeCell
from . import host_rules

CELL = timedelta(minutes=5)
ONE_WINNER = "uq_time_cell_host_id_starts_at"
INSERT = insert(TimeCell.__table__)


def reserve(session: Session, host: Host, booking: Booking) -> Booking | None:
    """Insert a booking of a locked host with its cells, or return None when a cell is taken."""
    try:
        with session.begin_nested():
            session.add(booking)
            host.calls_version += 1
            hold(session, booking)
    except IntegrityError as error:
        if broken_rule(error) != ONE_WINNER:
            raise
        return None
    return booking


def reassign(
    session: Session, booking: Booking, host: Host, kind: CallType, start: datetime
) -> bool:
    """Exchange a booking's cells for those of another time or host; False if one is taken.

    The savepoint then restores its old cells and everything else.
    """
    try:
        with session.begin_nested():
            free(session, booking)  # before reserving, because old and new cells may overlap
            if booking.host_id != host.id:  # the previous host's calendar may still show the call
                booking.former_hosts = [*(booking.former_hosts or ()), booking.host_id]
                booking.host.calls_version += 1
            booking.host, booking.host_id = host, host.id
            host.calls_version += 1
            booking.host_zone = host.zone
            booking.meeting_link = host.meeting_link_for(booking.uid, kind)
            rules = host_rules.rules(host, kind)
            booking.buffer_before, booking.buffer_after = rules.buffer_before, rules.buffer_after
            booking.starts_at = start
            booking.sequence += 1
            hold(session, booking)
    except IntegrityError as error:
        if broken_rule(error) != ONE_WINNER:
            raise
        return False
    return True


def free(session: Session, booking: Booking) -> None:
    """Free the cells of a booking."""
    session.execute(delete(TimeCell).where(TimeCell.booking_id == booking.id))


def drop_past(session: Session, now: datetime) -> None:
    """Delete past cells, which can't be booked anymore."""
    session.execute(delete(TimeCell).where(TimeCell.starts_at < now - timedelta(days=1)))


def hold(session: Session, booking: Booking) -> None:
    """Insert the five-minute cells of [start - buffer before, end + buffer after)."""
    session.flush()  # sets the booking's id
    known = {"host_id": booking.host_id, "booking_id": booking.id}
    first = booking.starts_at - timedelta(minutes=booking.buffer_before)
    minutes = booking.buffer_before + booking.duration + booking.buffer_after
    cells = [known | {"starts_at": first + number * CELL} for number in range(minutes // 5)]
    session.connection().execute(INSERT, cells)
