"""Cancel, move, reassign and mark calls for the team, with their emails and audit log.

`bookings` decides races, as it does for visitors: the second of two gets `Taken`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ...accounts import audit_log
from ...accounts.audit_log import AuditKind
from ...book import bookings, notifications
from ...book.hosts.models import Host
from ...book.models import Booking, CallOutcome
from ...leads import events
from ...leads.models import EventKind
from ...web.context import Context

MARKS = {
    CallOutcome.HELD: (EventKind.CALL_HELD, AuditKind.CALL_HELD),
    CallOutcome.NO_SHOW: (EventKind.CALL_MISSED, AuditKind.CALL_MISSED),
    None: (EventKind.CALL_UNMARKED, AuditKind.CALL_UNMARKED),
}


@dataclass(frozen=True)
class By:
    """Who changes a call, when, and what they write to the visitor."""

    member_id: int
    at: datetime
    note: str = ""

    @property
    def told(self) -> dict:
        return {"note": self.note, "member_id": self.member_id}


def find_call(session: Session, call_id: int) -> Booking | None:
    """Find a call; its host and lead follow when they are asked for.

    Not joined: `bookings` reads the call again to lock it, and PostgreSQL locks no outer join.
    """
    return session.get(Booking, call_id) if call_id < 2**31 else None


def cancel(session: Session, context: Context, call: Booking, by: By) -> None:
    """Cancel a call and tell both sides; raise NotUpcoming when it is too late."""
    if not bookings.cancel(session, call, by.at):
        raise bookings.NotUpcoming
    notifications.canceled(session, context.settings, call, by.at, **by.told)
    _note(session, AuditKind.CALL_CANCELLED, call, by)


def confirm(session: Session, context: Context, call: Booking, by: By) -> None:
    """Confirm a call that waits for the team, and send the invitation; else raise NotUpcoming."""
    if not bookings.confirm(session, call, by.at):
        raise bookings.NotUpcoming
    notifications.confirmed(session, context.settings, call, by.at)
    _note(session, AuditKind.CALL_CONFIRMED, call, by)


def move(
    session: Session,
    context: Context,
    call: Booking,
    start: datetime,
    by: By,
    *,
    ignore_availability: bool,
) -> bool:
    """Move a call to a start (UTC) and tell both sides; answers and errors as `bookings.move`."""
    before, previous_host = call.starts_at, call.host
    calls = context.published.calls
    if not bookings.move(
        session, call, calls, start, by.at, ignore_availability=ignore_availability
    ):
        return False
    told = by.told | {"previous_host": previous_host if previous_host.id != call.host_id else None}
    notifications.moved(session, context.settings, call, before, by.at, **told)
    _note(session, AuditKind.CALL_MOVED, call, by)
    return True


def give(session: Session, context: Context, call: Booking, host: Host, by: By) -> bool:
    """Give a call to another host and tell everybody; answers and errors as `bookings.reassign`."""
    previous_host = call.host
    if not bookings.reassign(session, call, context.published.calls, host, by.at):
        return False
    notifications.reassigned(session, context.settings, call, previous_host, by.at, **by.told)
    _note(session, AuditKind.CALL_REASSIGNED, call, by, from_host=previous_host.id, to_host=host.id)
    return True


def mark(
    session: Session, context: Context, call: Booking, result: CallOutcome | None, by: By
) -> bool:
    """Note what became of a call, or take that back; False for one that has not begun.

    The team hears of a no-show, once.

    A call that was cancelled did not take place, and there is nothing to mark.
    """
    session.refresh(call, with_for_update=True)
    if not call.is_live or call.starts_at > by.at:
        return False
    if call.outcome != result:
        call.outcome, call.outcome_at = result, by.at if result else None
        event, change = MARKS[result]
        events.record_event(session, call.lead, event, by.at, booking=call.id, member=by.member_id)
        _note(session, change, call, by)
        if result == CallOutcome.NO_SHOW:
            notifications.missed(session, context.settings, call, by.at)
    return True


def _note(
    session: Session, what: AuditKind, call: Booking, by: By, **detail: audit_log.Detail
) -> None:
    audit_log.note(session, by.member_id, what, f"call {call.id}", by.at, **detail)
