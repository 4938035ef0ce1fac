"""The mails of a booking, each a finished message; `announce` queues those of an occasion."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from ..dates import clock_time, long_date
from ..emails import practice_context
from ..emails.message import Attachment, Message, compose
from ..settings import Settings
from . import invites
from .models import Booking

REQUEST, CANCEL = "REQUEST", "CANCEL"


def to_visitor(
    settings: Settings, booking: Booking, kind: str, now: datetime, link: str
) -> Message:
    """Compose `booking_confirmed` or `booking_cancelled`; it repeats no text of the visitor's."""
    return compose(
        kind,
        to=booking.email,
        to_name=booking.name,
        reply_to=booking.host.email,
        reply_to_name=booking.host.name,
        attachments=(_invite(visitors_meeting(settings, booking, now), kind),),
        link=link,
        **_context(settings, booking, booking.visitor_zone),
    )


def to_host(
    settings: Settings,
    booking: Booking,
    kind: str,
    now: datetime,
    brief: Any = None,
    article: str = "",
) -> Message:
    """Compose `booking_for_host` or `booking_cancelled_for_host`, with the brief for the call.

    `article` is the title of the one that led the visitor here.
    """
    return compose(
        kind,
        to=booking.host.email,
        to_name=booking.host.name,
        reply_to=booking.email,
        reply_to_name=booking.name,
        attachments=(_invite(hosts_meeting(settings, booking, now), kind),),
        link=settings.link(f"/desk/leads/{booking.lead_id}/"),
        brief=brief,
        article=article,
        **_context(settings, booking, booking.host_zone),
    )


def withdrawal(settings: Settings, booking: Booking, before: str, now: datetime) -> Message:
    """Compose the mail that takes an invitation back from an address it should not have got to.

    It says nothing of the call: whoever reads it is most likely a stranger.
    """
    wrong = replace(
        visitors_meeting(settings, booking, now),
        sequence=booking.sequence - 1,
        summary="Sent by mistake",
        attendee_email=before,
        attendee_name="",
    )
    return compose(
        "booking_withdrawn",
        to=before,
        attachments=(_invite(wrong, "cancelled"),),
        **practice_context(settings),
    )


def visitors_meeting(settings: Settings, booking: Booking, now: datetime) -> invites.Meeting:
    """Return the meeting as the visitor's calendar shows it."""
    place = booking.meeting_link or f"By phone: {booking.host.name} calls you"
    return _meeting(
        settings,
        booking,
        now,
        summary=f"Discovery call with {settings.practice_name}",
        description=f"{booking.duration} minutes, nothing to prepare.\n"
        f"To cancel, use the link in the mail from {settings.practice_name}.",
        location=place,
        attendee=(booking.email, booking.name),
    )


def hosts_meeting(settings: Settings, booking: Booking, now: datetime) -> invites.Meeting:
    """Return the meeting as the host's calendar shows it."""
    place = booking.meeting_link or f"By phone: {booking.phone}"
    return _meeting(
        settings,
        booking,
        now,
        summary=f"Discovery call: {booking.name}"
        + (f", {booking.company}" if booking.company else ""),
        description=f"The brief: {settings.link(f'/desk/leads/{booking.lead_id}/')}",
        location=place,
        attendee=(booking.host.email, booking.host.name),
    )


def _meeting(
    settings: Settings, booking: Booking, now: datetime, *, attendee: tuple[str, str], **text: str
) -> invites.Meeting:
    return invites.Meeting(
        uid=booking.uid,
        sequence=booking.sequence,
        start=booking.starts_at,
        duration=booking.duration,
        url=booking.meeting_link or None,
        organizer_email=settings.mail_from,
        organizer_name=settings.practice_name,
        attendee_email=attendee[0],
        attendee_name=attendee[1],
        stamped_at=now,
        **text,
    )


def _invite(meeting: invites.Meeting, kind: str) -> Attachment:
    if "cancelled" in kind:
        return Attachment("cancel.ics", invites.content_type(CANCEL), invites.cancellation(meeting))
    return Attachment("invite.ics", invites.content_type(REQUEST), invites.invitation(meeting))


def _context(settings: Settings, booking: Booking, zone: str) -> dict[str, Any]:
    return practice_context(settings) | {
        "booking": booking,
        "host": booking.host,
        "day": long_date(booking.starts_at, zone),
        "time": clock_time(booking.starts_at, zone),
        "zone": zone,
        "their_day": long_date(booking.starts_at, booking.visitor_zone),
        "their_time": clock_time(booking.starts_at, booking.visitor_zone),
    }
