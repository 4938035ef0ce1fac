"""Reminders of a call: emails that wait for their time, replaced whenever the call changes."""

from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy.orm import Session

from ..emails import outbox
from ..emails.message import EmailKind
from ..settings import Settings
from .models import Booking

TOO_SOON = timedelta(hours=1)  # so soon after the invitation, a reminder says nothing new


def plan(session: Session, settings: Settings, booking: Booking, now: datetime) -> None:
    """Queue the reminders that are still ahead.

    Each is of use until the next one is due, the last until the call starts: after an outage
    nobody is reminded twice at once. A booking in quarantine holds them until it is released.
    """
    due = ahead(settings, booking, now)
    for due_at, useless_after in pairwise([*due, booking.starts_at]):
        outbox.queue(
            session,
            EmailKind.BOOKING_REMINDER,
            booking.email,
            at=now,
            due_at=due_at,
            useless_after=useless_after,
            lead_id=booking.lead_id,
            booking_id=booking.id,
            sequence=booking.sequence,
            held=booking.quarantine,
        )


def ahead(settings: Settings, booking: Booking, now: datetime) -> list[datetime]:
    """Return when the reminders of a call are due (UTC), those that are still worth a mail."""
    due = (booking.starts_at - timedelta(hours=hours) for hours in settings.reminders)
    return [one for one in due if one > now + TOO_SOON]
