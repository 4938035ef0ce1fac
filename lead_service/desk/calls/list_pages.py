"""The lists of calls and of possible floods, and the page of one call."""

from datetime import datetime, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from ... import clock
from ...accounts.audit_log import Actor
from ...book import bookings, call_changes, held
from ...book.hosts.models import Host
from ...book.models import Booking, CallOutcome, Status
from ...emails import outbox
from ...emails.message import EmailKind
from ...web.context import context
from ..blueprint import acting, blueprint, write
from ..pagination import Order, Page, page

MOST = 200  # listed upcoming calls
VIEWS = {"": "Upcoming", "unmarked": "Needs an outcome", "past": "Past", "cancelled": "Canceled"}
VIEWS["left"] = "Need another host"
CHANGED = "This call has changed since you opened this page."
MARKED = {
    CallOutcome.ATTENDED: "Marked as having taken place.",
    CallOutcome.NO_SHOW: "Marked as a no-show.",
    None: "Outcome cleared.",
}


@blueprint.get("/calls/")
def calls() -> str:
    """List the calls of a `view`: upcoming ones in order, all others latest first."""
    view = request.args.get("view", "")
    if view not in VIEWS:
        abort(404)
    conditions = _conditions(clock.now())
    with context().database.read() as session:
        found = _page_of(session, conditions[view], view)
        unmarked = select(func.count()).select_from(Booking).where(*conditions["unmarked"])
        count = session.scalar(unmarked) or 0
    return render_template(
        "desk/calls/calls.html",
        calls=found.rows,
        following=found.following,
        view=view,
        views=VIEWS,
        unmarked=count,
        most=MOST,
    )


@blueprint.get("/calls/<int:call_id>/")
def call(call_id: int) -> str:
    """Show one call and its actions."""
    return render_call(call_id)


@blueprint.post("/calls/<int:call_id>/result")
def mark_call(call_id: int) -> ResponseReturnValue:
    """Mark a call as having taken place or as a no-show, or undo that."""
    asked = request.form.get("result", "")
    if asked not in {"", *CallOutcome}:
        abort(422)
    result = CallOutcome(asked) if asked else None

    def work(session: Session, by: Actor) -> bool:
        call = find_call_or_404(session, call_id)
        seen = request.form.get("seen")
        return call_changes.mark(session, context().settings, call, result, by, seen=seen)

    try:
        is_marked = write(work)
    except bookings.Stale:
        return render_call(call_id, f"{CHANGED} Check its outcome, then mark it again."), 409
    if not is_marked:
        refusal = "You can mark a call once it has started, unless it was canceled."
        return render_call(call_id, refusal), 409
    flash(MARKED[result])
    return redirect(url_for(".call", call_id=call_id), 303)


@blueprint.post("/calls/<int:call_id>/confirm")
def confirm_call(call_id: int) -> ResponseReturnValue:
    """Confirm a waiting call; the visitor gets the invitation."""

    def work(session: Session, by: Actor) -> bool:
        call = find_call_or_404(session, call_id)
        seen = request.form.get("seen", type=int)
        return call_changes.confirm(session, context().settings, call, by, seen=seen)

    try:
        is_confirmed = write(work)
    except bookings.Stale:
        return render_call(call_id, f"{CHANGED} Check its time, then confirm it."), 409
    if not is_confirmed:
        return render_call(call_id, "This call no longer needs confirmation."), 409
    flash("Confirmed. We\u2019ll email the visitor the invitation.")
    return redirect(url_for(".call", call_id=call_id), 303)


@blueprint.get("/calls/floods/")
def floods() -> str:
    """List possible floods of calls or messages, from one client or in one hour."""
    with context().database.read() as session:
        found = held.floods(session, clock.now())
        return render_template("desk/calls/floods.html", floods=found)


@blueprint.post("/calls/floods/")
def clear_flood() -> ResponseReturnValue:
    """Cancel the calls of one flood, or close its leads, without sending emails."""
    keep = set(request.form.getlist("keep", type=int))
    cleared = held.clear(context().database, request.form.get("flood", ""), acting(), keep)
    flash(f"Canceled or closed without an email: {cleared}.")
    return redirect(url_for(".floods"), 303)


def find_call_or_404(session: Session, call_id: int) -> Booking:
    """Find a call, or 404. Its host and lead are loaded lazily.

    `bookings` reads the call again to lock it, and PostgreSQL can't lock an outer join.
    """
    return session.get(Booking, call_id) or abort(404)


def render_call(call_id: int, refusal: str = "") -> str:
    """Render the page of a call; `refusal` says why an action failed."""
    now = clock.now()
    with context().database.read() as session:
        found = find_call_or_404(session, call_id)
        others = select(Host.id).where(Host.is_active, Host.id != found.host_id).limit(1)
        return render_template(
            "desk/calls/call.html",
            call=found,
            has_begun=found.starts_at <= now,
            is_over=found.starts_at + timedelta(minutes=found.duration) <= now,
            has_others=session.scalar(others) is not None,
            has_later=bookings.has_later(session, found),
            is_invited=outbox.is_told(session, call_id, EmailKind.BOOKING_AGAIN),
            refusal=refusal,
            outcomes=CallOutcome,
        )


def _conditions(now: datetime) -> dict[str, tuple[ColumnElement[bool], ...]]:
    """Return the conditions of each view; a call that has begun is past."""
    is_live, has_begun = Booking.status == Status.CONFIRMED, Booking.starts_at <= now
    return {
        "": (is_live, ~has_begun),
        "unmarked": (is_live, has_begun, Booking.outcome.is_(None)),
        "past": (is_live, has_begun),
        "left": (is_live, ~has_begun, Booking.host.has(Host.is_active.is_(False))),
        "cancelled": (Booking.status == Status.CANCELLED,),
    }


def _page_of(session: Session, conditions, view: str) -> Page[Booking]:
    query = select(Booking).where(*conditions).options(joinedload(Booking.host))
    if view:
        return page(session, query, Order(Booking.starts_at, Booking.id))
    ahead = query.order_by(Booking.starts_at, Booking.id).limit(MOST)
    return Page(session.scalars(ahead).all(), None)
