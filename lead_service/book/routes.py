"""The pages for booking a call: the open times, and the form for one of them."""

from datetime import datetime

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from .. import clock
from ..accounts.audit_log import Actor
from ..call_types import PHONE
from ..web import carried
from ..web.context import context
from ..web.pages import compressed
from ..web.security import client_digest, is_flood, limit_posts
from ..web.tokens import new_token, token_hash
from . import bookings, notifications
from .availability import host_cache, month, queries, refusals
from .calendars.wanted import ask_afterwards
from .forms import BookingForm, parse_start, start_text
from .hosts.models import Host
from .terms import NO_TERMS, Terms, parse_terms, terms_of
from .visitor import query_params
from .visitor import times_page as open_times

# Limits for all visitors together: for first calls of a day, and for others; the rest is held.
FIRST_OF_ALL, BOOKINGS_OF_ALL = "60 per day", "30 per day"
OPEN_TOO_LONG = (
    "This page was open for a long time. Nothing is booked yet. Choose the button again."
)
GONE_KIND = (
    "Nothing is booked yet. We no longer offer that kind of call. Check the details of this one,"
    " then choose the button again."
)
UNSEEN = "Nothing is booked yet. Check the details of the call, then choose the button again."

UNREADABLE = "We can\u2019t read that time."
UNKNOWN_HOST = "That person isn\u2019t taking these calls right now."

blueprint = Blueprint("book", __name__, url_prefix="/book")
blueprint.app_template_filter()(start_text)
blueprint.app_template_filter()(query_params.visitor_time)


@blueprint.get("/")
@compressed
def times() -> str:
    """Show a month, and the open times of one of its days, in the visitor's zone."""
    return open_times.for_booking().render()


@blueprint.get("/<start>/")
@blueprint.get("/<kind>/<start>/")
@compressed
def form(start: str, kind: str = "") -> ResponseReturnValue:
    """Show the form for one start, which isn't reserved meanwhile.

    `/book/KIND/` shows the times of a kind of call: its slug is never a start.
    """
    calls = context().published.calls
    if not kind and (named := calls.find(start)):
        if named == calls.default:
            return redirect(calls.address(named) + query_params.query(request.args), 301)
        return open_times.for_booking().render()
    wanted = parse_start(start) or abort(404)
    free = _free_hosts(wanted)
    if not free:
        return open_times.for_booking().render(gone=_why_gone(wanted)), 404
    page = _form_page(_form_for(free, data={"submission": new_token()}), wanted)
    return ask_afterwards(make_response(page), context().database, free, clock.now())


@blueprint.post("/")
@limit_posts
def submit() -> ResponseReturnValue:
    """Book a start: booking, lead and emails in one transaction, then redirect."""
    now, wanted = clock.now(), parse_start(request.form.get("start", ""))
    if wanted is None:
        return open_times.for_booking().render(gone=UNREADABLE), 422
    hosts, shown = _hosts()
    form = _form_as_sent(shown, wanted)
    if not form.validate():
        return _form_page(form, wanted), 422
    if not form.submission.data:
        form.submission.data = new_token()
        return _form_page(form, wanted, note=OPEN_TOO_LONG), 422
    flood = is_flood("book", context().settings.limit_bookings, BOOKINGS_OF_ALL, FIRST_OF_ALL)
    return _claim(hosts, form, wanted, now, flood)


def _claim(
    hosts: list[Host], form: BookingForm, wanted: datetime, now: datetime, flood: bool
) -> ResponseReturnValue:
    """Book with one of these hosts, and return the response."""
    settings = context().settings
    try:
        outcome = context().database.write(
            lambda session: _book(session, hosts, form, wanted, now, flood)
        )
    except bookings.NotOffered:
        return _other_times(form, wanted, _why_gone(wanted)), 422
    except bookings.TermsChanged:
        note = GONE_KIND if query_params.is_unknown_kind() else "" if _shown_terms() else UNSEEN
        return _form_page(form, wanted, note=note), 409
    if outcome.is_message:
        return redirect(url_for("contact.thanks", call="wanted"), 303)
    if outcome.booking is None:
        return _other_times(form, wanted, refusals.to_visitor(outcome.refusals)), 409
    token = bookings.manage_token(outcome.booking, settings.secret)
    return redirect(url_for("booking.show", token=token), 303)


def _book(
    session: Session,
    hosts: list[Host],
    form: BookingForm,
    wanted: datetime,
    now: datetime,
    flood: bool,
) -> bookings.BookingResult:
    """Book with one of these hosts, in the caller's transaction."""
    settings, published = context().settings, context().published
    kind = query_params.kind()
    if query_params.is_unknown_host(hosts):
        raise bookings.NotOffered
    details = bookings.BookingRequest(
        start=wanted,
        kind=kind,
        zone=query_params.zone(query_params.shown_hosts(hosts)),
        is_24_hours=query_params.habits().is_24_hours,
        details=form.details,
        topic=form.topic.data or "",
        submission_key=token_hash(f"{form.submission.data}{start_text(wanted)}"),
        suspect=form.is_suspect,
        flood=flood,
        client=client_digest(),
        answers=query_params.sent_answers(session, form),
        came_from=carried.article(),
        source=carried.source(),
        host_ids=[one.id for one in query_params.shown_hosts(hosts)],
        terms=_shown_terms() or NO_TERMS,
    )
    outcome = bookings.create(session, settings, published.calls, details, now)
    may_contact = bool(form.may_contact.data)
    told = session, settings, details, outcome, Actor(now)
    notifications.form_answered(*told, may_contact=may_contact)
    return outcome


def _why_gone(wanted: datetime) -> str:
    """Say why no host of the page can take a call at a start."""
    choices, hosts = _hosts()
    if query_params.is_unknown_host(choices):
        return UNKNOWN_HOST
    with context().database.read() as session:
        start = queries.WantedStart(query_params.kind(), wanted, clock.now())
        return refusals.to_visitor(bookings.refusals_of(session, hosts, start))


def _other_times(form: BookingForm, wanted: datetime, why: str) -> str:
    """Show the times nearest to one that is gone, the reason, and the filled-in form."""
    form.submission.data = new_token()
    with context().database.read() as session:
        found = host_cache.snapshot(session)
        hosts = query_params.shown_hosts(query_params.choices(found.hosts))
        starts = found.open_starts(session, hosts, query_params.kind(), clock.now())
    others = month.nearest(starts, wanted, query_params.zone(hosts))
    return _form_page(form, wanted, others=others, why=why)


def _form_page(
    form: BookingForm,
    wanted: datetime,
    *,
    others: list[datetime] | None = None,
    note: str = "",
    why: str = "",
) -> str:
    """Show the form for one start, or with `others` to choose from if that one is gone."""
    kind, (choices, shown) = query_params.kind(), _hosts()
    hosts = (_free_hosts(wanted) if others is None else []) or shown
    terms = terms_of(hosts, kind)
    zone, carried = query_params.zone(shown), query_params.carried_params(choices)
    day = month.date_in(zone, wanted)
    with context().database.read() as session:
        answers = query_params.brought(session)
    return render_template(
        "book/form.html",
        form=form,
        wanted=wanted,
        zone=zone,
        hosts=hosts,
        terms=terms,
        changes=terms.changes_from(_shown_terms()),
        kind=kind,
        all_times=context().published.calls.address(kind)
        + query_params.query({"day": day, **carried}),
        carried_params=carried,
        answers=answers,
        others=others,
        note=note,
        why=why,
    )


def _shown_terms() -> Terms | None:
    """Return the terms that the form showed; None if it has none."""
    is_known = not query_params.is_unknown_kind()
    return parse_terms(request.form.get("terms", "")) if is_known else None


def _hosts() -> tuple[list[Host], list[Host]]:
    """Return the hosts who take the kind of call, and those of them whose times are shown."""
    with context().database.read() as session:
        choices = query_params.choices(host_cache.snapshot(session).hosts)
    return choices, query_params.shown_hosts(choices)


def _free_hosts(wanted: datetime) -> list[Host]:
    _, shown = _hosts()
    with context().database.read() as session:
        start = queries.WantedStart(query_params.kind(), wanted, clock.now())
        return queries.free_hosts(session, shown, start)


def _form_as_sent(hosts: list[Host], wanted: datetime) -> BookingForm:
    """Read the form; if hosts have different ways to meet, those free at the start decide.

    A typed phone number is always kept.
    """
    ways = terms_of(hosts, query_params.kind()).ways
    if len(ways) > 1 and not request.form.get("phone", "").strip():
        hosts = _free_hosts(wanted)
    return _form_for(hosts, request.form)


def _form_for(
    hosts: list[Host], sent: MultiDict | None = None, data: dict[str, str] | None = None
) -> BookingForm:
    """Create the form, with a phone number if a host calls, and with the kind's own question."""
    kind = query_params.kind()
    form = BookingForm(sent, data=data)
    is_typed = not hosts and sent is not None and bool(sent.get("phone", "").strip())
    if PHONE not in terms_of(hosts, kind).ways and not is_typed:
        del form.phone
    form.topic.label.text = kind.question or form.topic.label.text
    return form
