"""Decide whether a queued email still fits the present state of its call.

The outbox cancels emails that a later one to the same address supersedes; this also covers
changes without a later email: the call was reassigned, or the address was corrected.
"""

from datetime import datetime, timedelta

from ..emails.message import VISITOR, EmailKind
from ..emails.models import OutboxMessage
from .models import Booking

# After this time, canceling a call that we never told the recipient about would only confuse.
STALE = timedelta(days=1)
CANCELLATIONS = {EmailKind.BOOKING_CANCELLED, EmailKind.BOOKING_CANCELLED_FOR_HOST}
# Kinds that describe the call's present state.
OF_THE_CALL = EmailKind.of_role(VISITOR) - {*CANCELLATIONS, EmailKind.BOOKING_WITHDRAWN}


def misfit(row: OutboxMessage, booking: Booking, has_heard: bool, now: datetime) -> str:
    """Say why an email is not needed; empty when it is.

    `has_heard` says whether its recipient may have heard of the call before.
    """
    is_current = booking.is_live and row.sequence == booking.sequence
    facts = row.facts or {}
    is_hosts = facts.get("host") == booking.host_id
    is_theirs = row.address == booking.email
    never_knew = not has_heard and now - row.created_at > STALE
    if row.kind in OF_THE_CALL and not (is_current and is_theirs):
        return "the call has changed since"
    if row.kind is EmailKind.BOOKING_FOR_HOST and not (is_current and is_hosts):
        return "the call has changed since"
    if row.kind is EmailKind.BOOKING_CANCELLED_FOR_HOST and booking.is_live and is_hosts:
        return "the call is with this host again"
    if row.kind in CANCELLATIONS and never_knew and not facts.get("is_team"):
        return "we never told them about the call"
    if row.kind is EmailKind.BOOKING_WITHDRAWN and is_theirs:
        return "the invitation is for this address after all"
    if row.kind is EmailKind.BOOKING_WITHDRAWN and not has_heard:
        return "no invitation went to this address"
    return ""
