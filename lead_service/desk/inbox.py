"""The inbox: who wants what, the newest activity first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import render_template, request
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from .. import clock
from ..assess import models as assessments
from ..assess import scoring
from ..assess.framework import Step
from ..assess.models import Assessment
from ..book.models import Booking, Status
from ..context import context
from ..leads import Lead
from . import words
from .blueprint import blueprint
from .pager import newest_first

LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Entry:
    """One line of the list."""

    lead: Lead
    next_call: Booking | None
    widest_gap: Step | None


@blueprint.get("/")
def inbox() -> str:
    """List the leads; `q` searches name, company and address, `before` turns the page."""
    asked = " ".join(request.args.get("q", "").split())[:LONGEST_SEARCH]
    now = clock.now()
    with context().database.read() as session:
        before = request.args.get("before")
        page = newest_first(session, _search(asked), Lead.touched_at, Lead.id, before)
        entries = list_of(session, page.rows, now)
    return render_template(
        "desk/inbox.html",
        entries=entries,
        asked=asked,
        following=page.following,
        is_first=before is None,
        stages=words.STAGES,
    )


def _search(asked: str) -> Select[tuple[Lead]]:
    query = select(Lead)
    if asked:
        columns = (Lead.name, Lead.company, Lead.email, Lead.address)
        query = query.where(or_(*(column.icontains(asked, autoescape=True) for column in columns)))
    return query


def list_of(session: Session, leads: Sequence[Lead], now: datetime) -> list[Entry]:
    """Add to each lead what the list shows of it, with one query for each kind of thing."""
    ids = [lead.id for lead in leads]
    calls, gaps = next_calls(session, ids, now), _widest_gaps(session, ids)
    return [Entry(lead, calls.get(lead.id), gaps.get(lead.id)) for lead in leads]


def next_calls(session: Session, lead_ids: Sequence[int], now: datetime) -> dict[int, Booking]:
    """Return the call that comes next for each lead; one is coming until it has ended."""
    query = (
        select(Booking)
        .where(Booking.lead_id.in_(lead_ids), Booking.status == Status.CONFIRMED)
        .where(Booking.starts_at > now - timedelta(days=1))
        .order_by(Booking.starts_at.desc())
    )
    return {
        booking.lead_id: booking
        for booking in session.scalars(query)
        if booking.starts_at + timedelta(minutes=booking.duration) > now
    }


def _widest_gaps(session: Session, lead_ids: Sequence[int]) -> dict[int, Step | None]:
    """Return the widest gap of each lead's latest complete assessment."""
    query = (
        select(Assessment)
        .where(Assessment.lead_id.in_(lead_ids), Assessment.completed_at.is_not(None))
        .order_by(Assessment.completed_at, Assessment.id)
    )
    latest = {assessment.lead_id: assessment for assessment in session.scalars(query)}
    return {
        lead_id: scoring.score(
            assessments.framework_of(session, assessment), assessment.answers
        ).widest_gap
        for lead_id, assessment in latest.items()
        if lead_id is not None
    }
