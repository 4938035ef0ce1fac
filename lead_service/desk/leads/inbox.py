"""The inbox: due work, and the list of all leads with filters, search and sorting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import g, render_template, request
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from ... import clock
from ...accounts.members import Member
from ...assess.brief import diagnosis_of
from ...assess.diagnosis import Diagnosis
from ...book import briefs, held
from ...book.hosts.models import Host
from ...book.models import Booking
from ...db.base import row_id
from ...leads import touch
from ...leads.models import Lead, Stage
from ...web.context import context
from .. import pagination
from ..blueprint import blueprint, desk_zone
from ..team import membership
from . import filters
from .filters import LeadFilter

FEW = 3  # due and new leads shown before the list
MOST_CALLS = 20


@dataclass(frozen=True)
class Entry:
    """One lead in the list."""

    lead: Lead
    next_call: Booking | None
    diagnosis: Diagnosis | None


@blueprint.get("/")
def inbox() -> str:
    """List the leads of a view; `before` is the page. Without a view, today's work comes first."""
    view, now = LeadFilter.read(request.args), clock.now()
    is_day = not view.address and "before" not in request.args
    with context().database.read() as session:
        today = desk_today(session, now)
        page = pagination.page(session, *view.query(session, now, today))
        people = membership.members(session, row_id(view.owner))
        return render_template(
            "desk/leads/inbox.html",
            entries=list_of(session, page.rows, now),
            view=view,
            back=urlencode(view.address),
            views=filters,
            stages=Stage,
            counts=filters.counts(session, now, today),
            people=people,
            names=member_names(session),
            day=_day(session, g.desk.member, now, today) if is_day else None,
            flood=held.too_large_a_share(session, context().published.calls, now),
            unconfirmed=held.unconfirmed(session, now) if is_day else [],
            now=now,
            following=page.following,
            today=today,
            source_of=touch.in_words,
        )


def _day(session: Session, member: Member, now: datetime, today: date) -> dict[str, Any]:
    """Return the first entries of the work that is due by the end of the member's day."""

    def first(quick: str, *only: ColumnElement[bool]) -> list[Entry]:
        query, order = LeadFilter(quick=quick).query(session, now, today)
        query = query.where(*only).order_by(*order.columns()).limit(FEW)
        return list_of(session, session.scalars(query).all(), now)

    return {
        "calls": _calls(session, member, now, today),
        "due": first("due"),
        "unowned": first("unowned", ~Lead.quarantine),  # suspected leads have their own view
    }


def _calls(
    session: Session, member: Member, now: datetime, today: date
) -> list[tuple[str, Booking]]:
    """Return today's calls, and with a label the member's and their colleagues' next ones."""
    zone = ZoneInfo(desk_zone(session))
    coming = (
        select(Booking)
        .join(Booking.host)
        .options(contains_eager(Booking.host), joinedload(Booking.lead))
        .where(*filters.coming(session, now))
        .order_by(Booking.starts_at, Booking.id)
    )
    ahead = session.scalars(coming.limit(MOST_CALLS)).all()
    found = [("", one) for one in ahead if one.starts_at.astimezone(zone).date() <= today]
    is_own = func.lower(Host.email) == member.email
    for label, whose in (("Your next call", is_own), ("The team\u2019s next call", ~is_own)):
        following = session.scalar(coming.where(whose).limit(1))
        if following and following not in [one for _, one in found]:
            found.append((label, following))
    return found


def desk_today(session: Session, now: datetime) -> date:
    """Return today's date in the desk's zone."""
    return now.astimezone(ZoneInfo(desk_zone(session))).date()


def member_names(session: Session) -> dict[int, str]:
    """Map member ids to names, including former members."""
    return {member.id: member.shown_name for member in session.scalars(select(Member))}


def list_of(session: Session, leads: Sequence[Lead], now: datetime) -> list[Entry]:
    """Return the list's entries for leads, with one query per table."""
    ids = [lead.id for lead in leads]
    calls, taken = briefs.next_calls(session, ids, now), briefs.answered_by(session, ids)
    chosen = {id: briefs.choose(taken[id], calls.get(id)) for id in ids}
    found = {id: diagnosis_of(session, one) for id, one in chosen.items() if one}
    return [Entry(lead, calls.get(lead.id), found.get(lead.id)) for lead in leads]
