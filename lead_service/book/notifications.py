"""What a booking sets off, in the transaction that makes it: its event, its mails, its reminders.

A change by the team carries `member_id`, who made it, and may carry a `note` in plain text, which
the visitor and the host find in their mails.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..assess.brief import Brief, brief_for, brief_for_lead
from ..assess.models import Assessment
from ..emails import outbox, team_notices
from ..emails.message import EmailKind
from ..emails.models import EmailState, OutboxMessage
from ..formats import clock_time, long_date
from ..leads import capture, consent, events
from ..leads.consent import Occasion, agreed, permission
from ..leads.models import EventKind
from ..publishing.site import Published
from ..settings import Settings
from . import bookings, emails, refusals, reminders
from .hosts.models import Host
from .models import Booking


def form_answered(
    session: Session,
    settings: Settings,
    published: Published,
    wanted: bookings.BookingRequest,
    outcome: bookings.BookingResult,
    now: datetime,
    *,
    may_contact: bool,
) -> None:
    """Queue what follows a booking form and keep its consent, once for each form."""
    if outcome.lead is None:
        return
    if outcome.booking is None and not _wanted_start(session, outcome.lead, wanted, now):
        return
    consent.record_consent(
        session,
        outcome.lead,
        consent.SERVICES,
        may_contact=may_contact,
        source="book",
        at=now,
    )
    if outcome.booking:
        booked(session, settings, published, outcome.booking, now)
    else:
        why = refusals.to_team(outcome.refusals)
        _slot_taken(session, settings, published, outcome.lead, wanted, why, now)


def booked(
    session: Session, settings: Settings, published: Published, booking: Booking, now: datetime
) -> None:
    """Queue the invitation, the host's brief and the team's mail.

    A suspected booking tells the team at once, flagged; the visitor's mail is held until
    somebody releases it.
    """
    assessment = session.get(Assessment, booking.assessment_id) if booking.assessment_id else None
    if assessment:
        assessment.lead_id = assessment.lead_id or booking.lead_id
    events.record_event(session, booking.lead, EventKind.CALL_BOOKED, now, booking=booking.id)
    _notify_visitor(session, settings, booking, now, EmailKind.BOOKING_CONFIRMED)
    _notify_host(session, settings, published, booking, now)
    call = (
        f"{long_date(booking.starts_at, booking.host_zone)},"
        f" {clock_time(booking.starts_at, booking.host_zone)}"
        f" ({booking.host_zone.replace('_', ' ')})"
    )
    team_notices.notify(
        session,
        settings,
        booking.lead,
        "booked a call" + (" (suspected to be automated)" if booking.quarantine else ""),
        now,
        occasion=Occasion.CALL,
        key=f"booked:{booking.uid}",
        text=booking.topic,
        brief=_brief_of_call(session, published, booking),
        article=published.title_of(booking.came_from),
        call=call,
        exclude=booking.host.email,
    )


def moved(
    session: Session,
    settings: Settings,
    published: Published,
    booking: Booking,
    before: datetime,
    now: datetime,
    *,
    previous_host: Host | None = None,
    note: str = "",
    member_id: int | None = None,
) -> None:
    """Queue the news of another start to both sides; `before` is the start until now.

    `previous_host` is who had the call before, where a move has given it to another host.
    """
    detail = {"before": before.isoformat(), "start": booking.starts_at.isoformat()}
    _record(session, booking, EventKind.CALL_MOVED, now, note, member_id, **detail)
    _changed(
        session,
        settings,
        published,
        booking,
        now,
        previous_host,
        member_id,
        note=note,
        before=before,
    )


def reassigned(
    session: Session,
    settings: Settings,
    published: Published,
    booking: Booking,
    previous_host: Host,
    now: datetime,
    *,
    note: str = "",
    member_id: int | None = None,
) -> None:
    """Queue the news of another host to the visitor, the host and the `previous_host`."""
    detail = {"from_host": previous_host.id, "to_host": booking.host_id}
    _record(session, booking, EventKind.CALL_REASSIGNED, now, note, member_id, **detail)
    _changed(session, settings, published, booking, now, previous_host, member_id, note=note)


def canceled(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    *,
    note: str = "",
    member_id: int | None = None,
) -> None:
    """Queue the cancellation to both sides; a visitor in quarantine was never written to."""
    _record(session, booking, EventKind.CALL_CANCELLED, now, note, member_id)
    _cancel_waiting(session, booking)
    reminders.drop(session, booking)
    key, again = f"{booking.uid}:cancelled", settings.link("/book/")
    if not booking.quarantine:
        to_visitor = emails.to_visitor(
            settings, booking, EmailKind.BOOKING_CANCELLED, now, again, note=note
        )
        outbox.queue(session, to_visitor, at=now, lead_id=booking.lead_id, dedupe_key=key)
    to_host = emails.to_host(
        settings,
        booking,
        EmailKind.BOOKING_CANCELLED_FOR_HOST,
        now,
        permission(Occasion.CALL, agreed(session, booking.lead_id)),
        note=note,
        by_team=member_id is not None,
        given_to="",
    )
    outbox.queue(session, to_host, at=now, lead_id=booking.lead_id, dedupe_key=f"{key}:host")


def email_corrected(
    session: Session,
    settings: Settings,
    published: Published,
    booking: Booking,
    before: str,
    now: datetime,
) -> None:
    """Queue the invitation to the corrected address, and take it out of the mistyped one's.

    The host gets the brief again, with the address that now answers.
    """
    events.record_event(session, booking.lead, EventKind.ADDRESS_CORRECTED, now, booking=booking.id)
    _cancel_waiting(session, booking)
    if _has_left(session, booking, before):
        outbox.queue(
            session,
            emails.withdrawal(settings, booking, before, now),
            at=now,
            dedupe_key=f"{booking.uid}:withdrawn:{booking.sequence}",
        )
    _notify_visitor(session, settings, booking, now, EmailKind.BOOKING_CONFIRMED)
    _notify_host(session, settings, published, booking, now)


def _wanted_start(
    session: Session, lead: capture.Captured, wanted: bookings.BookingRequest, now: datetime
) -> bool:
    """Note that a visitor wanted a start that was gone; False when it was noted before."""
    return events.record_event_once(
        session,
        lead,
        EventKind.WANTED_START,
        now,
        key=wanted.submission_key,
        start=wanted.start.isoformat(),
        text=wanted.topic,
    )


def _slot_taken(
    session: Session,
    settings: Settings,
    published: Published,
    lead: capture.Captured,
    wanted: bookings.BookingRequest,
    why: str,
    now: datetime,
) -> None:
    """Tell the team that a visitor wanted a start that was gone, and why."""
    team_notices.notify(
        session,
        settings,
        lead,
        f"wanted a call on {long_date(wanted.start, wanted.zone)},"
        f" {clock_time(wanted.start, wanted.zone)} ({wanted.zone.replace('_', ' ')}): {why}",
        now,
        occasion=Occasion.WANTED_CALL,
        key=f"missed:{wanted.submission_key}",
        text=wanted.topic,
        brief=_brief(session, published, wanted.assessment_id, lead.id, wanted.topic),
        article=published.title_of(wanted.came_from),
    )


def _changed(
    session: Session,
    settings: Settings,
    published: Published,
    booking: Booking,
    now: datetime,
    previous_host: Host | None,
    member_id: int | None,
    **told: Any,
) -> None:
    """Queue what follows a change of time or host."""
    _cancel_waiting(session, booking)
    _notify_visitor(
        session,
        settings,
        booking,
        now,
        EmailKind.BOOKING_CHANGED,
        is_given=previous_host is not None,
        **told,
    )
    told["by_team"] = member_id is not None
    _notify_host(session, settings, published, booking, now, **told)
    if previous_host and previous_host.id != booking.host_id:
        told["given_to"] = booking.host.name
        gone = emails.to_host(
            settings,
            booking,
            EmailKind.BOOKING_CANCELLED_FOR_HOST,
            now,
            permission(Occasion.CALL_GIVEN_AWAY, agreed(session, booking.lead_id)),
            host=previous_host,
            **told,
        )
        key = f"{booking.uid}:given:{booking.sequence}"
        outbox.queue(session, gone, at=now, lead_id=booking.lead_id, dedupe_key=key)


def _notify_visitor(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    kind: EmailKind,
    **told: Any,
) -> None:
    """Queue the invitation to the booking's present address, and plan the reminders.

    The key says `confirmed` for a move, too: stored keys do.
    """
    link = settings.link(f"/booking/{bookings.manage_token(booking, settings.secret)}/")
    outbox.queue(
        session,
        emails.to_visitor(settings, booking, kind, now, link, **told),
        at=now,
        lead_id=booking.lead_id,
        useless_after=booking.starts_at,
        dedupe_key=f"{booking.uid}:confirmed:{booking.sequence}",
        held=booking.quarantine,
    )
    reminders.plan(session, settings, booking, now, link)


def _notify_host(
    session: Session,
    settings: Settings,
    published: Published,
    booking: Booking,
    now: datetime,
    **told: Any,
) -> None:
    """Queue the host's own invitation, with the brief for the call."""
    told["brief"] = _brief_of_call(session, published, booking)
    allowed = permission(Occasion.CALL, agreed(session, booking.lead_id))
    told["article"] = published.title_of(booking.came_from)
    outbox.queue(
        session,
        emails.to_host(settings, booking, EmailKind.BOOKING_FOR_HOST, now, allowed, **told),
        at=now,
        lead_id=booking.lead_id,
        dedupe_key=f"{booking.uid}:host:{booking.sequence}",
    )


def _cancel_waiting(session: Session, booking: Booking) -> None:
    """Take back invitations that wait to be sent.

    One that the provider has kept us from sending would otherwise arrive after its
    cancellation, and read as if the call were on again.
    """
    for recipient in ("host", "confirmed"):
        outbox.cancel(session, dedupe_prefix=f"{booking.uid}:{recipient}:")


def _has_left(session: Session, booking: Booking, address: str) -> bool:
    """Say whether any invitation to this booking has gone to an address."""
    to_them = select(OutboxMessage.id).where(
        OutboxMessage.dedupe_key.startswith(f"{booking.uid}:confirmed:"),
        OutboxMessage.address == address,
        OutboxMessage.state.in_((EmailState.SENDING, EmailState.SENT)),
    )
    return session.scalar(to_them.limit(1)) is not None


def _record(
    session: Session,
    booking: Booking,
    kind: EventKind,
    now: datetime,
    note: str,
    member_id: int | None,
    **detail: Any,
) -> None:
    given = {"note": note, "member": member_id}
    detail |= {name: value for name, value in given.items() if value}
    events.record_event(session, booking.lead, kind, now, booking=booking.id, **detail)


def _brief_of_call(session: Session, published: Published, booking: Booking) -> Brief | None:
    return _brief(session, published, booking.assessment_id, booking.lead_id, booking.topic)


def _brief(
    session: Session, published: Published, assessment_id: int | None, lead_id: int, words: str
) -> Brief | None:
    """Return the brief of the answers that came along, else of the latest that the lead gave."""
    came = session.get(Assessment, assessment_id) if assessment_id else None
    framework = published.framework
    return brief_for(session, came, framework, words) or brief_for_lead(
        session, lead_id, framework, words
    )
