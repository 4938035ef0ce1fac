"""The pages to cancel, move or reassign a call, or to book it again; a GET only asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response
from wtforms import Form

from ... import clock
from ...accounts.audit_log import Actor
from ...book import bookings, call_changes, emails
from ...book.availability import host_rules, queries, refusals
from ...book.hosts.models import Host
from ...book.models import Booking, TimeCell
from ...call_types import CallType
from ...db.base import row_id
from ...emails import outbox
from ...emails.message import EmailKind
from ...emails.outbox import NotNeeded
from ...web.context import context
from ...web.fields import long_text
from ..blueprint import blueprint, desk_zone, write
from . import list_pages
from .start_choice import Refused, asked_start, open_times, why

GIVE_FIRST = "first reassign the call to the host who agreed to that time"
STALE = f"{list_pages.CHANGED} Check when and with whom it is now, then send the form again."
OVER = "This call has already started or was canceled. You can\u2019t change it anymore."


class NoteForm(Form):
    """The form of a note for the email about a change."""

    note = long_text("Note to the visitor (optional)", longest=1000)


@dataclass(frozen=True)
class ReassignmentOption:
    """A possible new host: whether one of their calls conflicts, and other objections."""

    host: Host
    has_call: bool
    against: str = ""  # a sentence, which the member may overrule


@blueprint.get("/calls/<int:call_id>/cancel/")
def cancel_call(call_id: int) -> ResponseReturnValue:
    """Ask for confirmation, and for a note."""
    return _render_change("desk/calls/cancel.html", call_id, NoteForm())


@blueprint.post("/calls/<int:call_id>/cancel/")
def cancel_call_submit(call_id: int) -> ResponseReturnValue:
    """Cancel a call and email both sides."""

    def change(session: Session, call: Booking, by: Actor, note: str) -> None:
        settings = context().settings
        if not call_changes.cancel(session, settings, call, by, note=note, seen=_seen()):
            raise bookings.NotUpcoming

    told = "Canceled. We\u2019ll email the visitor and the host."
    return _submit("desk/calls/cancel.html", call_id, change, told)


@blueprint.get("/calls/<int:call_id>/move/")
def move_call(call_id: int) -> ResponseReturnValue:
    """Show the open times, one day at a time; `day` is a date in the host's zone."""
    return _render_change("desk/calls/move.html", call_id, NoteForm(), _open_times)


@blueprint.post("/calls/<int:call_id>/move/")
def move_call_submit(call_id: int) -> ResponseReturnValue:
    """Move a call and email both sides."""

    def change(session: Session, call: Booking, by: Actor, note: str) -> None:
        start, any_time = asked_start(desk_zone(session), by.at)
        settings, calls = context().settings, context().published.calls
        if not call_changes.move(
            session,
            settings,
            calls,
            call,
            start,
            by,
            note=note,
            seen=_seen(),
            ignore_availability=any_time,
        ):
            raise Refused("The call is already at that time. Choose another one.")

    told = "Rescheduled. We\u2019ll email the visitor and the host the new invitation."
    return _submit("desk/calls/move.html", call_id, change, told, _open_times)


@blueprint.get("/calls/<int:call_id>/give/")
def give_call(call_id: int) -> ResponseReturnValue:
    """Show the other hosts who could take the call."""
    return _render_change("desk/calls/reassign.html", call_id, NoteForm(), _takers)


@blueprint.post("/calls/<int:call_id>/give/")
def give_call_submit(call_id: int) -> ResponseReturnValue:
    """Give a call to another host and email everyone."""
    host_id = row_id(request.form.get("host", ""))

    def change(session: Session, call: Booking, by: Actor, note: str) -> None:
        host = session.get(Host, host_id)
        if host is None:
            raise Refused("Choose a host.")
        settings, calls = context().settings, context().published.calls
        if not call_changes.give(session, settings, calls, call, host, by, note=note, seen=_seen()):
            raise Refused("They already have this call. Choose another host.")

    told = "Reassigned to another host. We\u2019ll email the visitor and both hosts."
    return _submit("desk/calls/reassign.html", call_id, change, told, _takers)


def _seen() -> int | None:
    """Return the call's sequence from the form."""
    return request.form.get("seen", type=int)


def _submit(
    template: str, call_id: int, change: Callable, told: str, more: Callable | None = None
) -> ResponseReturnValue:
    """Run a change in one transaction and confirm it; a refusal keeps the input."""
    form = NoteForm(request.form)
    if not form.validate():
        return _render_change(template, call_id, form, more), 422

    def work(session: Session, by: Actor) -> None:
        call = list_pages.find_call_or_404(session, call_id)
        change(session, call, by, form.note.data or "")

    try:
        write(work)
    except bookings.NotUpcoming:
        return list_pages.render_call(call_id, OVER), 409
    except bookings.Stale:
        return _render_change(template, call_id, form, more, Refused(STALE)), 409
    except bookings.Taken as taken:
        return _render_change(template, call_id, form, more, taken), 409
    except (bookings.NotOffered, Refused) as refused:
        return _render_change(template, call_id, form, more, refused), 422
    flash(told)
    return redirect(url_for(".call", call_id=call_id), 303)


def _render_change(
    template: str,
    call_id: int,
    form: NoteForm,
    more: Callable | None = None,
    refusal: bookings.Refused | Refused | None = None,
) -> str | Response:
    """Render the form of a change; redirect if the call can no longer be changed."""
    now = clock.now()
    with context().database.read() as session:
        call = list_pages.find_call_or_404(session, call_id)
        if not bookings.is_upcoming(call, now):
            return redirect(url_for(".call", call_id=call_id), 303)
        shown = more(session, call, now) if more else {}
        if isinstance(refusal, bookings.Refused):
            refusal = Refused(why(refusal, shown, desk_zone(session), now, GIVE_FIRST))
        return render_template(template, call=call, form=form, refusal=refusal, **shown)


def _open_times(session: Session, call: Booking, now: datetime) -> dict:
    """Return the open starts of a call's hosts, from the call's date on."""
    calls, zone = context().published.calls, desk_zone(session)
    hosts = bookings.takers(queries.active_hosts(session), call, calls)
    own_day = call.starts_at.astimezone(ZoneInfo(zone)).date()
    return open_times(
        session, hosts, bookings.kind_of(call, calls), zone, now, first=own_day, moving=call
    )


def _takers(session: Session, call: Booking, now: datetime) -> dict:
    """Return the other hosts who take calls, free ones first."""
    found, kind = [], bookings.kind_of(call, context().published.calls)
    wanted = queries.WantedStart(kind, call.starts_at, now)
    for host in queries.active_hosts(session):
        if host.id != call.host_id:
            reason = queries.why_unavailable(session, host, wanted)
            words = refusals.on_desk(reason, host.zone, now) if reason else ""
            found.append(ReassignmentOption(host, _has_call(session, host, call, kind), words))
    in_order = sorted(found, key=lambda one: (one.has_call, bool(one.against), one.host.name))
    return {"takers": in_order}


def _has_call(session: Session, host: Host, call: Booking, kind: CallType) -> bool:
    """Say whether a time cell that the call needs is taken."""
    rules = host_rules.rules(host, kind)
    first = call.starts_at - timedelta(minutes=rules.buffer_before)
    last = call.starts_at + timedelta(minutes=call.duration + rules.buffer_after)
    cells = select(TimeCell.id).where(
        TimeCell.host_id == host.id, TimeCell.starts_at >= first, TimeCell.starts_at < last
    )
    return session.scalar(cells.limit(1)) is not None


@blueprint.get("/calls/<int:call_id>/again/")
def invite_again(call_id: int) -> ResponseReturnValue:
    """Show a preview of the email."""
    return _render_invitation(call_id, NoteForm())


@blueprint.post("/calls/<int:call_id>/again/")
def invite_again_submit(call_id: int) -> ResponseReturnValue:
    """Send the email, or show the preview with the note."""
    form = NoteForm(request.form)
    if not form.validate():
        return _render_invitation(call_id, form)
    if "show" in request.form:
        return _render_invitation(call_id, form)
    note = form.note.data or ""
    if not write(
        lambda session, by: call_changes.invite_again(
            session, list_pages.find_call_or_404(session, call_id), by, note
        )
    ):
        refusal = "We have invited them already, or the call is not marked as a no-show."
        return list_pages.render_call(call_id, refusal), 409
    flash("We\u2019ll email them.")
    return redirect(url_for(".call", call_id=call_id), 303)


def _render_invitation(call_id: int, form: NoteForm) -> ResponseReturnValue:
    settings, published, now = context().settings, context().published, clock.now()
    with context().database.read() as session:
        call = list_pages.find_call_or_404(session, call_id)
        if outbox.is_told(session, call_id, EmailKind.BOOKING_AGAIN):
            flash("We have invited them already.")
            return redirect(url_for(".call", call_id=call_id), 303)
        email = call_changes.invitation_again(call, now, form.note.data or "")
        try:
            message = emails.invitation_to_book_again(session, settings, published, email, now)
        except NotNeeded as fault:
            flash(f"We didn\u2019t send the email, because {fault.reason}.")
            return redirect(url_for(".call", call_id=call_id), 303)
        page = "desk/calls/invite_again.html"
        shown = render_template(page, call=call, form=form, refusal="", message=message)
        return shown, 422 if form.errors else 200
