"""The forms of a host: person, hours and rules; and whether the host takes calls. For admins."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import Form

from ... import clock
from ...accounts.audit_log import AuditKind
from ...book.availability import slots
from ...book.availability.intervals import Hours
from ...book.hosts import changes, opening_hours
from ...book.hosts.changes import InUse, StaleHost
from ...book.hosts.models import Host
from ...web.context import context
from ..blueprint import admins_only, blueprint, write
from . import host_updates, overview
from .forms import HostForm, HoursForm, RulesForm

A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)  # in a week without clock changes
TAKEN = "Another host has this address. Each needs one of their own."
NO_HOURS = "Set weekly or special hours first. Without them, visitors see no times."


HostPart = type[HostForm] | type[HoursForm] | type[RulesForm]
PARTS: dict[str, tuple[HostPart, AuditKind]] = {
    "person": (HostForm, AuditKind.HOST_CHANGED),
    "hours": (HoursForm, AuditKind.HOURS_CHANGED),
    "rules": (RulesForm, AuditKind.RULES_CHANGED),
}
PART = "<any(person,hours,rules):part>"


class NothingToOffer(Exception):
    """The host has no opening hours."""


@blueprint.get(f"/availability/<int:host_id>/{PART}/")
@admins_only
def host_form(host_id: int, part: str) -> str:
    """Show one of the forms with the stored values."""
    return _render_form(host_id, part)


@blueprint.post(f"/availability/<int:host_id>/{PART}/")
@admins_only
def host_form_submit(host_id: int, part: str) -> ResponseReturnValue:
    """Store one of the forms, unless the host has changed in the meantime."""
    form_of, what = PARTS[part]
    form = form_of(request.form)
    if isinstance(form, HoursForm) and "copy" in request.form:
        form.copy(request.form["copy"])
        return _render_form(host_id, part, form)
    if not form.validate():
        return _render_form(host_id, part, form), 422
    if "preview" in request.form:
        return _render_form(host_id, part, form)

    try:
        host_updates.replace(host_id, what, lambda _session, host: form.fill(host))
    except StaleHost:
        return _render_form(host_id, part, form, is_stale=True), 409
    except InUse:
        form["email"].errors = [TAKEN]
        return _render_form(host_id, part, form), 422
    flash("Saved.")
    return redirect(url_for(".host", host_id=host_id), 303)


@blueprint.get("/availability/new/")
@admins_only
def new_host() -> str:
    """Show the form of a new host."""
    return render_template("desk/hosts/new.html", form=HostForm())


@blueprint.post("/availability/new/")
@admins_only
def new_host_submit() -> ResponseReturnValue:
    """Add a host, who takes no calls until an admin starts them."""
    form = HostForm(request.form)
    if not form.validate():
        return render_template("desk/hosts/new.html", form=form), 422

    host = Host(is_active=False)
    form.fill(host)
    try:
        host_id = write(lambda session, by: changes.add(session, host, by))
    except InUse:
        form.email.errors = [TAKEN]
        return render_template("desk/hosts/new.html", form=form), 422
    flash("Added. Set the hours next.")
    return redirect(url_for(".host_form", host_id=host_id, part="hours"), 303)


def _render_form(
    host_id: int, part: str, form: Form | None = None, *, is_stale: bool = False
) -> str:
    """Render a form; a stale one with the values stored now, to be sent again deliberately."""
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        stored = PARTS[part][0].of(host)
    seen = request.form.get("version", type=int) if form and not is_stale else None
    return render_template(
        "desk/hosts/form.html",
        host=host,
        part=part,
        form=form or stored,
        stored=stored if is_stale else None,
        version=host.version if seen is None else seen,
        week=_week(host, form or stored),
    )


def _week(host: Host, form: Form) -> list[tuple[str, str, int]]:
    """Return each weekday with its hours for reading, and the number of starts."""
    if not isinstance(form, HoursForm) or not form.validate():
        return []
    weekly = {day: tuple(windows) for day, windows in form.week.items()}
    starts = slots.open_starts(
        Hours("UTC", weekly),
        slots.Rules(duration=overview.wanted_kind(host).minutes, interval=host.interval),
        now=A_MONDAY,
        start=A_MONDAY,
        end=A_MONDAY + timedelta(days=7),
    )
    counts = Counter(start.weekday() for start in starts)
    return [
        (name, opening_hours.write_windows(weekly[number]), counts[number])
        for number, name in enumerate(opening_hours.WEEKDAYS)
    ]


@blueprint.get("/availability/<int:host_id>/start/")
@admins_only
def start_calls(host_id: int) -> str:
    """Show the details to confirm: name, time zone, hours, holidays, and way to meet."""
    return _render_start(host_id)


@blueprint.post("/availability/<int:host_id>/start/")
@admins_only
def start_calls_submit(host_id: int) -> ResponseReturnValue:
    """Offer the host's times, unless something has changed since the page was opened."""

    def start(_session: Session, host: Host) -> dict:
        if not (host.hours or host.overrides):
            raise NothingToOffer
        host.is_active = True
        return {"takes_calls": True}

    try:
        host_updates.replace(host_id, AuditKind.HOST_CHANGED, start)
    except StaleHost:
        return _render_start(host_id, "Someone changed this host. Check once more."), 409
    except NothingToOffer:
        return _render_start(host_id, NO_HOURS), 422
    flash("Visitors can book now.")
    return redirect(url_for(".host", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/stop")
@admins_only
def stop_calls(host_id: int) -> ResponseReturnValue:
    """Stop offering a host's times; booked calls stay."""

    def stop(_session: Session, host: Host) -> dict:
        host.is_active = False
        return {"takes_calls": False}

    host_updates.extend(host_id, AuditKind.HOST_CHANGED, stop)
    flash("Visitors can no longer book this host. Calls that are already booked won\u2019t change.")
    return redirect(url_for(".host", host_id=host_id), 303)


def _render_start(host_id: int, refusal: str = "") -> str:
    now = clock.now()
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        return render_template(
            "desk/hosts/start.html",
            host=host,
            now=now,
            weekly=overview.weekly(host),
            kept=overview.holidays_of(host, now),
            refusal=refusal,
        )
