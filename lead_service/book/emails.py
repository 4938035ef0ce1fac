"""Compose the emails about calls and leads, as of the moment at which they are sent.

`notifications` queues them. Each function takes a row of the outbox and
returns a finished message, or raises NotNeeded when the call has changed since.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..accounts.members import Member
from ..assess.brief import Brief
from ..assess.diagnosis import Diagnosis, diagnose
from ..assess.models import Assessment, framework_of
from ..emails import delivery_events, outbox, practice_context, team_notices
from ..emails.message import Attachment, EmailKind, Message, compose, greeting_name
from ..emails.models import Delivery, OutboxMessage
from ..emails.outbox import NotNeeded
from ..emails.team_notices import CallNews
from ..emails.transports.base import wire_address
from ..formats import long_date, near_time, short_zoned_time, weekday_date, zoned_clock
from ..leads.capture import POSSIBLE_SPAM
from ..leads.consent import Agreed, Occasion, Permission, agreed, permission
from ..leads.models import Lead
from ..publishing.site import Published
from ..settings import Settings
from ..web import mailbox
from . import bookings, briefs, intents, invitations
from .answers import link_for
from .hosts.models import Host, offered_calls
from .models import Booking, CallOutcome

REQUEST, CANCEL = "REQUEST", "CANCEL"
CANCELS = {*intents.CANCELLATIONS, EmailKind.BOOKING_WITHDRAWN}  # their file removes a call
# Kinds to the visitor with a calendar file: changes of an agreed, upcoming call.
WITH_FILE = {
    EmailKind.BOOKING_REQUESTED,
    EmailKind.BOOKING_CONFIRMED,
    EmailKind.BOOKING_CHANGED,
    EmailKind.BOOKING_CANCELLED,
}
NEWS = {  # changes by the visitor, and changes by the team
    CallNews.BOOKED: ("booked a call", "The team booked a call for them"),
    CallNews.MOVED: ("rescheduled their call", "The team rescheduled their call"),
    CallNews.GIVEN: ("has a new host for their call",) * 2,
    CallNews.CANCELED: ("canceled their call", "The team canceled their call"),
    CallNews.DISOWNED: ("The owner of this address says someone else booked this call",) * 2,
    CallNews.CORRECTED: ("corrected their email address",) * 2,
    CallNews.MISSED: ("missed their call",) * 2,
    CallNews.NEVER_TOLD: ("was never told about their call", "was never told about their call"),
}
SUBJECTS = {  # the same in subjects, beside a name and a time
    CallNews.BOOKED: "call booked",
    CallNews.MOVED: "call rescheduled",
    CallNews.GIVEN: "now with",  # followed by the host's name
    CallNews.CANCELED: "call canceled",
    CallNews.DISOWNED: "booked by someone else",
    CallNews.CORRECTED: "new email address",
    CallNews.MISSED: "missed the call",
    CallNews.NEVER_TOLD: "not told about the call",
}
OF_LIVE_CALLS = {CallNews.BOOKED, CallNews.MOVED, CallNews.GIVEN}
LATE = timedelta(days=1)  # an email sent later says so


def visitors_email(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, now: datetime
) -> Message:
    """Compose the visitor's confirmation, change, reminder or cancellation.

    It repeats no text of the visitor's, who may have typed someone else's address.
    """
    booking = _booking(session, row, now)
    facts = _known(session, row, booking)
    is_change = bool(facts.get("before") or facts.get("is_given"))
    is_first = row.kind == EmailKind.BOOKING_CHANGED and not is_change
    kind = EmailKind.BOOKING_CONFIRMED if is_first else row.kind
    is_reminder = row.kind == EmailKind.BOOKING_REMINDER
    if is_reminder and (reason := _no_reminder(session, booking, row, now)):
        raise NotNeeded(reason)
    meeting = visitors_meeting(settings, published, booking, row.created_at)
    if row.kind == EmailKind.BOOKING_CANCELLED:
        link = _link_to_book(session, settings, published, booking)
    else:
        link = settings.link(f"/booking/{bookings.manage_token(booking, settings.secret)}/")
    has_file = row.kind in WITH_FILE and booking.is_confirmed
    return compose(
        kind,
        to=row.address,
        to_name=booking.name,
        reply_to=booking.host.email,
        reply_to_name=booking.host.name,
        attachments=(_invite(meeting, row.kind),) if has_file else (),
        call_type=bookings.kind_of(booking, published.calls),
        diagnosis=_result(session, booking),
        person=published.person(booking.host.person),
        link=link,
        **calendar_links(booking, meeting),
        is_given=facts.get("is_given", False),
        **mailbox.choices(session, settings, booking.lead),
        thread=thread_of(settings, booking),
        **_context(
            settings, booking, booking.visitor_zone, facts, is_24_hours=booking.visitor_24_hours
        ),
    )


def hosts_email(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, now: datetime
) -> Message:
    """Compose the host's invitation with the brief, or the host's cancellation."""
    booking = _booking(session, row, now)
    facts = _known(session, row, booking)
    host = session.get_one(Host, facts["host"])
    given_to = booking.host.name if booking.is_live and booking.host_id != host.id else ""
    occasion = Occasion.CALL_GIVEN_AWAY if given_to else Occasion.CALL
    meeting = hosts_meeting(settings, booking, row.created_at, host)
    is_off = row.kind == EmailKind.BOOKING_CANCELLED_FOR_HOST
    if not is_off and not host.is_active and _has_left(session, host):
        raise NotNeeded("the host has left the team")
    return compose(
        row.kind,
        to=row.address,
        to_name=host.name,
        attachments=(_invite(meeting, row.kind),),
        given_to=given_to,
        news=_hosts_news(booking, facts),
        late_since=_late_since(row, host.zone, now),
        thread=thread_of(settings, booking),
        brief=None
        if is_off
        else briefs.brief_of(session, published, booking.lead_id, booking, booking.topic),
        article=published.title_of(booking.came_from),
        **_to_staff(
            session, settings, booking.lead_id, booking, occasion, booking.email, booking.name
        ),
        **_context(settings, booking, host.zone, facts),
    )


def _has_left(session: Session, host: Host) -> bool:
    left = (Member.email == host.email.lower(), Member.removed_at.is_not(None))
    return session.scalar(select(Member.id).where(*left)) is not None


def withdrawal(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, now: datetime
) -> Message:
    """Compose the email that withdraws an invitation from a wrong address.

    It does not mention the call, and its file has only the start in their calendar: its reader is
    most likely a stranger.
    """
    booking, facts = _booking(session, row, now), row.facts or {}
    known = facts.get("before") or facts.get("start") or booking.starts_at.isoformat()
    wrong = replace(
        visitors_meeting(settings, published, booking, row.created_at),
        sequence=row.sequence - 1,  # lower than that of the invitation to the right address
        start=datetime.fromisoformat(known),
        summary="Sent by mistake",
        description="",  # without the link that opens the booking
        location="",
        url=None,
        attendee_email=row.address,
        attendee_name="",
    )
    return compose(
        row.kind,
        to=row.address,
        attachments=(_invite(wrong, row.kind),) if booking.is_confirmed else (),
        was_invited=booking.is_confirmed,
        **practice_context(settings),
    )


def invitation_to_book_again(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, now: datetime
) -> Message:
    """Compose the email that asks a visitor who missed a call to choose another time."""
    booking = _booking(session, row, now)
    if booking.outcome != CallOutcome.NO_SHOW:
        raise NotNeeded("the call is no longer marked as a no-show")
    if bookings.has_later(session, booking):
        raise NotNeeded("they booked another call")
    return compose(
        row.kind,
        to=row.address,
        to_name=booking.name,
        reply_to=booking.host.email,
        reply_to_name=booking.host.name,
        link=_link_to_book(session, settings, published, booking),
        **mailbox.choices(session, settings, booking.lead),
        thread=thread_of(settings, booking),
        **_context(
            settings,
            booking,
            booking.visitor_zone,
            row.facts or {},
            is_24_hours=booking.visitor_24_hours,
        ),
    )


def _link_to_book(
    session: Session, settings: Settings, published: Published, booking: Booking
) -> str:
    """Return the link to the times of a call's kind, with the call's source."""
    calls = offered_calls(session, published.calls)
    path = calls.address(calls.find(booking.kind) or calls.default)
    return link_for(session, settings, booking.lead, path, booking)


def team_news(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, now: datetime
) -> Message:
    """Compose the email to the team about a lead, with the brief of their answers."""
    facts = row.facts or {}
    lead = session.get(Lead, row.lead_id or 0)
    booking = session.get(Booking, row.booking_id or 0)
    if lead is None or ("news" in facts and booking is None):
        raise NotNeeded("the lead or call was erased")
    what, text, reply_to = facts.get("what", ""), facts.get("text", ""), lead.email
    call, zone = "", "UTC"
    came_from, occasion = facts.get("came_from"), Occasion(facts["occasion"])
    if booking:
        zone, facts = booking.host_zone, _as_heard(session, row, booking, facts)
        what = _news(CallNews(facts["news"]), booking, bool(facts.get("by_team")))
        text, came_from = booking.topic, booking.came_from
        lead, reply_to = booking.lead, booking.email  # the address may have been corrected since
        call = f"{booking.call_name}, {near_time(booking.starts_at, zone)}"
    if occasion == Occasion.CONSENT:
        what = _choice(agreed(session, lead.id), facts.get("may_contact", True))
    coming = briefs.next_calls(session, [lead.id], now).get(lead.id)
    brief = briefs.brief_of(session, published, lead.id, booking or coming, text)
    return compose(
        EmailKind.NEW_LEAD,
        to=row.address,
        lead=lead,
        what=what,
        news=_subject(what, occasion, booking, facts, brief),
        text=text,
        brief=brief,
        article=published.title_of(came_from),
        call=call,
        thread=thread_of(settings, booking) if booking else "",
        before=near_time(before, zone) if booking and (before := _before(facts)) else "",
        late_since=_late_since(row, zone, now),
        **_to_staff(session, settings, lead.id, booking, occasion, reply_to, lead.name),
        **practice_context(settings),
    )


def _as_heard(
    session: Session, row: OutboxMessage, booking: Booking, facts: dict[str, Any]
) -> dict[str, Any]:
    """Adapt a call's news for a reader who may not have got the earlier email."""
    was_moved = facts["news"] in (CallNews.CORRECTED, CallNews.MOVED)
    if was_moved and not outbox.has_heard(session, row):
        return facts | {"news": CallNews.BOOKED, "before": None}  # it replaced the first email
    return _without_detour(facts, booking)


def _booking(session: Session, row: OutboxMessage, now: datetime) -> Booking:
    """Return the call of an email; raise NotNeeded if the email no longer fits it."""
    booking = session.get(Booking, row.booking_id or 0)
    if booking is None:
        raise NotNeeded("the call was erased")
    if reason := intents.misfit(row, booking, outbox.has_heard(session, row), now):
        raise NotNeeded(reason)
    return booking


def _news(news: CallNews, booking: Booking, by_team: bool) -> str:
    """Describe a change of a call in a few words; raise NotNeeded if it is out of date."""
    is_over = news in OF_LIVE_CALLS and not booking.is_live
    if is_over or (news == CallNews.MISSED and booking.outcome != CallOutcome.NO_SHOW):
        raise NotNeeded("the call has changed since")
    facts = NEWS[news][by_team]
    if news == CallNews.GIVEN:
        facts += f", {booking.host.name}"
    if booking.awaits_confirmation:
        asked = "asked for a call" if news == CallNews.BOOKED else facts
        facts = f"{asked}, which you need to confirm" if news in OF_LIVE_CALLS else facts
    return facts + POSSIBLE_SPAM * booking.quarantine


def _choice(agreed: Agreed, may_contact: bool) -> str:
    """Describe a person's choice about emails; raise NotNeeded if they have changed it since."""
    if bool(agreed.topics) != may_contact:
        raise NotNeeded("they have changed their choice since then")
    if may_contact:
        return f"confirmed by email that we may email them about {' and '.join(agreed.topics)}"
    return "withdrew their consent to our emails"


def _subject(
    what: str,
    occasion: Occasion,
    booking: Booking | None,
    facts: dict[str, Any],
    brief: Brief | None,
) -> str:
    """Describe the news of a lead in a few words, for the subject beside their name."""
    spam = "possible spam, " if POSSIBLE_SPAM in what else ""
    if booking:
        news = CallNews(facts["news"])
        to_confirm = booking.awaits_confirmation and news == CallNews.BOOKED
        words = "call to confirm" if to_confirm else SUBJECTS[news]
        parts = [words, short_zoned_time(booking.starts_at, booking.host_zone)]
        if news == CallNews.GIVEN:  # last, since the end of a long subject is cut
            parts = [parts[1], f"{words} {booking.host.name}"]
        return spam + ", ".join(parts)
    if occasion == Occasion.RESULT and brief:
        found = brief.diagnosis
        return f"{spam}{found.overall}/100. {found.headline.rstrip('.')}"
    did = {
        Occasion.MESSAGE: "new message",
        Occasion.WANTED_CALL: "wanted a time that was gone",
        Occasion.CONSENT: "you may email them"
        if facts.get("may_contact", True)
        else "withdrew their consent",
    }
    return spam + did.get(occasion, "took the self-assessment")


def _result(session: Session, booking: Booking) -> Diagnosis | None:
    """Return the result attached to a booking, if it is complete."""
    assessment = session.get(Assessment, booking.assessment_id or 0)
    if assessment is None or not assessment.completed_at:
        return None
    if assessment.lead_id != booking.lead_id:  # an old booking with another lead's answers
        return None
    return diagnose(framework_of(session, assessment), assessment.answers, assessment.phase)


def _no_reminder(session: Session, booking: Booking, row: OutboxMessage, now: datetime) -> str:
    """Say why a visitor gets no reminder; empty if they get it."""
    if not booking.is_proved and outbox.had_enough(session, row, now):
        return outbox.ENOUGH
    if booking.lead.bounced_at:
        return delivery_events.NO_REMINDER[Delivery.BOUNCED]
    return delivery_events.no_reminder(session, booking.email)


def thread_of(settings: Settings, booking: Booking) -> str:
    """Return the id that groups all emails about a call in a thread; no message has it."""
    return f"<{booking.uid}@{wire_address(settings.mail_from).rpartition('@')[2]}>"


def _to_staff(
    session: Session,
    settings: Settings,
    lead_id: int,
    booking: Booking | None,
    occasion: Occasion,
    email: str,
    name: str,
) -> dict[str, Any]:
    """Return the fields about replying to a lead, and the lead's link to the desk."""
    allowed: Permission = permission(occasion, agreed(session, lead_id))
    link = settings.link(f"/desk/leads/{lead_id}/" + (f"?call={booking.id}" if booking else ""))
    return team_notices.reply_fields(allowed, email, name) | {"desk_link": link}


def visitors_meeting(
    settings: Settings, published: Published, booking: Booking, now: datetime
) -> invitations.Meeting:
    """Return the meeting as the visitor's calendar shows it."""
    person = published.person(booking.host.person)
    role = f", {person.role}" if person else ""
    return _meeting(
        settings,
        booking,
        now,
        summary=f"{booking.call_name} with {settings.practice_name}",
        description=f"{booking.duration} minutes with {booking.host.name}{role}.\n"
        "Declining in your calendar does not cancel the call. To reschedule or cancel it:\n"
        + settings.link(f"/booking/{bookings.manage_token(booking, settings.secret)}/"),
        location=booking.meeting_link or f"By phone: {booking.host.name} will call you",
        attendee=(booking.email, greeting_name(booking.name)),
        has_accepted=True,
    )


def calendar_links(booking: Booking, meeting: invitations.Meeting) -> dict[str, Any]:
    """Return links that add a visitor's call to Google Calendar and Outlook.

    They go to another company, so they leave out the first line, which names the host.
    """
    nameless = replace(
        meeting,
        description=meeting.description.partition("\n")[2],
        location=booking.meeting_link or "By phone",
    )
    return {
        "google": invitations.google_link(nameless),
        "outlook": invitations.outlook_link(nameless),
    }


def hosts_meeting(
    settings: Settings, booking: Booking, now: datetime, host: Host | None = None
) -> invitations.Meeting:
    """Return the meeting as the host's calendar shows it."""
    host = host or booking.host
    return _meeting(
        settings,
        booking,
        now,
        summary=("To confirm: " if booking.awaits_confirmation else "")
        + f"{booking.call_name}: {booking.name}"
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
        is_tentative=booking.awaits_confirmation,
        **more,
    )


def _invite(meeting: invitations.Meeting, kind: EmailKind) -> Attachment:
    if kind in CANCELS:
        return Attachment(
            "cancel.ics", invitations.content_type(CANCEL), invitations.cancellation(meeting)
        )
    return Attachment(
        "invite.ics", invitations.content_type(REQUEST), invitations.invitation(meeting)
    )


def _context(
    settings: Settings,
    booking: Booking,
    zone: str,
    facts: dict[str, Any],
    *,
    is_24_hours: bool = False,
) -> dict[str, Any]:
    """Return the templates' context; `day`, `time` and `zone` are the recipient's own."""
    start, before = booking.starts_at, _before(facts)
    return practice_context(settings) | {
        "booking": booking,
        "call_link": settings.link(f"/desk/calls/{booking.id}/"),
        "host": booking.host,
        "day": weekday_date(start, zone),
        "time": zoned_clock(start, zone, is_24_hours),
        "short_time": short_zoned_time(start, zone, is_24_hours),
        "their_day": weekday_date(start, booking.visitor_zone),
        "their_time": zoned_clock(start, booking.visitor_zone),
        "before": near_time(before, zone, is_24_hours) if before else "",
        "short_before": short_zoned_time(before, zone, is_24_hours) if before else "",
        "note": facts.get("note", ""),
        "by_team": facts.get("by_team", False),
        "is_confirmed": facts.get("is_confirmed", False),
    }


def _known(session: Session, row: OutboxMessage, booking: Booking) -> dict[str, Any]:
    """Return the facts of an email, without changes of what its reader never knew."""
    facts = row.facts or {}
    if not outbox.has_heard(session, row):
        return facts | {"before": None, "is_given": False, "is_corrected": False}
    return _without_detour(facts, booking)


def _without_detour(facts: dict[str, Any], booking: Booking) -> dict[str, Any]:
    """Leave out the earlier start if the call was moved away from it and back."""
    is_back = _before(facts) == booking.starts_at
    return facts | {"before": None, "is_back": True} if is_back else facts


def _late_since(row: OutboxMessage, zone: str, now: datetime) -> str:
    """Return the day of the event, if the email is sent more than a day later."""
    return long_date(row.created_at, zone) if now - row.created_at > LATE else ""


def _before(facts: dict[str, Any]) -> datetime | None:
    """Return the call's earlier start, if it has changed."""
    return datetime.fromisoformat(facts["before"]) if facts.get("before") else None


def _hosts_news(booking: Booking, facts: dict[str, Any]) -> str:
    """Describe the news of a host's call in a few words."""
    if booking.awaits_confirmation:
        return "Please confirm"
    if facts.get("is_confirmed"):
        return "Confirmed"
    if facts.get("before") or facts.get("is_back"):
        return "Rescheduled"
    return "New email address" if facts.get("is_corrected") else "New call"
