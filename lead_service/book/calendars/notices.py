"""Email the people who can repair a calendar: the host, and the admins where nothing is offered."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...accounts.members import Member, Role
from ...emails import outbox, practice_context
from ...emails.message import EmailKind, compose
from ...settings import Settings
from ..hosts.models import CalendarFeed, Host


def not_believed(
    session: Session, settings: Settings, host: Host, feed: CalendarFeed, now: datetime
) -> None:
    """Tell the host and the admins that the host offers no times until a calendar is read again."""
    admins = select(Member.email).where(Member.role == Role.ADMIN, Member.removed_at.is_(None))
    for address in dict.fromkeys([host.email, *session.scalars(admins.order_by(Member.id))]):
        _queue(session, settings, host, feed, address, now, is_believed=False)


def widened(
    session: Session, settings: Settings, host: Host, feed: CalendarFeed, now: datetime
) -> None:
    """Tell the host that a calendar blocks more time than it says, and why."""
    _queue(session, settings, host, feed, host.email, now, is_believed=True)


def _queue(
    session: Session,
    settings: Settings,
    host: Host,
    feed: CalendarFeed,
    address: str,
    now: datetime,
    *,
    is_believed: bool,
) -> None:
    message = compose(
        EmailKind.CALENDAR_PROBLEM,
        to=address,
        to_name=host.name if address == host.email else "",
        host=host.name,
        label=feed.label,
        is_believed=is_believed,
        fault=feed.fault,
        reasons=feed.widened.splitlines(),
        link=settings.link(f"/desk/availability/{host.id}/calendars/"),
        **practice_context(settings),
    )
    key = f"calendar:{feed.id}:{now:%Y%m%dT%H%M%S}:{address}"
    outbox.queue(session, message, at=now, dedupe_key=key)
