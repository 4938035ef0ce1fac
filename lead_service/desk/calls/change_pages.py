"""The pages to cancel, move or reassign a call; a GET only asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response
from wtforms import Form

from ... import clock
from ...accounts.audit_log import Actor
from ...book import bookings, call_changes
from ...book.availability import host_rules, queries, refusals
from ...book.availability.host_cache import AHEAD
from ...book.forms import parse_start, start_text
from ...book.hosts.models import Host
from ...book.models import Booking, TimeCell
from ...call_types import CallType
from ...web.context import context
from ...web.fields import long_text
from .. import wall_clock
from ..blueprint import blueprint, write
from . import list_pages

OVER = "This call has already started or was canceled. You can\u2019t change it anymore."


class NoteForm(Form):
    """What the visitor reads in the email about a change."""

    note = long_text("Note to the visitor (optional)", longest=1000)


@dataclass(frozen=True)
class ReassignmentOption:
    """Another host: whether a call of theirs is in the way, and what else speaks against it."""

    host: Host
    has_call: bool
    against: str = ""  # a sentence; the member who reassigns the call may overrule it


class Refused(Exception):
    """What was asked for makes no change; the text says why."""


@blueprint.get("/calls/<int:call_id>/cancel/")
def cancel_call(call_id: int) -> ResponseReturnValue:
    """Ask whether it is meant, and for a note."""
    return _render_change("desk/calls/cancel.html", call_id, NoteForm())


@blueprint.post("/calls/<int:call_id>/cancel/")
def cancel_call_submit(call_id: int) -> ResponseReturnValue:
    """Cancel a call and tell both sides."""

    def change(session: Session, call: Booking, by: Actor, note: str) -> None:
        if not call_changes.cancel(session, context().settings, call, by, note=note):
            raise bookings.NotUpcoming

    told = "Canceled. We\u2019ll email both of them."
    return _submit("desk/calls/cancel.html", call_id, change, told)


@blueprint.get("/calls/<int:call_id>/move/")
def move_call(call_id: int) -> ResponseReturnValue:
    """Show the open times, a day at a time; `day` is a date of the host's."""
    return _render_change("desk/calls/move.html", call_id, NoteForm(), _open_times)


@blueprint.post("/calls/<int:call_id>/move/")
def move_call_submit(call_id: int) -> ResponseReturnValue:
    """Move a call and tell both sides."""

    def change(session: Session, call: Booking, by: Actor, note: str) -> None:
        start, any_time = _wanted(call)
        settings, calls = context().settings, context().published.calls
        if not call_changes.move(
            session, settings, calls, call, start, by, note=note, ignore_availability=any_time
        ):
            raise Refused("The call is already at that time. Choose another one.")

    told = "Moved. We\u2019ll email both of them the new invitation."
    return _submit("desk/calls/move.html", call_id, change, told, _open_times)


@blueprint.get("/calls/<int:call_id>/give/")
def give_call(call_id: int) -> ResponseReturnValue:
    """Show the other hosts who could take the call."""
    return _render_change("desk/calls/reassign.html", call_id, NoteForm(), _takers)


@blueprint.post("/calls/<int:call_id>/give/")
def give_call_submit(call_id: int) -> ResponseReturnValue:
    """Give a call to another host and email everyone."""
    host_id = request.form.get("host", 0, type=int)

    def change(session: Session, call: Booking, by: Actor, note: str) -> None:
        host = session.get(Host, host_id) if 0 < host_id < 2**31 else None
        if host is None:
            raise Refused("Choose a host.")
        settings, calls = context().settings, context().published.calls
        if not call_changes.give(session, settings, calls, call, host, by, note=note):
            raise Refused("They already have this call. Choose another host.")

    told = "Given to another host. We\u2019ll email the visitor and both hosts."
    return _submit("desk/calls/reassign.html", call_id, change, told, _takers)


def _submit(
    template: str, call_id: int, change: Callable, told: str, more: Callable | None = None
) -> ResponseReturnValue:
    """Run a change in one transaction and say what came of it; a refusal keeps what was typed."""
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
    except bookings.NotOffered:
        return _render_change(
            template, call_id, form, more, "That time is not available. Choose another one."
        ), 422
    except bookings.Taken as taken:
        why = refusals.to_team(taken.refusals)
        why = f"{why[0].upper()}{why[1:]}. Choose another time."
        return _render_change(template, call_id, form, more, why), 409
    except Refused as refused:
        return _render_change(template, call_id, form, more, str(refused)), 422
    flash(told)
    return redirect(url_for(".call", call_id=call_id), 303)


def _render_change(
    template: str, call_id: int, form: NoteForm, more: Callable | None = None, refusal: str = ""
) -> str | Response:
    """Render a page that asks; redirect when the call can't be changed anymore."""
    now = clock.now()
    with context().database.read() as session:
        call = list_pages.find_call_or_404(session, call_id)
        if not bookings.is_upcoming(call, now):
            return redirect(url_for(".call", call_id=call_id), 303)
        shown = more(session, call, now) if more else {}
        return render_template(template, call=call, form=form, refusal=refusal, **shown)


def _wanted(call: Booking) -> tuple[datetime, bool]:
    """Read which start is asked for, and whether it is one that is not on offer."""
    chosen, typed = request.form.get("start", ""), request.form.get("at", "")
    if bool(chosen) == bool(typed):
        raise Refused("Choose one time.")
    if chosen:
        return parse_start(chosen) or abort(422), False
    reading = wall_clock.parse(typed)
    found = wall_clock.instants(reading, call.host_zone) if reading else []
    if len(found) != 1:
        twice = (
            "the clocks show this one twice on that day"
            if found
            else "the clocks skip this one on that day"
        )
        raise Refused(f"Choose another time: {twice}.")
    return found[0], True


def _open_times(session: Session, call: Booking, now: datetime) -> dict:
    """Return the open starts by the host's date, and which of these dates is shown."""
    calls, zone = context().published.calls, ZoneInfo(call.host_zone)
    hosts = bookings.takers(queries.active_hosts(session), call, calls)
    kind = bookings.kind_of(call, calls)
    starts = queries.open_starts(
        session, hosts, kind, now=now, start=now, end=now + AHEAD, moving=call.id
    )
    others = [start for start in starts if start != call.starts_at]
    by_day = {
        day: list(group)
        for day, group in groupby(others, key=lambda start: start.astimezone(zone).date())
    }
    shown = _shown_day(list(by_day), call)
    return {"by_day": by_day, "shown": shown, "start_text": start_text}


def _shown_day(days: list[date], call: Booking) -> date | None:
    """Return the date that was asked for, or the first one from the call's on that has times."""
    asked = request.values.get("day", "")
    zone = ZoneInfo(call.host_zone)
    if chosen := parse_start(request.form.get("start", "")):
        asked = chosen.astimezone(zone).date().isoformat()
    wanted = asked or call.starts_at.astimezone(zone).date().isoformat()
    return next((day for day in days if day.isoformat() >= wanted), days[-1] if days else None)


def _takers(session: Session, call: Booking, now: datetime) -> dict:
    """Return the other hosts who take calls, those who are simply free first."""
    found, kind = [], bookings.kind_of(call, context().published.calls)
    for host in queries.active_hosts(session):
        if host.id != call.host_id:
            reason = queries.why_unavailable(session, host, kind, call.starts_at, now)
            words = refusals.on_desk(reason, host.zone, now) if reason else ""
            found.append(ReassignmentOption(host, _has_call(session, host, call, kind), words))
    in_order = sorted(found, key=lambda one: (one.has_call, bool(one.against), one.host.name))
    return {"takers": in_order}


def _has_call(session: Session, host: Host, call: Booking, kind: CallType) -> bool:
    """Say whether a cell is taken that the call would need, as the database will judge it."""
    rules = host_rules.rules(host, kind)
    first = call.starts_at - timedelta(minutes=rules.buffer_before)
    last = call.starts_at + timedelta(minutes=call.duration + rules.buffer_after)
    cells = select(TimeCell.id).where(
        TimeCell.host_id == host.id, TimeCell.starts_at >= first, TimeCell.starts_at < last
    )
    return session.scalar(cells.limit(1)) is not None
