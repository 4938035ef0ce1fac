"""Email the people who can repair a calendar: the host, and the admins where nothing is offered."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.members import Member, Role
from ...emails import outbox, practice_context
from ...emails.message import EmailKind, Message, compose
from ...emails.models import OutboxMessage
from ...emails.outbox import NotNeeded
from ...formats import near_time, short_zoned_time
from ...publishing.site import Published
from ...settings import Settings
from ..emails import thread_of
from ..hosts.models import CalendarFeed, Host
from ..models import Booking

USEFUL_FOR = timedelta(days=2)  # afterward, the calendar has been read or the next notice was sent


def not_believed(session: Session, host: Host, feed: CalendarFeed, now: datetime) -> None:
    """Tell the host and the admins that the host offers no times until a calendar is read again."""
    admins = select(Member.email).where(Member.role == Role.ADMIN, Member.removed_at.is_(None))
    for address in dict.fromkeys([host.email, *session.scalars(admins.order_by(Member.id))]):
        _queue(session, host, feed, address, now, is_believed=False)


def widened(session: Session, host: Host, feed: CalendarFeed, now: datetime) -> None:
    """Tell the host that a calendar blocks more time than its events, and why."""
    _queue(session, host, feed, host.email, now, is_believed=True)


def _queue(
    session: Session,
    host: Host,
    feed: CalendarFeed,
    address: str,
    now: datetime,
    *,
    is_believed: bool,
) -> None:
    outbox.queue(
        session,
        EmailKind.CALENDAR_PROBLEM,
        address,
        at=now,
        useless_after=now + USEFUL_FOR,
        facts={
            "host": host.name,
            "host_id": host.id,
            "label": feed.label,
            "is_believed": is_believed,
            "fault": feed.fault,
            "reasons": feed.widened.splitlines(),
        },
        dedupe_key=f"calendar:{feed.id}:{now:%Y%m%dT%H%M%S}:{address}",
    )


def collides(session: Session, feed: CalendarFeed, booking: Booking, now: datetime) -> None:
    """Tell the host that a call was booked at a busy time of their calendar."""
    outbox.queue(
        session,
        EmailKind.CALL_COLLIDES,
        feed.host.email,
        at=now,
        useless_after=booking.starts_at,
        facts={"label": feed.label},
        lead_id=booking.lead_id,
        booking_id=booking.id,
        sequence=booking.sequence,
        dedupe_key=f"collides:{booking.uid}:{booking.sequence}",
    )


def collision_email(
    session: Session, settings: Settings, _published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the email about a call that collides with the host's calendar."""
    booking = session.get(Booking, row.booking_id or 0)
    if booking is None or not booking.is_live or booking.sequence != row.sequence:
        raise NotNeeded("the call has changed since")
    return compose(
        row.kind,
        to=row.address,
        to_name=booking.host.name,
        thread=thread_of(settings, booking),
        booking=booking,
        label=(row.facts or {})["label"],
        when=near_time(booking.starts_at, booking.host_zone),
        short_time=short_zoned_time(booking.starts_at, booking.host_zone),
        desk_link=settings.link(f"/desk/calls/{booking.id}/move/"),
        **practice_context(settings),
    )


def calendar_email(
    session: Session, settings: Settings, _published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the email about a calendar that can't be read or blocks too much time."""
    said = dict(row.facts or {})
    host = session.get(Host, said.pop("host_id"))
    if host is None:
        raise NotNeeded("the host was removed")
    return compose(
        row.kind,
        to=row.address,
        to_name=host.name if row.address == host.email else "",
        desk_link=settings.link(f"/desk/availability/{host.id}/calendars/"),
        **said,
        **practice_context(settings),
    )
