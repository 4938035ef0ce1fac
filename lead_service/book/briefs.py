"""Choose the answers for the brief of a call or lead, alike for the desk, exports and emails."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..assess.brief import Brief, brief_for
from ..assess.models import Assessment
from ..formats import long_date, zoned_time
from ..publishing.site import Published
from .models import Booking, coming


def next_calls(session: Session, lead_ids: Collection[int], now: datetime) -> dict[int, Booking]:
    """Return each lead's next call; a call counts until it has ended."""
    query = (
        select(Booking)
        .where(Booking.lead_id.in_(lead_ids), *coming(now - timedelta(days=1)))
        .order_by(Booking.starts_at.desc())
    )
    return {
        booking.lead_id: booking
        for booking in session.scalars(query)
        if booking.starts_at + timedelta(minutes=booking.duration) > now
    }


def answered_by(session: Session, lead_ids: Collection[int]) -> dict[int, list[Assessment]]:
    """Map leads to their assessments, the latest first."""
    query = select(Assessment).where(Assessment.lead_id.in_(lead_ids))
    latest_first = query.order_by(Assessment.started_at.desc(), Assessment.id.desc())
    found: dict[int, list[Assessment]] = {id: [] for id in lead_ids}
    for one in session.scalars(latest_first):
        found[one.lead_id or 0].append(one)
    return found


def choose(taken: Sequence[Assessment], call: Booking | None) -> Assessment | None:
    """Return the assessment attached to a call, or else the latest complete one."""
    complete = {one.id: one for one in taken if one.completed_at}
    if call and (came := complete.get(call.assessment_id or 0)):
        return came
    return max(complete.values(), key=lambda one: (one.completed_at, one.id), default=None)


def brief_of(
    session: Session,
    published: Published,
    lead_id: int,
    call: Booking | None,
    words: str,
    zone: str = "",
) -> Brief | None:
    """Return the brief for talking with a lead, on a call if there is one.

    The time of the call is written in `zone`, or else in its host's.
    """
    chosen = choose(answered_by(session, [lead_id])[lead_id], call)
    if chosen is None:
        return None
    brief = brief_for(session, chosen, lead_id, published.framework, words)
    return replace(brief, source=source(chosen, call, zone))


def source(chosen: Assessment, call: Booking | None, zone: str = "") -> str:
    """Say which answers a brief uses: each of a person's calls may have its own."""
    assert chosen.completed_at
    answered = long_date(chosen.completed_at, "UTC")
    if call is None:
        return f"They answered on {answered}."
    of_call = f"the call on {zoned_time(call.starts_at, zone or call.host_zone)}"
    if call.assessment_id == chosen.id:
        return f"These answers came with {of_call}."
    return f"No answers came with {of_call}. The result below is from {answered}."
