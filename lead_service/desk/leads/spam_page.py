"""Mark leads as spam, after a page that lists the calls to cancel and the emails."""

from functools import partial

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import Actor
from ...book import bookings, held
from ...leads.models import Lead, Stage
from ...web.context import context
from ..blueprint import blueprint, write
from . import lead_updates
from .bulk_actions import is_stale, lead_ids, left, view_in_form


@blueprint.get("/leads/spam/")
def ask_spam() -> str:
    """Ask for confirmation that the leads are spam; 404 if there are none."""
    ids = lead_ids(request.args.getlist("lead"))
    with context().database.read() as session:
        leads = session.scalars(select(Lead).where(Lead.id.in_(ids)).order_by(Lead.id)).all()
        calls = bookings.coming_calls(session, ids, clock.now())
        page = "desk/leads/spam.html"
        return render_template(page, leads=leads, calls=calls) if leads else abort(404)


@blueprint.post("/leads/spam/")
def mark_spam() -> ResponseReturnValue:
    """Close the leads as lost, cancel their calls and emails, and redirect to the view.

    Leads that have changed, or have other calls than the page listed, are left.
    """
    marked, stale = [], []
    for id in lead_ids(request.form.getlist("lead")):
        try:
            marked.append(write(partial(_mark, id)))
        except lead_updates.StaleLead:
            stale.append(id)
    canceled = [one for one in marked if one is not None]
    told = f"Marked {_count(len(canceled), 'lead')} as spam"
    calls = f" and canceled {_count(sum(canceled), 'call')}" if sum(canceled) else ""
    done = f"{told}{calls}. To find spam again, filter by the stage Lost."
    flash(f"{done if canceled else 'Nothing was changed.'}{left(stale)}")
    return redirect(url_for(".inbox", **view_in_form().address), 303)


def _mark(id: int, session: Session, by: Actor) -> int | None:
    """Mark one lead as spam; return how many calls were canceled, None if it is gone."""
    coming = bookings.coming_calls(session, [id], by.at)
    unseen = {f"{one.id}-{one.sequence}" for one in coming} - {*request.form.getlist("call")}
    calls = held.cancel_spam(session, context().settings, id, by)  # locks their hosts first
    lead = session.get(Lead, id, with_for_update=True)
    if lead is None:
        return None
    is_marked = lead.quarantine and lead.stage == Stage.LOST  # a second click is no conflict
    if "seen" in request.form and (unseen or (is_stale(lead) and not is_marked)):
        raise lead_updates.StaleLead([], set())
    lead_updates.mark_as_spam(session, lead, by, calls_canceled=calls)
    return calls


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
