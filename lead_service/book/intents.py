"""Decide whether an email about a call still fits the call as it is now.

Pure. The outbox cancels what a later email to the same address has overtaken; this also covers
what no later email says: the call went to another host, or the address was corrected.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..emails.message import EmailKind

# After so long, news of the end of a call that the recipient never heard of would only confuse.
STALE = timedelta(days=1)
TO_VISITOR = {
    EmailKind.BOOKING_REQUESTED,
    EmailKind.BOOKING_CONFIRMED,
    EmailKind.BOOKING_CHANGED,
    EmailKind.BOOKING_REMINDER,
}


@dataclass(frozen=True)
class Call:
    """A booking as it is now."""

    sequence: int
    is_live: bool
    host_id: int
    email: str


@dataclass(frozen=True)
class Intent:
    """An email that is due, and whether its recipient may have heard of the call before."""

    kind: EmailKind
    sequence: int
    address: str
    written_at: datetime
    has_heard: bool
    host_id: int = 0  # of the host that it is for, if any


def misfit(intent: Intent, call: Call, now: datetime) -> str:
    """Say why an email is not needed; empty when it is."""
    is_current = call.is_live and intent.sequence == call.sequence
    never_knew = not intent.has_heard and now - intent.written_at > STALE
    if intent.kind in TO_VISITOR and not (is_current and intent.address == call.email):
        return "the call has changed since"
    if intent.kind is EmailKind.BOOKING_FOR_HOST:
        return "" if is_current and intent.host_id == call.host_id else "the call has changed since"
    if intent.kind is EmailKind.BOOKING_CANCELLED and never_knew:
        return "they never heard of the call"
    if intent.kind is EmailKind.BOOKING_CANCELLED_FOR_HOST:
        if call.is_live and intent.host_id == call.host_id:
            return "the call is theirs again"
        return "they never heard of the call" if never_knew else ""
    if intent.kind is EmailKind.BOOKING_WITHDRAWN:
        if intent.address == call.email:
            return "the invitation is for this address after all"
        return "" if intent.has_heard else "no invitation went to this address"
    return ""
