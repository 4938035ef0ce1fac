"""Start and stop a host's calls. Visitors see no times until an admin has started them."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import AuditKind
from ...book.availability import holidays
from ...book.hosts.changes import StaleHost
from ...book.hosts.models import Host
from ...web.context import context
from ..blueprint import admins_only, blueprint
from . import host_updates, overview

NO_HOURS = "Set weekly or special hours first. Without them, visitors see no times."


class NothingToOffer(Exception):
    """The host has no opening hours."""


@blueprint.get("/availability/<int:host_id>/start/")
@admins_only
def start_calls(host_id: int) -> str:
    """Show the details to confirm: name, time zone, hours, holidays, and way to meet."""
    return _render(host_id)


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
        return _render(host_id, "Someone changed this host. Check once more."), 409
    except NothingToOffer:
        return _render(host_id, NO_HOURS), 422
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


def _render(host_id: int, refusal: str = "") -> str:
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        return render_template(
            "desk/hosts/start.html",
            host=host,
            now=clock.now(),
            weekly=overview.weekly(host),
            country=holidays.COUNTRIES.get(host.country, ""),
            region=holidays.regions(host.country).get(host.region, ""),
            refusal=refusal,
        )
