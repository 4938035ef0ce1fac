"""The page of a host's public holidays, by country and region. For admins."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import AuditKind
from ...book.availability import holidays
from ...book.hosts.changes import StaleHost
from ...book.hosts.models import Host
from ...web.context import context
from ..blueprint import admins_only, blueprint
from . import host_updates

AHEAD = timedelta(days=400)  # includes each yearly holiday at least once
MOST = 16


@blueprint.get("/availability/<int:host_id>/holidays/")
@admins_only
def host_holidays(host_id: int) -> str:
    """Show the host's holidays, or those of another `country` and `region`."""
    return _render_holidays(host_id)


@blueprint.post("/availability/<int:host_id>/holidays/")
@admins_only
def host_holidays_submit(host_id: int) -> ResponseReturnValue:
    """Store the country and region of a host's holidays, or none."""
    country, region = request.form.get("country", ""), request.form.get("region", "")
    if fault := _fault(country, region):
        return _render_holidays(host_id, fault), 422

    def change(_session: Session, host: Host) -> dict:
        host.country, host.region = country, region
        return {"country": country, "region": region}

    try:
        host_updates.replace(host_id, AuditKind.HOLIDAYS_CHANGED, change)
    except StaleHost:
        return _render_holidays(host_id, is_stale=True), 409
    flash("Saved.")
    return redirect(url_for(".host", host_id=host_id), 303)


def _fault(country: str, region: str) -> str:
    if country and country not in holidays.COUNTRIES:
        return "Choose a country from the list."
    if region and region not in holidays.regions(country):
        return "Choose a region of that country, or the whole country."
    return ""


def _render_holidays(host_id: int, fault: str = "", *, is_stale: bool = False) -> str:
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
    kept = {"country": host.country, "region": host.region}
    asked = {name: request.values.get(name, stored) for name, stored in kept.items()}
    if asked["country"] != host.country and "region" not in request.values:
        asked["region"] = ""
    country = asked["country"] if asked["country"] in holidays.COUNTRIES else ""
    region = asked["region"] if asked["region"] in holidays.regions(country) else ""
    today = clock.now().astimezone(ZoneInfo(host.zone)).date()
    coming = list(holidays.between(country, region, today, today + AHEAD))[:MOST]
    return render_template(
        "desk/hosts/holidays.html",
        host=host,
        fault=fault,
        is_stale=is_stale,
        version=host.version,
        country=country,
        region=region,
        countries=holidays.COUNTRIES,
        regions=holidays.regions(country),
        coming=coming,
    )
