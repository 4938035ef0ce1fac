"""Booking a call: the open times, the form for one of them, and claiming it."""

from datetime import date, datetime, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock, leads
from ..assess import models as assessments
from ..context import context
from ..security import is_flood, limit_posts, new_token, token_hash
from . import calendar, days, diary, notices
from .forms import CONSENT_WORDING, BookingForm, PhoneBookingForm, parse_start, start_text

blueprint = Blueprint("book", __name__, url_prefix="/book")

LONGEST_TOKEN = 64
SHOWN_AHEAD = timedelta(days=400)  # a host without a horizon is still not asked for ever


@blueprint.get("/")
def times() -> str:
    """Show the days that have open times, in the visitor's zone."""
    return _times_page()


@blueprint.get("/<start>/")
def form(start: str) -> ResponseReturnValue:
    """Show the form for one start; nothing is held while it is filled in."""
    wanted, now = parse_start(start), clock.now()
    with context().database.read() as session:
        hosts = calendar.active_hosts(session)
        if wanted is None or not calendar.free_hosts(session, hosts, wanted, now):
            return _times_page(gone=True), 404
        assessment = _assessment(session)
        kind = _form_for(hosts)
    blank = kind(submission=new_token())
    return _form_page(blank, wanted, has_assessment=assessment is not None)


@blueprint.post("/")
@limit_posts
def submit() -> ResponseReturnValue:
    """Claim a start: booking, lead and mails in one transaction, then away from the form."""
    now, wanted = clock.now(), parse_start(request.form.get("start", ""))
    with context().database.read() as session:
        kind = _form_for(calendar.active_hosts(session))
    form = kind(request.form)
    if wanted is None:
        return _times_page(gone=True), 422
    if not form.validate():
        return _form_page(form, wanted), 422
    if not form.submission.data:
        form.submission.data = new_token()
        return _form_page(form, wanted, again=True), 422
    flood = is_flood(context().settings.limit_bookings, "book")
    try:
        outcome = context().database.write(lambda session: _book(session, form, wanted, now, flood))
    except diary.NotOffered:
        return _other_times(form, wanted, now, is_taken=False), 422
    except diary.TooMany:
        form.email.errors = [
            "Two calls are coming up for this address already. The links in their"
            " confirmations cancel them."
        ]
        return _form_page(form, wanted), 422
    if outcome.booking is None:
        return _other_times(form, wanted, now, is_taken=True), 409
    token = diary.manage_token(outcome.booking, context().settings.secret)
    return redirect(url_for("booking.show", token=token), 303)


def _book(
    session, form: BookingForm, wanted: datetime, now: datetime, flood: bool
) -> diary.Outcome:
    """Do all of it in the caller's transaction."""
    settings, published = context().settings, context().published
    assessment = _assessment(session)
    wish = diary.Wish(
        start=wanted,
        zone=_zone(calendar.active_hosts(session)),
        name=form.name.data,
        email=form.email.data,
        company=form.company.data,
        phone=form.phone.data if "phone" in form else "",
        topic=form.topic.data,
        submission_key=token_hash(form.submission.data + start_text(wanted)),
        quarantine=form.is_suspect or flood,
        assessment_id=assessment.id if assessment else None,
        came_from=_came_from() or (assessment.came_from if assessment else None),
    )
    outcome = diary.take(session, settings, wish, now)
    is_new = outcome.is_new
    if outcome.booking and is_new:
        notices.booked(session, settings, published, outcome.booking, now)
    elif is_new:
        is_new = notices.missed(session, settings, outcome.lead, wish, now)
    if is_new:
        leads.record_consent(
            session,
            outcome.lead,
            wording=CONSENT_WORDING,
            may_contact=bool(form.may_contact.data),
            source="book",
            at=now,
        )
    return outcome


def _other_times(form: BookingForm, wanted: datetime, now: datetime, *, is_taken: bool) -> str:
    """Show the times nearest to one that is not to be had, with the form kept."""
    form.submission.data = new_token()
    with context().database.read() as session:
        starts = _open_starts(session, calendar.active_hosts(session), now)
    others = days.nearest(starts, wanted)
    return _form_page(form, wanted, others=others, is_taken=is_taken)


def _times_page(gone: bool = False) -> str:
    now = clock.now()
    with context().database.read() as session:
        hosts = calendar.active_hosts(session)
        starts = _open_starts(session, hosts, now)
        assessment = _assessment(session)
    zone = _zone(hosts)
    return render_template(
        "book/times.html",
        page=days.page(starts, zone, _date(request.args.get("from_day"))),
        zone=zone,
        zones=days.zones(),
        is_chosen="zone" in request.values,
        hosts=hosts,
        gone=gone,
        has_assessment=assessment is not None,
        carried=_carried(),
        start_text=start_text,
    )


def _form_page(form: BookingForm, wanted: datetime, **more) -> str:
    with context().database.read() as session:
        hosts = calendar.active_hosts(session)
        more.setdefault("has_assessment", _assessment(session) is not None)
    return render_template(
        "book/form.html",
        form=form,
        wanted=wanted,
        start_text=start_text,
        zone=_zone(hosts),
        hosts=hosts,
        carried=_carried(),
        **more,
    )


def _open_starts(session, hosts, now: datetime) -> list[datetime]:
    return calendar.open_starts(session, hosts, now=now, start=now, end=now + SHOWN_AHEAD)


def _form_for(hosts) -> type[BookingForm]:
    """Ask for a phone number when a host calls, rather than meets by link."""
    return BookingForm if all(host.meeting_link for host in hosts) else PhoneBookingForm


def _assessment(session) -> assessments.Assessment | None:
    token = request.values.get("assessment", "")
    return assessments.find(session, token) if token else None


def _came_from() -> str | None:
    slug = request.values.get("from", "")
    return slug if context().published.article(slug) else None


def _zone(hosts) -> str:
    """Return the zone that the visitor chose, or else the first host's."""
    chosen = request.values.get("zone", "")
    return chosen if days.is_zone(chosen) else hosts[0].zone if hosts else "UTC"


def _carried() -> dict[str, str]:
    """Return what goes along from page to page: zone, assessment, article; nothing made up."""
    known = {
        "zone": days.is_zone,
        "assessment": lambda token: len(token) <= LONGEST_TOKEN,
        "from": context().published.article,
    }
    given = {name: request.values.get(name, "") for name in known}
    return {name: value for name, value in given.items() if value and known[name](value)}


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
