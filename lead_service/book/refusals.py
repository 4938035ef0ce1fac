"""Say why a start that a visitor wanted can't be booked: to the visitor, and to the team.

Pure. The sentences must be true: a calendar that cannot be read is an outage, not another
booking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .availability.slots import Unavailable, UnavailableReason

BOOKED = Unavailable(UnavailableReason.BOOKED)  # the database refused: someone was faster
HELD = Unavailable(UnavailableReason.HELD)
NOBODY = "No one is taking calls right now."
NO_CALLS_THEN = "We don\u2019t take calls at that time."
# The first of these that holds for any host is what the visitor reads.
TO_VISITOR = {
    UnavailableReason.BOOKED: "That time is already booked. If you booked it, our email has the"
    " link to your call.",
    UnavailableReason.HELD: "We can\u2019t keep that time for you right now. Your message has"
    " arrived, and we will write to you.",
    UnavailableReason.LIMIT: "There are no more calls on that day.",
    UnavailableReason.BUSY: "The host\u2019s calendar has something else at that time.",
    UnavailableReason.UNREAD: "We can\u2019t read the host\u2019s calendar right now, so we"
    " can\u2019t promise that time.",
    UnavailableReason.NOTICE: "That time is too soon: we need more notice.",
    UnavailableReason.HORIZON: "That time is too far ahead. We don\u2019t take calls for it yet.",
    UnavailableReason.PAST: "That time has passed.",
}
TO_TEAM = {
    UnavailableReason.BOOKED: "{host} has another call then",
    UnavailableReason.HELD: "it looks automated, and the limit for such calls is reached",
    UnavailableReason.LIMIT: "{host} takes no more calls on that day",
    UnavailableReason.BUSY: "the calendar \u201c{name}\u201d of {host} is busy then",
    UnavailableReason.UNREAD: "the calendar \u201c{name}\u201d of {host} can\u2019t be read",
}


@dataclass(frozen=True)
class Refusal:
    """Why one host, by name, does not take a call."""

    host: str
    reason: Unavailable


def to_visitor(refusals: Sequence[Refusal]) -> str:
    """Say to the visitor why no host takes the call."""
    kinds = {one.reason.kind for one in refusals}
    found = (sentence for kind, sentence in TO_VISITOR.items() if kind in kinds)
    return next(found, NO_CALLS_THEN if refusals else NOBODY)


def was_offered(refusals: Sequence[Refusal]) -> bool:
    """Say whether a start would be available if nothing had been booked or read since."""
    return any(one.reason.kind in TO_TEAM for one in refusals)


def to_team(refusals: Sequence[Refusal]) -> str:
    """Return what blocked the time at each host, as the end of a sentence."""
    parts = [
        TO_TEAM[one.reason.kind].format(host=one.host, name=one.reason.name)
        for one in refusals
        if one.reason.kind in TO_TEAM
    ]
    return "; ".join(parts) or "it is not available anymore"
