"""The inbox: work that is due, and all leads by filter, search and order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import g, render_template, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from ... import clock
from ...accounts.members import Member
from ...assess.brief import diagnosis_of
from ...assess.diagnosis import Diagnosis
from ...book import briefs, held
from ...book.hosts.models import Host
from ...book.models import Booking
from ...leads.models import Lead
from ...web.context import context
from .. import labels, pagination
from ..blueprint import blueprint, desk_zone
from ..team import membership
from . import filters
from .filters import LeadFilter


@dataclass(frozen=True)
class Entry:
    """One line of the list."""

    lead: Lead
    next_call: Booking | None
    diagnosis: Diagnosis | None


@blueprint.get("/")
def inbox() -> str:
    """List the leads of a view; `before` turns the page."""
    view, before, now = LeadFilter.read(request.args), request.args.get("before"), clock.now()
    with context().database.read() as session:
        today = desk_today(session, now)
        page = pagination.page(session, *view.query(session, now, today), before)
        people, names = [one for one, _ in membership.everybody(session)], member_names(session)
        return render_template(
            "desk/leads/inbox.html",
            entries=list_of(session, page.rows, now),
            view=view,
            views=filters,
            counts=filters.counts(session, now, today),
            people=people,
            names=names,
            former=_former(view, people, names),
            next=None if view.address else next_call(session, g.desk.member, now),
            flood=held.too_large_a_share(session, context().published.calls, now),
            unconfirmed=[] if view.address else held.unconfirmed(session, now),
            now=now,
            following=page.following,
            is_first=before is None,
            today=today,
            words=labels,
        )


def _former(view: LeadFilter, people: Sequence[Member], names: dict[int, str]) -> str:
    """Name the owner whose leads are shown, when they have left: the others can be chosen."""
    owner = int(view.owner) if view.owner.isdigit() else 0
    return "" if owner in {one.id for one in people} else names.get(owner, "")


def desk_today(session: Session, now: datetime) -> date:
    """Return the day that it is where the desk is."""
    return now.astimezone(ZoneInfo(desk_zone(session))).date()


def member_names(session: Session) -> dict[int, str]:
    """Map members to their names, those who have left included."""
    return {member.id: member.shown_name for member in session.scalars(select(Member))}


def list_of(session: Session, leads: Sequence[Lead], now: datetime) -> list[Entry]:
    """Add to each lead what the list shows of it, with one query for each kind of thing."""
    ids = [lead.id for lead in leads]
    calls, taken = briefs.next_calls(session, ids, now), briefs.answered_by(session, ids)
    chosen = {id: briefs.choose(taken[id], calls.get(id)) for id in ids}
    found = {id: diagnosis_of(session, one) for id, one in chosen.items() if one}
    return [Entry(lead, calls.get(lead.id), found.get(lead.id)) for lead in leads]


def next_call(session: Session, member: Member, now: datetime) -> Booking | None:
    """Return the call that comes next: the member's own when they are a host, else the team's."""
    query = (
        select(Booking)
        .join(Booking.host)
        .options(contains_eager(Booking.host), joinedload(Booking.lead))
        .where(*filters.coming(session, now))
        .order_by(Booking.starts_at, Booking.id)
        .limit(1)
    )
    own = session.scalar(query.where(func.lower(Host.email) == member.email))
    return own or session.scalar(query)
