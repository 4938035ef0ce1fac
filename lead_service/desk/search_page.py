"""Search leads, calls and emails, and list the keyboard shortcuts."""

from collections.abc import Sequence

from flask import render_template, request
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from .. import clock
from ..book.models import Booking
from ..emails.models import OutboxMessage
from ..leads.models import Lead
from ..web.context import context
from .blueprint import blueprint
from .leads.filters import LeadFilter
from .leads.inbox import list_of, member_names
from .mail.outbox_page import leads_of

MOST = 20  # results of each kind


@blueprint.get("/search/")
def search() -> str:
    """Show matching leads with their calls and emails, and emails to a matching address."""
    view, now = LeadFilter.read({"q": request.args.get("q", "")}), clock.now()
    with context().database.read() as session:
        leads = _leads(session, view) if view.asked else []
        mails = _mails(session, leads, view.asked)
        return render_template(
            "desk/search/results.html",
            sought=view.asked,
            entries=list_of(session, leads, now),
            calls=_calls(session, leads),
            mails=mails,
            people=leads_of(session, mails),
            names=member_names(session),
            most=MOST,
        )


@blueprint.get("/keys/")
def keys() -> str:
    """List the keyboard shortcuts."""
    return render_template("desk/search/keys.html")


def _leads(session: Session, view: LeadFilter) -> Sequence[Lead]:
    query = select(Lead).where(*view.matches()).order_by(Lead.touched_at.desc(), Lead.id)
    return session.scalars(query.limit(MOST)).all()


def _calls(session: Session, leads: Sequence[Lead]) -> Sequence[Booking]:
    of_these = Booking.lead_id.in_([lead.id for lead in leads])
    query = select(Booking).where(of_these).options(joinedload(Booking.host))
    return session.scalars(query.order_by(Booking.starts_at.desc()).limit(MOST)).all()


def _mails(session: Session, leads: Sequence[Lead], asked: str) -> Sequence[OutboxMessage]:
    of_these = OutboxMessage.lead_id.in_([lead.id for lead in leads])
    found = select(OutboxMessage).where(or_(of_these, OutboxMessage.address == asked))
    return session.scalars(found.order_by(OutboxMessage.created_at.desc()).limit(MOST)).all()
