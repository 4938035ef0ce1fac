"""Record events and queue emails about bookings, in the transaction of the change.

`emails` composes the emails when they are sent. `call_changes` makes the changes by
visitors and members.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..accounts.audit_log import Actor
from ..accounts.members import Member
from ..emails import outbox, team_notices
from ..emails.message import EmailKind
from ..emails.models import OutboxMessage
from ..emails.team_notices import CallNews
from ..formats import zoned_time
from ..leads import capture, consent, events
from ..leads.consent import Occasion
from ..leads.models import EventKind
from ..settings import Settings
from . import bookings
from .availability import refusals
from .hosts.models import Host
from .models import Booking

TOO_SOON = timedelta(hours=1)  # a reminder so soon after the invitation would say nothing new


def form_answered(
    session: Session,
    settings: Settings,
    request: bookings.BookingRequest,
    outcome: bookings.BookingResult,
    by: Actor,
    *,
    may_contact: bool | None,
    note: str = "",
) -> None:
    """Queue the emails after a booking form and store its consent, once for each form.

    A member who booked for a visitor may add a `note` to the email, and may not have asked for
    consent: None.
    """
    now = by.at
    if outcome.lead is None:
        return
    if outcome.booking is None and not _record_wanted(session, settings, request, outcome, now):
        return
    if by.member:
        consent.record_told(session, outcome.lead, may_contact, now)
    else:
        consent.record_consent(
            session,
            outcome.lead,
            consent.SERVICES,
            may_contact=bool(may_contact),
            source="book",
            at=now,
        )
    if booking := outcome.booking:
        booked(session, settings, booking, by, note, flood=request.flood)
        is_silent = request.suspect or outcome.lead.disowned_at
        if booking.quarantine and not is_silent:
            _ask_to_confirm(session, booking, now)


def _ask_to_confirm(session: Session, booking: Booking, now: datetime) -> None:
    """Queue the email by which the visitor of a held call confirms it."""
    queue_email(session, booking, EmailKind.BOOKING_REQUESTED, booking.email, at=now)


def _is_asked(session: Session, booking: Booking) -> bool:
    """Say whether we asked the visitor to confirm a call, even if the email was superseded."""
    asked = (OutboxMessage.booking_id == booking.id, OutboxMessage.hold.is_(None))
    query = select(OutboxMessage.id).where(OutboxMessage.kind == EmailKind.BOOKING_REQUESTED)
    return session.scalar(query.where(*asked).limit(1)) is not None


def booked(
    session: Session,
    settings: Settings,
    booking: Booking,
    by: Actor,
    note: str = "",
    *,
    flood: bool = False,
) -> None:
    """Queue the invitation, the host's brief and the team's email.

    The team gets a flagged email about a held booking at once; those to visitor and host are held
    until a member releases them.
    """
    notice = ChangeNotice(session, settings, booking, by, note)
    notice.record(EventKind.CALL_BOOKED)
    notice.invite(EmailKind.BOOKING_CONFIRMED, **notice.facts)
    notice.tell_team(CallNews.BOOKED, [booking.host], flood=flood, **notice.facts)
    if not booking.quarantine:
        give_to_host(session, booking, by)


def give_to_host(session: Session, booking: Booking, by: Actor) -> None:
    """Make the call's host the owner of its lead, if the host is a member and no one owns it.

    The host prepares the call, and needs the lead.
    """
    lead = booking.lead
    is_host = (Member.email == booking.host.email.lower(), Member.removed_at.is_(None))
    if lead.owner_id is None and (owner_id := session.scalar(select(Member.id).where(*is_host))):
        lead.owner_id, lead.version = owner_id, lead.version + 1
        events.record_event(
            session, lead, EventKind.OWNER_CHANGED, by.at, owner=owner_id, member=by.member_id
        )


def withdrawn(
    session: Session, booking: Booking, by: Actor, *, reason: str = "the call was canceled"
) -> None:
    """Record that a call is canceled, and cancel its waiting emails, without queuing any."""
    who: dict[str, Any] = {"member": by.member_id} if by.member else {}
    kind = EventKind.CALL_CANCELLED
    events.record_event(session, booking.lead, kind, by.at, booking=booking.id, **who)
    outbox.withdraw(session, OutboxMessage.booking_id == booking.id, reason)


def disowned(session: Session, settings: Settings, booking: Booking, now: datetime) -> None:
    """Email host and team that a call is canceled because its visitor used another's address."""
    is_known = not booking.quarantine
    withdrawn(session, booking, Actor(now))
    if is_known:
        notice = ChangeNotice(session, settings, booking, Actor(now))
        notice.tell_host(booking.host, EmailKind.BOOKING_CANCELLED_FOR_HOST)
        notice.tell_team(CallNews.DISOWNED, [booking.host])


def email_corrected(
    session: Session, settings: Settings, booking: Booking, before: str, by: Actor
) -> None:
    """Queue the invitation to the corrected address, and its withdrawal to the mistyped one.

    Host and team get an email with the corrected address, too.
    """
    notice = ChangeNotice(session, settings, booking, by)
    notice.record(EventKind.ADDRESS_CORRECTED)
    if capture.normalize_email(before) != capture.normalize_email(booking.email):
        known = {"start": booking.starts_at.isoformat()}
        queue_email(session, booking, EmailKind.BOOKING_WITHDRAWN, before, at=by.at, facts=known)
    notice.invite(EmailKind.BOOKING_CONFIRMED, is_corrected=True)
    notice.tell_team(CallNews.CORRECTED, [booking.host])
    if not booking.quarantine:
        give_to_host(session, booking, notice.by)


def _record_wanted(
    session: Session,
    settings: Settings,
    request: bookings.BookingRequest,
    outcome: bookings.BookingResult,
    now: datetime,
) -> bool:
    """Record that a visitor wanted a start that was gone, and email the team why.

    Return False if that was done before.
    """
    assert outcome.lead
    start, key = request.start.isoformat(), request.submission_key
    known = {"start": start, "text": request.topic}
    wanted = EventKind.WANTED_START
    if not events.record_event(session, outcome.lead, wanted, now, key=key, **known):
        return False
    why = refusals.to_team(outcome.refusals)
    team_notices.notify(
        session,
        settings,
        outcome.lead.id,
        now,
        occasion=Occasion.WANTED_CALL,
        key=f"missed:{key}",
        what=f"wanted a call on {zoned_time(request.start, request.zone)}: {why}",
        text=request.topic,
        came_from=request.came_from,
        flood=request.flood,
    )
    return True


def queue_email(
    session: Session, booking: Booking, kind: EmailKind, address: str, **more: Any
) -> None:
    """Queue an email about a call, useful until the call starts, and erased with its lead."""
    outbox.queue(
        session,
        kind,
        address,
        lead_id=booking.lead_id,
        booking_id=booking.id,
        sequence=booking.sequence,
        **{"useless_after": booking.starts_at} | more,
    )


def plan_reminders(session: Session, settings: Settings, booking: Booking, now: datetime) -> None:
    """Queue the reminders that are due in the future.

    Each is useful until the next one is due, the last until the call starts, so that an outage
    never leads to two reminders at once. While a booking is in quarantine, they are held.
    """
    due = reminders_ahead(settings, booking, now)
    for due_at, useless_after in pairwise([*due, booking.starts_at]):
        queue_email(
            session,
            booking,
            EmailKind.BOOKING_REMINDER,
            booking.email,
            at=now,
            due_at=due_at,
            useless_after=useless_after,
            held=booking.quarantine,
        )


def reminders_ahead(settings: Settings, booking: Booking, now: datetime) -> list[datetime]:
    """Return when a call's future reminders are due (UTC), without ones that are too soon."""
    due = (booking.starts_at - timedelta(hours=hours) for hours in settings.reminders)
    return [one for one in due if one > now + TOO_SOON]


@dataclass(frozen=True)
class ChangeNotice:
    """A change of a call by someone, with the emails and the event that follow.

    A change by the team may carry a `note` in plain text for the visitor and the host.
    """

    session: Session
    settings: Settings
    booking: Booking
    by: Actor
    note: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        return {"note": self.note, "by_team": self.by.member is not None}

    def record(self, kind: EventKind, **detail: Any) -> None:
        """Add the event to the lead's timeline."""
        given = {"note": self.note, "member": self.by.member_id}
        detail |= {name: value for name, value in given.items() if value}
        lead, booking_id = self.booking.lead, self.booking.id
        events.record_event(self.session, lead, kind, self.by.at, booking=booking_id, **detail)

    def invite(self, kind: EmailKind, **facts: Any) -> None:
        """Queue the invitations of visitor and host, and the reminders.

        If the team still has to confirm the call, the visitor gets a receipt without an invitation.
        """
        booking = self.booking
        is_asked = booking.quarantine and _is_asked(self.session, booking)
        kind = EmailKind.BOOKING_REQUESTED if booking.awaits_confirmation else kind
        self.queue(kind, booking.email, **facts)
        if is_asked:  # again, at the present time and address
            _ask_to_confirm(self.session, booking, self.by.at)
        if not booking.awaits_confirmation:
            plan_reminders(self.session, self.settings, booking, self.by.at)
        self.tell_host(booking.host, EmailKind.BOOKING_FOR_HOST, **facts)

    def tell_of_change(self, news: CallNews, previous_host: Host | None, **more: Any) -> None:
        """Queue the emails after a change of time or host."""
        host, facts = self.booking.host, self.facts | more
        gone = previous_host if previous_host and previous_host.id != host.id else None
        self.invite(EmailKind.BOOKING_CHANGED, is_given=bool(gone), **facts)
        if gone:
            self.tell_host(gone, EmailKind.BOOKING_CANCELLED_FOR_HOST, **facts)
        self.tell_team(news, [host, gone] if gone else [host], **facts)

    def tell_host(self, host: Host, kind: EmailKind, **facts: Any) -> None:
        team = {address.casefold() for address in self.settings.sales_to}
        is_team = team <= {host.email.casefold()}  # the host is the only member of the team
        self.queue(kind, host.email, host=host.id, is_team=is_team, **facts)

    def tell_team(self, news: CallNews, told: list[Host], **facts: Any) -> None:
        """Queue the email to the team, without hosts in `told`, who get another email.

        The team gets only one email about a held call.
        """
        call = self.booking
        if call.quarantine and news in (CallNews.MOVED, CallNews.GIVEN, CallNews.CORRECTED):
            return
        team_notices.notify_of_call(
            self.session,
            self.settings,
            call.lead_id,
            (call.id, call.sequence),
            news,
            self.by.at,
            key=f"{news}:{call.uid}:{call.sequence}",
            exclude=[] if call.quarantine else [host.email for host in told],
            **facts,
        )

    def queue(self, kind: EmailKind, address: str, **facts: Any) -> None:
        """Queue an email about the change; it is held while the booking is in quarantine."""
        call, is_held = self.booking, self.booking.quarantine
        queue_email(self.session, call, kind, address, at=self.by.at, facts=facts, held=is_held)
