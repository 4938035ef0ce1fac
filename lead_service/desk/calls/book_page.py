"""Book a call for someone on the phone, by the same code as a visitor's booking."""

from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import HiddenField

from ... import clock
from ...accounts.audit_log import Actor, AuditKind
from ...book import bookings, notifications
from ...book.availability import queries
from ...book.hosts.models import Host, who_take
from ...call_types import CallType
from ...db.base import row_id
from ...leads import touch
from ...leads.contact_details import CORRECTABLE
from ...leads.models import Lead
from ...web.context import context
from ...web.fields import long_text
from ...web.tokens import new_token, token_hash
from ..blueprint import blueprint, desk_zone, write
from ..city_form import CityForm, city_in
from ..leads import lead_detail
from ..leads.forms import ToldForm
from ..leads.lead_page import find_lead_or_404
from .start_choice import Refused, asked_start, open_times, why

CHOOSE_HOST = "choose who takes the call if a host agreed to that time"


class BookForm(ToldForm, CityForm):
    """The form of a call for a lead: contact details, city, and a note."""

    submission = HiddenField()
    topic = long_text("What is it about? (optional)", rows=3)
    note = long_text("Note to the visitor (optional)", longest=1000, rows=3)


@blueprint.get("/leads/<int:lead_id>/book/")
def book_call(lead_id: int) -> str:
    """Show the open times of a `kind` of call and a `host`, one day at a time."""
    return _render(lead_id)


@blueprint.post("/leads/<int:lead_id>/book/")
def book_call_submit(lead_id: int) -> ResponseReturnValue:
    """Book the call in one transaction; a refusal keeps the input."""
    form = BookForm(request.form)
    if not form.validate():
        return _render(lead_id, form), 422
    try:
        call_id = write(lambda session, by: _book(session, lead_id, form, by))
    except bookings.Taken as taken:
        return _render(lead_id, form, taken), 409
    except (bookings.NotOffered, Refused) as refused:
        return _render(lead_id, form, refused), 422
    flash("Booked. We\u2019ll email the visitor and the host the invitation.")
    return redirect(url_for(".call", call_id=call_id), 303)


def _book(session: Session, lead_id: int, form: BookForm, by: Actor) -> int:
    """Book for a lead and queue the emails; return the call's id."""
    settings, calls = context().settings, context().published.calls
    lead = find_lead_or_404(session, lead_id)
    start, any_time = asked_start(desk_zone(session), by.at)
    article, source = touch.came_by(lead.latest_touch)
    wanted = bookings.BookingRequest(
        start=start,
        kind=_kind(),
        zone=form.zone,
        details=form.details(lead.email),
        topic=form.topic.data or "",
        submission_key=token_hash(f"desk {form.submission.data}"),
        came_from=article,
        source=source,
        host_ids=_host_ids(),
        by_team=True,
        ignore_availability=any_time,
    )
    outcome = bookings.create(session, settings, calls, wanted, by.at)
    if outcome.booking is None:
        raise bookings.Taken(outcome.refusals)
    told = session, settings, wanted, outcome, by
    notifications.form_answered(*told, may_contact=form.consent, note=form.note.data or "")
    if outcome.lead:
        by.note(session, AuditKind.CALL_BOOKED, f"call {outcome.booking.id}")
    return outcome.booking.id


def _kind() -> CallType:
    calls = context().published.calls
    return calls.find(request.values.get("kind", "")) or calls.default


def _host_ids() -> list[int] | None:
    """Return the requested host; None means anyone."""
    host_id = row_id(request.values.get("host", ""))
    return [host_id] if host_id else None


def _hosts(session: Session, kind: CallType) -> list[Host]:
    return who_take(queries.active_hosts(session), kind, context().published.calls)


def _render(
    lead_id: int, form: BookForm | None = None, refusal: bookings.Refused | Refused | None = None
) -> str:
    now, kind, calls = clock.now(), _kind(), context().published.calls
    with context().database.read() as session:
        lead, zone = find_lead_or_404(session, lead_id), desk_zone(session)
        hosts, only = _hosts(session, kind), _host_ids()
        shown = [one for one in hosts if only is None or one.id in only]
        today = now.astimezone(ZoneInfo(zone)).date()
        choice = open_times(session, shown, kind, zone, now, first=today)
        if isinstance(refusal, bookings.Refused):
            refusal = Refused(why(refusal, choice, zone, now, CHOOSE_HOST))
        return render_template(
            "desk/calls/book.html",
            lead=lead,
            form=form or _first_form(session, lead),
            refusal=refusal,
            kind=kind,
            kinds=[one for one in calls.all if _hosts(session, one)],
            hosts=hosts,
            host_id=only[0] if only else 0,
            **choice,
        )


def _first_form(session: Session, lead: Lead) -> BookForm:
    """Return the form with the lead's known details."""
    latest = next(iter(lead_detail.calls_of(session, lead)), None)
    city = city_in(latest.visitor_zone) if latest else ""  # the lead's city, not the member's
    known = {one.name: getattr(lead, one.name) for one in CORRECTABLE}
    return BookForm(data=known | {"city": city, "submission": new_token()})
