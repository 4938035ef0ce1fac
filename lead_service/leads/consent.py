"""Say whether the team may get in touch with a person, and about what.

The rule is the one that docs/privacy.md states. People who book a call, try to, or write to us can
be reached about that. Everything else needs a box that they ticked: one on the forms of a booking
and a message (our services), another beside an emailed result (that result).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Consent

RESULT = (
    "result"  # the source of a consent about one result; those of all others are about services
)


class Occasion(StrEnum):
    """What the team is told of, as far as it decides whether a person may be reached."""

    CALL = "call"
    CALL_GIVEN_AWAY = "call-given-away"  # told to the host who no longer has the call
    WANTED_CALL = "wanted-call"
    MESSAGE = "message"
    RESULT = "result"


@dataclass(frozen=True)
class Agreed:
    """Hold what a person chose last; False also where they were never asked."""

    services: bool = False
    result: bool = False

    @property
    def topics(self) -> tuple[str, ...]:
        """Name what we may write about without being asked."""
        return ("their result",) * self.result + ("our services",) * self.services


@dataclass(frozen=True)
class Permission:
    """Say in words whether to get in touch; without `may_write` nothing may invite a reply."""

    may_write: bool
    text: str


def agreed(session: Session, lead_id: int) -> Agreed:
    """Return what a lead chose last on the forms of each kind."""
    return agreed_by(session, [lead_id]).get(lead_id, Agreed())


def agreed_by(session: Session, lead_ids: Collection[int]) -> dict[int, Agreed]:
    """Return what leads chose, for those who were asked."""
    query = select(Consent).where(Consent.lead_id.in_(lead_ids)).order_by(Consent.id)
    found: dict[int, Agreed] = {}
    for one in session.scalars(query):
        kind = "result" if one.source == RESULT else "services"
        found[one.lead_id] = replace(found.get(one.lead_id, Agreed()), **{kind: one.may_contact})
    return found


def permission(occasion: Occasion, agreed: Agreed) -> Permission:
    """Say whether a person may be reached after an occasion, and about what."""
    if occasion == Occasion.CALL_GIVEN_AWAY:
        return Permission(False, "Another host has this call now and will talk to them about it.")
    topics = " and ".join(agreed.topics)
    if occasion == Occasion.RESULT:
        if not topics:
            return Permission(
                False, "They did not agree to be contacted. Do not write to them or call them."
            )
        return Permission(True, f"They agreed that we may write to them about {topics}.")
    also = (
        f"They also agreed that we may write to them about {topics}."
        if topics
        else "They did not agree to hear from us about anything else."
    )
    return Permission(True, f"{_ASKED_FOR[occasion]} {also}")


_ASKED_FOR = {
    Occasion.CALL: "They booked a call, so you can call or write to them about it.",
    Occasion.WANTED_CALL: "They asked for a call, so you can offer them another time.",
    Occasion.MESSAGE: "They wrote to us, so you can answer their message.",
}
