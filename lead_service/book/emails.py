"""Write the emails of a booking, each a finished message; `notifications` queues them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from ..emails import practice_context, team_notices
from ..emails.message import Attachment, EmailKind, Message, compose, greeting_name
from ..formats import clock_time, long_date
from ..leads.consent import Permission
from ..settings import Settings
from . import bookings, invitations
from .hosts.models import Host
from .models import Booking

REQUEST, CANCEL = "REQUEST", "CANCEL"
CALLED_OFF = {
    EmailKind.BOOKING_CANCELLED,
    EmailKind.BOOKING_CANCELLED_FOR_HOST,
    EmailKind.BOOKING_WITHDRAWN,
}


def to_visitor(
    settings: Settings, booking: Booking, kind: EmailKind, now: datetime, link: str, **more: Any
) -> Message:
    """Compose the visitor's `booking_confirmed`, `booking_changed` or `booking_cancelled`.

    It repeats no text of the visitor's, who may have typed somebody else's address.

    `more` is what the templates of one kind want: `note`, the words of the team, or `before`,
    the start that the call had (UTC), None where it has not changed.
    """
    meeting = visitors_meeting(settings, booking, now)
    return _visitors(
        settings,
        booking,
        kind,
        attachments=(_invite(meeting, kind),),
        link=link,
        google=invitations.google_link(meeting),
        outlook=invitations.outlook_link(meeting),
        **more,
    )


def reminder(settings: Settings, booking: Booking, link: str) -> Message:
    """Compose the reminder. No file goes with it: the call is in the calendar, or was declined."""
    return _visitors(settings, booking, EmailKind.BOOKING_REMINDER, link=link)


def to_host(
    settings: Settings,
    booking: Booking,
    kind: EmailKind,
    now: datetime,
    allowed: Permission,
    *,
    host: Host | None = None,
    **more: Any,
) -> Message:
    """Compose `booking_for_host` or `booking_cancelled_for_host`, with the brief for the call.

    `allowed` says whether the visitor may be written to. `host` is who had the call before, when
    it is not the booking's own that is written to.
    """
    host = host or booking.host
    return compose(
        kind,
        to=host.email,
        to_name=host.name,
        attachments=(_invite(hosts_meeting(settings, booking, now, host), kind),),
        link=settings.link(f"/desk/leads/{booking.lead_id}/"),
        **team_notices.reply_fields(allowed, booking.email, booking.name),
        **_context(settings, booking, host.zone, **more),
    )


def withdrawal(settings: Settings, booking: Booking, before: str, now: datetime) -> Message:
    """Compose the mail that takes an invitation back from an address it should not have got to.

    It says nothing of the call: whoever reads it is most likely a stranger.
    """
    wrong = replace(
        visitors_meeting(settings, booking, now),
        sequence=booking.sequence - 1,
        summary="Sent by mistake",
        description="",  # the link in it opens the booking
        attendee_email=before,
        attendee_name="",
    )
    return compose(
        EmailKind.BOOKING_WITHDRAWN,
        to=before,
        attachments=(_invite(wrong, EmailKind.BOOKING_WITHDRAWN),),
        **practice_context(settings),
    )


def visitors_meeting(settings: Settings, booking: Booking, now: datetime) -> invitations.Meeting:
    """Return the meeting as the visitor's calendar shows it."""
    return _meeting(
        settings,
        booking,
        now,
        summary=f"Discovery call with {settings.practice_name}",
        description=f"{booking.duration} minutes, nothing to prepare.\n"
        "Declining in your calendar does not cancel the call. To move or cancel it:\n"
        + settings.link(f"/booking/{bookings.manage_token(booking, settings.secret)}/"),
        location=booking.meeting_link or f"By phone: {booking.host.name} calls you",
        attendee=(booking.email, greeting_name(booking.name)),
        has_accepted=True,
    )


def hosts_meeting(
    settings: Settings, booking: Booking, now: datetime, host: Host | None = None
) -> invitations.Meeting:
    """Return the meeting as the host's calendar shows it."""
    host = host or booking.host
    return _meeting(
        settings,
        booking,
        now,
        summary=f"Discovery call: {booking.name}"
        + (f", {booking.company}" if booking.company else ""),
        description=f"The brief: {settings.link(f'/desk/leads/{booking.lead_id}/')}",
        location=booking.meeting_link or f"By phone: {booking.phone or 'no number given'}",
        attendee=(host.email, host.name),
    )


def _meeting(
    settings: Settings, booking: Booking, now: datetime, *, attendee: tuple[str, str], **more: Any
) -> invitations.Meeting:
    return invitations.Meeting(
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
        **more,
    )


def _invite(meeting: invitations.Meeting, kind: EmailKind) -> Attachment:
    if kind in CALLED_OFF:
        return Attachment(
            "cancel.ics", invitations.content_type(CANCEL), invitations.cancellation(meeting)
        )
    return Attachment(
        "invite.ics", invitations.content_type(REQUEST), invitations.invitation(meeting)
    )


def _visitors(
    settings: Settings,
    booking: Booking,
    kind: EmailKind,
    *,
    attachments: tuple[Attachment, ...] = (),
    **more: Any,
) -> Message:
    return compose(
        kind,
        to=booking.email,
        to_name=booking.name,
        reply_to=booking.host.email,
        reply_to_name=booking.host.name,
        attachments=attachments,
        **_context(settings, booking, booking.visitor_zone, **more),
    )


def _context(
    settings: Settings,
    booking: Booking,
    zone: str,
    *,
    before: datetime | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return what the templates show; `day`, `time` and `zone` are the recipient's own."""
    shown = {"brief": None, "article": "", "note": "", "by_team": False} | more
    return (
        practice_context(settings)
        | shown
        | {
            "booking": booking,
            "host": booking.host,
            "day": long_date(booking.starts_at, zone),
            "time": clock_time(booking.starts_at, zone),
            "zone": zone,
            "their_day": long_date(booking.starts_at, booking.visitor_zone),
            "their_time": clock_time(booking.starts_at, booking.visitor_zone),
            "host_day": long_date(booking.starts_at, booking.host_zone),
            "host_time": clock_time(booking.starts_at, booking.host_zone),
            "before": f"{long_date(before, zone)}, {clock_time(before, zone)}" if before else "",
        }
    )
