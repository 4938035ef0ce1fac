"""Say why a start that a visitor wanted can no longer be booked: to the visitor, and to the team.

Pure. The sentences must be true: a calendar that cannot be read is an outage, not another
booking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .availability.slots import Unavailable, UnavailableReason

BOOKED = Unavailable(UnavailableReason.BOOKED)  # the database refused: someone was faster
HELD = Unavailable(UnavailableReason.HELD)
# The first of these that holds for any host is what the visitor reads.
TO_VISITOR = {
    UnavailableReason.BOOKED: "Someone else just booked that time.",
    UnavailableReason.HELD: "We can\u2019t keep that time for you right now. Your message has"
    " arrived, and we will write to you.",
    UnavailableReason.LIMIT: "There are no more calls on that day.",
    UnavailableReason.BUSY: "The host\u2019s calendar has something else at that time.",
    UnavailableReason.UNREAD: "We can\u2019t read the host\u2019s calendar right now, so we"
    " can\u2019t promise that time.",
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
    """Return one sentence for the visitor; empty when the start was never on offer."""
    kinds = {one.reason.kind for one in refusals}
    return next((sentence for kind, sentence in TO_VISITOR.items() if kind in kinds), "")


def to_team(refusals: Sequence[Refusal]) -> str:
    """Return what blocked the time at each host, as the end of a sentence."""
    parts = [
        TO_TEAM[one.reason.kind].format(host=one.host, name=one.reason.name)
        for one in refusals
        if one.reason.kind in TO_TEAM
    ]
    return "; ".join(parts) or "it is not available anymore"
