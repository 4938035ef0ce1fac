"""The pages for moving a call: a month of times, and a form without a reason.

A GET changes nothing, and a move that fails leaves the call where it is.
"""

from datetime import datetime

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import clock
from ..accounts.audit_log import Actor
from ..call_types import PHONE
from ..leads.models import EventKind, LeadEvent
from ..web.context import context
from ..web.security import limit_posts
from . import bookings, call_changes
from .availability import month, queries, refusals
from .availability.host_cache import snapshot
from .forms import NumberForm, parse_start
from .hosts.models import Host
from .models import Booking
from .terms import agreed_terms, parse_terms, terms_of
from .visitor import query_params, timezones
from .visitor.times_page import TimesPage

UNREADABLE = "We can\u2019t read that time."
MOST_MOVES = 5  # by the visitor: each move emails two people

blueprint = Blueprint("move", __name__, url_prefix="/booking/<token>/move")


@blueprint.get("/")
def times(token: str) -> ResponseReturnValue:
    """Show the times to which a call can be moved."""
    return _times(token).render()


@blueprint.get("/<start>/")
def form(token: str, start: str) -> ResponseReturnValue:
    """Show the old time, the new one, and the button."""
    page, wanted = _times(token), parse_start(start) or abort(404)
    if wanted not in page.starts:
        return page.render(gone=_why_gone(page, wanted)), 404
    return _form_page(page, wanted, _number_form(page, wanted))


@blueprint.post("/")
@limit_posts
def submit(token: str) -> ResponseReturnValue:
    """Move the call; the same form sent twice moves it once."""
    page, wanted = _times(token), parse_start(request.form.get("start", ""))
    if wanted is None:
        return page.render(gone=UNREADABLE), 422
    form = _number_form(page, wanted)
    if form and not form.validate():
        return _form_page(page, wanted, form), 422
    number = form.phone.data or "" if form else ""
    try:
        context().database.write(lambda session: _move(session, token, wanted, page.zone, number))
    except bookings.NotUpcoming:
        abort(_refusal(token, _find_booking(token)))
    except bookings.Stale:
        return _form_page(_times(token), wanted, form, is_stale=True), 409
    except bookings.TermsChanged:
        return _form_page(page, wanted, form), 409
    except bookings.Refused as fault:
        status = 422 if isinstance(fault, bookings.NotOffered) else 409
        others = month.nearest(page.starts, wanted, page.zone)
        why = refusals.to_visitor(fault.refusals)
        return _form_page(page, wanted, form, others=others, why=why), status
    return redirect(url_for("booking.show", token=token, changed="moved"), 303)


def _move(session: Session, token: str, start: datetime, zone: str, number: str) -> None:
    """Move the call and queue the emails, in the caller's transaction."""
    booking, by = bookings.find_booking(session, token) or abort(404), Actor(clock.now())
    settings, calls = context().settings, context().published.calls
    terms = parse_terms(request.form.get("terms", "")) or agreed_terms(booking)
    seen = request.form.get("seen", type=int)
    if call_changes.move(session, settings, calls, booking, start, by, seen=seen, terms=terms):
        booking.visitor_zone = zone
        booking.visitor_24_hours = query_params.habits().is_24_hours
        booking.phone = booking.phone or number


def _find_booking(token: str) -> Booking:
    with context().database.read() as session:
        booking = bookings.find_booking(session, token) or abort(404)
        assert booking.host  # loaded while the session is open
        query_params.remember(session, booking)
        return booking


def _refusal(token: str, booking: Booking) -> Response:
    is_over = not bookings.is_upcoming(booking, clock.now())
    page = render_template("book/unmovable.html", booking=booking, token=token, is_over=is_over)
    return make_response(page, 409)


def _visitors_moves(session: Session, booking: Booking) -> int:
    """Count the visitor's own moves of a call, without those by the team."""
    of_lead = (LeadEvent.lead_id == booking.lead_id, LeadEvent.kind == EventKind.CALL_MOVED)
    moves = session.scalars(select(LeadEvent).where(*of_lead))
    return sum(one.is_visitors and one.detail.get("booking") == booking.id for one in moves)


def _times(token: str) -> TimesPage:
    """Return the times at which the call's host is free, except for its own.

    A call that is over or was moved too often gets another page.
    """
    booking, chosen = _find_booking(token), query_params.chosen_zone()
    kind = bookings.kind_of(booking, context().published.calls)
    with context().database.read() as session:
        is_over = not bookings.is_upcoming(booking, clock.now())
        if is_over or _visitors_moves(session, booking) >= MOST_MOVES:
            abort(_refusal(token, booking))
        known = snapshot(session)
        hosts = bookings.takers(known.hosts, booking, context().published.calls)
        starts = known.open_starts(session, hosts, kind, clock.now(), moving=booking.id)
    return TimesPage(
        kind=kind,
        hosts=tuple(hosts),
        choices=(),
        others=(),
        starts=tuple(start for start in starts if start != booking.starts_at),
        zone=chosen or timezones.current(booking.visitor_zone),
        path=url_for("move.times", token=token),
        params=(("zone", chosen),) if chosen else (),
        moving=booking,
        token=token,
    )


def _takers(page: TimesPage, wanted: datetime) -> list[Host]:
    """Return the hosts who are free at the wanted start, or all hosts of the page if none is."""
    assert page.moving
    with context().database.read() as session:
        start = queries.WantedStart(page.kind, wanted, clock.now(), page.moving.id)
        return queries.free_hosts(session, list(page.hosts), start) or list(page.hosts)


def _number_form(page: TimesPage, wanted: datetime) -> NumberForm | None:
    """Return the form of a phone number if a host may call and none is known."""
    assert page.moving
    ways = terms_of(_takers(page, wanted), page.kind).ways
    return NumberForm(request.form) if PHONE in ways and not page.moving.phone else None


def _why_gone(page: TimesPage, wanted: datetime) -> str:
    """Say why a call can't be moved to a start."""
    assert page.moving
    if wanted == page.moving.starts_at:
        return "Your call is already at that time."
    with context().database.read() as session:
        start = queries.WantedStart(page.kind, wanted, clock.now(), page.moving.id)
        return refusals.to_visitor(bookings.refusals_of(session, page.hosts, start))


def _form_page(
    page: TimesPage,
    wanted: datetime,
    form: NumberForm | None,
    *,
    others: list[datetime] | None = None,
    why: str = "",
    is_stale: bool = False,
) -> str:
    booking, hosts = page.moving, _takers(page, wanted) if others is None else list(page.hosts)
    assert booking
    before = parse_terms(request.form.get("terms", "")) or agreed_terms(booking)
    terms = terms_of(hosts, page.kind)
    return render_template(
        "book/move.html",
        page=page,
        booking=booking,
        changes=terms.changes_from(before),
        wanted=wanted,
        day=month.date_in(page.zone, wanted),
        hosts=hosts,
        terms=terms,
        form=form,
        others=others,
        why=why,
        is_stale=is_stale,
    )
