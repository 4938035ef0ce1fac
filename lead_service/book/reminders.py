"""Reminders of a call: mails that wait for their time, replaced whenever the call changes."""

from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy.orm import Session

from ..emails import outbox
from ..settings import Settings
from . import emails
from .models import Booking

TOO_SOON = timedelta(hours=1)  # so soon after the invitation, a reminder says nothing new


def plan(session: Session, settings: Settings, booking: Booking, now: datetime, link: str) -> None:
    """Queue the reminders that are still ahead, in place of those that were planned before.

    Each is of use until the next one is due, the last until the call starts: after an outage
    nobody is reminded twice at once. A booking in quarantine holds them until it is released.
    """
    drop(session, booking)
    due = ahead(settings, booking, now)
    for number, (due_at, useless_after) in enumerate(pairwise([*due, booking.starts_at])):
        outbox.queue(
            session,
            emails.reminder(settings, booking, link),
            at=now,
            lead_id=booking.lead_id,
            due_at=due_at,
            useless_after=useless_after,
            dedupe_key=f"{booking.uid}:reminder:{booking.sequence}:{number}",
            held=booking.quarantine,
        )


def ahead(settings: Settings, booking: Booking, now: datetime) -> list[datetime]:
    """Return when the reminders of a call are due (UTC), those that are still worth a mail."""
    due = (booking.starts_at - timedelta(hours=hours) for hours in settings.reminders)
    return [one for one in due if one > now + TOO_SOON]


def drop(session: Session, booking: Booking) -> None:
    """Take back the reminders of a call that is off, or is to have others."""
    outbox.cancel(session, dedupe_prefix=f"{booking.uid}:reminder:")
