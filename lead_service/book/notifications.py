"""What a booking sets off, in the transaction that makes it: its event, and who is to be emailed.

Only intents are written here; `emails` composes them when they are sent. A change by the team
carries `member_id`, who made it, and may carry a `note` in plain text, which the visitor and the
host find in their emails.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..assess.models import Assessment
from ..emails import outbox, team_notices
from ..emails.message import EmailKind
from ..emails.team_notices import CallNews
from ..formats import zoned_time
from ..leads import consent, events
from ..leads.consent import Occasion
from ..leads.models import EventKind, Lead
from ..settings import Settings
from . import bookings, refusals, reminders
from .hosts.models import Host
from .models import Booking


def form_answered(
    session: Session,
    settings: Settings,
    wanted: bookings.BookingRequest,
    outcome: bookings.BookingResult,
    now: datetime,
    *,
    may_contact: bool,
    flood: bool = False,
) -> None:
    """Queue what follows a booking form and keep its consent, once for each form.

    Of a `flood` the team hears in one email an hour.
    """
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
        booked(session, settings, outcome.booking, now, flood=flood)
    else:
        why = refusals.to_team(outcome.refusals)
        _slot_taken(session, settings, outcome.lead, wanted, why, now, flood=flood)


def booked(
    session: Session, settings: Settings, booking: Booking, now: datetime, *, flood: bool = False
) -> None:
    """Queue the invitation, the host's brief and the team's email.

    A suspected booking tells the team at once, flagged; the emails to visitor and host are held
    until somebody releases them.
    """
    assessment = session.get(Assessment, booking.assessment_id) if booking.assessment_id else None
    if assessment:
        assessment.lead_id = assessment.lead_id or booking.lead_id
    events.record_event(session, booking.lead, EventKind.CALL_BOOKED, now, booking=booking.id)
    _invite(session, settings, booking, now, EmailKind.BOOKING_CONFIRMED)
    _tell_team(session, settings, booking, now, CallNews.BOOKED, [booking.host], flood=flood)


def confirmed(session: Session, settings: Settings, booking: Booking, now: datetime) -> None:
    """Queue the invitations and reminders, once the team has confirmed the call."""
    _invite(session, settings, booking, now, EmailKind.BOOKING_CONFIRMED, is_confirmed=True)


def moved(
    session: Session,
    settings: Settings,
    booking: Booking,
    before: datetime,
    now: datetime,
    *,
    previous_host: Host | None = None,
    note: str = "",
    member_id: int | None = None,
) -> None:
    """Queue the news of another start to everybody; `before` is the start until now.

    `previous_host` is who had the call before, where a move has given it to another host.
    """
    detail = {"before": before.isoformat(), "start": booking.starts_at.isoformat()}
    _record(session, booking, EventKind.CALL_MOVED, now, note, member_id, **detail)
    _changed(
        session,
        settings,
        booking,
        now,
        previous_host,
        CallNews.MOVED,
        note=note,
        by_team=member_id is not None,
        before=before.isoformat(),
    )


def reassigned(
    session: Session,
    settings: Settings,
    booking: Booking,
    previous_host: Host,
    now: datetime,
    *,
    note: str = "",
    member_id: int | None = None,
) -> None:
    """Queue the news of another host to everybody; `previous_host` had the call until now."""
    detail = {"from_host": previous_host.id, "to_host": booking.host_id}
    _record(session, booking, EventKind.CALL_REASSIGNED, now, note, member_id, **detail)
    by_team = member_id is not None
    _changed(
        session, settings, booking, now, previous_host, CallNews.GIVEN, note=note, by_team=by_team
    )


def canceled(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    *,
    note: str = "",
    member_id: int | None = None,
) -> None:
    """Queue the cancellation to everybody; of a held call, nobody was told."""
    if booking.quarantine:
        withdrawn(session, booking, now, member_id=member_id)
        return
    _record(session, booking, EventKind.CALL_CANCELLED, now, note, member_id)
    said: dict[str, Any] = {"note": note, "by_team": member_id is not None}
    _queue(session, booking, EmailKind.BOOKING_CANCELLED, booking.email, now, **said)
    _tell_host(session, booking, booking.host, EmailKind.BOOKING_CANCELLED_FOR_HOST, now, **said)
    _tell_team(session, settings, booking, now, CallNews.CANCELED, [booking.host], **said)


def withdrawn(
    session: Session, booking: Booking, now: datetime, *, member_id: int | None = None
) -> None:
    """Note that a call is canceled, and cancel what waits about it: nobody is told."""
    _record(session, booking, EventKind.CALL_CANCELLED, now, "", member_id)
    outbox.withdraw(session, booking.id)


def missed(session: Session, settings: Settings, booking: Booking, now: datetime) -> None:
    """Queue the news to the team that the visitor did not come."""
    _tell_team(session, settings, booking, now, CallNews.MISSED, [])


def email_corrected(
    session: Session, settings: Settings, booking: Booking, before: str, now: datetime
) -> None:
    """Queue the invitation to the corrected address, and take it out of the mistyped one's.

    The host gets the brief again, with the address that now answers.
    """
    events.record_event(session, booking.lead, EventKind.ADDRESS_CORRECTED, now, booking=booking.id)
    outbox.queue(
        session,
        EmailKind.BOOKING_WITHDRAWN,
        before,
        at=now,
        useless_after=booking.starts_at,
        booking_id=booking.id,  # and no lead: most likely a stranger reads it
        sequence=booking.sequence,
    )
    _invite(session, settings, booking, now, EmailKind.BOOKING_CONFIRMED)


def _wanted_start(
    session: Session, lead: Lead, wanted: bookings.BookingRequest, now: datetime
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
    lead: Lead,
    wanted: bookings.BookingRequest,
    why: str,
    now: datetime,
    *,
    flood: bool,
) -> None:
    """Tell the team that a visitor wanted a start that was gone, and why."""
    answers = session.get(Assessment, wanted.assessment_id) if wanted.assessment_id else None
    team_notices.notify(
        session,
        settings,
        lead.id,
        now,
        occasion=Occasion.WANTED_CALL,
        key=f"missed:{wanted.submission_key}",
        what=f"wanted a call on {zoned_time(wanted.start, wanted.zone)}: {why}",
        text=wanted.topic,
        came_from=wanted.came_from,
        answers=answers and answers.token_hash,
        flood=flood,
    )


def _changed(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    previous_host: Host | None,
    news: CallNews,
    **said: Any,
) -> None:
    """Queue what follows a change of time or host."""
    gone = previous_host if previous_host and previous_host.id != booking.host_id else None
    _invite(session, settings, booking, now, EmailKind.BOOKING_CHANGED, is_given=bool(gone), **said)
    if gone:
        _tell_host(session, booking, gone, EmailKind.BOOKING_CANCELLED_FOR_HOST, now, **said)
    told = [booking.host, gone] if gone else [booking.host]
    _tell_team(session, settings, booking, now, news, told, **said)


def _invite(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    kind: EmailKind,
    **said: Any,
) -> None:
    """Queue the invitations of visitor and host, and the reminders.

    A visitor whose call the team has yet to confirm gets a receipt, without an invitation.
    """
    kind = EmailKind.BOOKING_REQUESTED if booking.awaits_confirmation else kind
    _queue(session, booking, kind, booking.email, now, **said)
    if not booking.awaits_confirmation:
        reminders.plan(session, settings, booking, now)
    _tell_host(session, booking, booking.host, EmailKind.BOOKING_FOR_HOST, now, **said)


def _tell_host(
    session: Session, booking: Booking, host: Host, kind: EmailKind, now: datetime, **said: Any
) -> None:
    _queue(session, booking, kind, host.email, now, host=host.id, **said)


def _tell_team(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    news: CallNews,
    told: list[Host],
    **said: Any,
) -> None:
    """Queue the news to the team; the hosts who are `told` get an email of their own.

    Of a held call the team hears once.
    """
    if booking.quarantine and news in (CallNews.MOVED, CallNews.GIVEN):
        return
    told = [] if booking.quarantine else told
    team_notices.notify_of_call(
        session,
        settings,
        booking.lead_id,
        (booking.id, booking.sequence),
        news,
        now,
        key=f"{news}:{booking.uid}:{booking.sequence}",
        exclude=[host.email for host in told],
        **said,
    )


def _queue(
    session: Session,
    booking: Booking,
    kind: EmailKind,
    address: str,
    now: datetime,
    **facts: Any,
) -> None:
    """Queue an email about a call; it is of use until the call starts."""
    outbox.queue(
        session,
        kind,
        address,
        at=now,
        useless_after=booking.starts_at,
        facts=facts,
        lead_id=booking.lead_id,
        booking_id=booking.id,
        sequence=booking.sequence,
        held=booking.quarantine,
    )


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
