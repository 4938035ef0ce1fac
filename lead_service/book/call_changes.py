"""Cancel, move, reassign, confirm and mark calls, with their emails.

Visitors and members change calls by the same functions. What a member does is also in the audit
log; what a visitor does is in the timeline of the lead alone. `bookings` decides races: the second
of two gets `Taken`.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..accounts.audit_log import Actor, AuditKind, Detail
from ..call_types import CallTypes
from ..emails import outbox
from ..emails.message import EmailKind
from ..emails.models import OutboxMessage
from ..emails.team_notices import CallNews
from ..leads import events
from ..leads.consent import TOLD_SOURCE
from ..leads.contact_details import ContactDetails
from ..leads.models import Consent, EventKind, Lead
from ..settings import Settings
from . import bookings, notifications
from .hosts.models import Host
from .models import Booking, CallOutcome
from .notifications import ChangeNotice
from .terms import Terms

INVITES_AGAIN_FOR = timedelta(days=14)
MARKS = {
    CallOutcome.ATTENDED: (EventKind.CALL_ATTENDED, AuditKind.CALL_ATTENDED),
    CallOutcome.NO_SHOW: (EventKind.CALL_MISSED, AuditKind.CALL_MISSED),
    None: (EventKind.CALL_UNMARKED, AuditKind.CALL_UNMARKED),
}


def cancel(
    session: Session,
    settings: Settings,
    call: Booking,
    by: Actor,
    *,
    note: str = "",
    spam: str = "",
    seen: int | None = None,
) -> bool:
    """Cancel a call and email both sides; False if it is too late, or was canceled before.

    With a reason in `spam`, waiting emails are canceled, too. Team and host read the reason;
    the visitor gets an email only if their address is confirmed, since anyone can type any.
    Raises Stale when the call is no longer at the sequence that was `seen`.
    """
    if not bookings.cancel(session, call, by.at, seen=seen):
        return False
    notice = ChangeNotice(session, settings, call, by, note)
    if call.quarantine or spam:
        notifications.withdrawn(session, call, by, reason=spam or "the call was canceled")
    else:
        notice.record(EventKind.CALL_CANCELLED)
    if not call.quarantine:  # a held call had no invitation
        if call.is_proved or not spam:
            notice.queue(EmailKind.BOOKING_CANCELLED, call.email, **notice.facts)
        facts = notice.facts | ({"note": f"{spam[0].upper()}{spam[1:]}."} if spam else {})
        notice.tell_host(call.host, EmailKind.BOOKING_CANCELLED_FOR_HOST, **facts)
        notice.tell_team(CallNews.CANCELED, [call.host], **facts)
    _note(session, AuditKind.CALL_CANCELLED, call, by)
    return True


def correct_email(
    session: Session,
    settings: Settings,
    lead: Lead,
    email: str,
    by: Actor,
    *,
    seen: str | None = None,
) -> Lead:
    """Give a lead and its calls to come the address that they told a member; return the lead.

    That is the one that has the address already, if any, with all that we know of this one: its
    timeline keeps the details that differ. A tick that was confirmed from the old mailbox has to
    be confirmed from the new one. Raises Stale when the lead no longer has the address `seen`.
    """
    calls = bookings.coming_calls(session, [lead.id], by.at)
    for call in calls:
        bookings.lock_one(session, call)
    session.refresh(lead, with_for_update=True)
    if seen not in (None, lead.email):
        raise bookings.Stale
    confirmed = (Consent.lead_id == lead.id, Consent.source != TOLD_SOURCE)
    session.execute(update(Consent).where(*confirmed).values(is_proved=False))
    id, known = lead.id, lead.details
    found = bookings.correct_lead(session, lead, email)
    for call in calls:
        before = call.email
        bookings.readdress(settings, call, email)
        call.is_proved = True
        notifications.email_corrected(session, settings, call, before, by)
    if found.id != id:
        _note_combined(session, found, id, known, by)
    else:
        by.note(session, AuditKind.LEAD_CHANGED, f"lead {id}", fields=["email"])
        if not calls:  # else `notifications` has recorded it
            corrected = EventKind.ADDRESS_CORRECTED
            events.record_event(session, found, corrected, by.at, member=by.member_id)
    found.version += 1
    return found


def _note_combined(
    session: Session, lead: Lead, other_id: int, other: ContactDetails, by: Actor
) -> None:
    """Record that another lead was combined into a lead, with the details that differ."""
    differ = [row for row in other.rows if row.value != getattr(lead, row.name)]
    told = "; ".join(f"{row.label}: {row.value}" for row in differ)
    events.record_event(session, lead, EventKind.COMBINED, by.at, member=by.member_id, note=told)
    by.note(session, AuditKind.LEADS_COMBINED, f"lead {lead.id}", other_lead=other_id)


def confirm(
    session: Session, settings: Settings, call: Booking, by: Actor, *, seen: int | None = None
) -> bool:
    """Confirm a call that waits for the team, and send the invitation; False for any other.

    Raises Stale when the call is no longer at the sequence that was `seen`.
    """
    if not bookings.confirm(session, call, by.at, seen=seen):
        return False
    ChangeNotice(session, settings, call, by).invite(EmailKind.BOOKING_CONFIRMED, is_confirmed=True)
    _note(session, AuditKind.CALL_CONFIRMED, call, by)
    return True


def move(
    session: Session,
    settings: Settings,
    calls: CallTypes,
    call: Booking,
    start: datetime,
    by: Actor,
    *,
    note: str = "",
    seen: int | None = None,
    ignore_availability: bool = False,
    terms: Terms | None = None,
) -> bool:
    """Move a call to a start (UTC) and tell both sides; answers and errors as `bookings.move`.

    A member moves no call into another one of the same person: HasCall.
    """
    before, previous_host = call.starts_at.isoformat(), call.host
    if by.member:
        bookings.refuse_overlap(session, call.lead_id, start, call.duration, moving=call.id)
    if not bookings.move(
        session,
        call,
        calls,
        start,
        by.at,
        seen=seen,
        ignore_availability=ignore_availability,
        terms=terms,
    ):
        return False
    notice = ChangeNotice(session, settings, call, by, note)
    hosts = _change_of_host(previous_host, call.host)
    notice.record(EventKind.CALL_MOVED, before=before, start=call.starts_at.isoformat(), **hosts)
    notice.tell_of_change(CallNews.MOVED, previous_host, before=before)
    _note(session, AuditKind.CALL_MOVED, call, by)
    return True


def give(
    session: Session,
    settings: Settings,
    calls: CallTypes,
    call: Booking,
    host: Host,
    by: Actor,
    *,
    note: str = "",
    seen: int | None = None,
) -> bool:
    """Give a call to another host and tell everybody; answers and errors as `bookings.reassign`."""
    previous_host = call.host
    if not bookings.reassign(session, call, calls, host, by.at, seen=seen):
        return False
    hosts = _change_of_host(previous_host, host)
    notice = ChangeNotice(session, settings, call, by, note)
    notice.record(EventKind.CALL_REASSIGNED, **hosts)
    notice.tell_of_change(CallNews.GIVEN, previous_host)
    _note(session, AuditKind.CALL_REASSIGNED, call, by, **hosts)
    return True


def _change_of_host(before: Host, after: Host) -> dict[str, int]:
    """Return both ids as details of an event; nothing if the call stays with its host."""
    return {"from_host": before.id, "to_host": after.id} if before is not after else {}


def mark(
    session: Session,
    settings: Settings,
    call: Booking,
    result: CallOutcome | None,
    by: Actor,
    *,
    seen: str | None = None,
) -> bool:
    """Mark the outcome of a call, or undo that; False for one that was canceled or hasn't begun.

    A no-show is emailed to the team, once. Raises Stale when the call has neither that outcome
    nor the one that was `seen` ("" for none).
    """
    session.refresh(call, with_for_update=True)
    if not call.is_live or call.starts_at > by.at:
        return False
    if call.outcome != result:
        if seen not in (None, call.outcome or ""):
            raise bookings.Stale
        call.outcome, call.outcome_at = result, by.at if result else None
        event, change = MARKS[result]
        events.record_event(session, call.lead, event, by.at, booking=call.id, member=by.member_id)
        _note(session, change, call, by)
        if result == CallOutcome.NO_SHOW:
            ChangeNotice(session, settings, call, by).tell_team(CallNews.MISSED, [])
    return True


def invitation_again(call: Booking, at: datetime, note: str) -> OutboxMessage:
    """Return the email that asks the visitor of a no-show to book again, before it is queued."""
    return OutboxMessage(
        kind=EmailKind.BOOKING_AGAIN,
        address=call.email,
        created_at=at,
        useless_after=at + INVITES_AGAIN_FOR,
        lead_id=call.lead_id,
        booking_id=call.id,
        sequence=call.sequence,
        facts={"note": note},
    )


def invite_again(session: Session, call: Booking, by: Actor, note: str) -> bool:
    """Ask the visitor of a no-show to book again; False for other calls and the second time."""
    session.refresh(call, with_for_update=True)
    if call.outcome != CallOutcome.NO_SHOW or outbox.is_told(
        session, call.id, EmailKind.BOOKING_AGAIN
    ):
        return False
    email = invitation_again(call, by.at, note)
    useful = {"at": by.at, "useless_after": email.useless_after}
    notifications.queue_email(session, call, email.kind, email.address, facts=email.facts, **useful)
    told: dict[str, Any] = {"member": by.member_id} | ({"note": note} if note else {})
    events.record_event(session, call.lead, EventKind.INVITED_AGAIN, by.at, booking=call.id, **told)
    _note(session, AuditKind.CALL_INVITED_AGAIN, call, by)
    return True


def _note(session: Session, what: AuditKind, call: Booking, by: Actor, **detail: Detail) -> None:
    if by.member:
        by.note(session, what, f"call {call.id}", **detail)
