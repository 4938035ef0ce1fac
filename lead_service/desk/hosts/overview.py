"""The availability pages: hosts and their times as visitors see them."""

from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ... import clock
from ...book.availability import busy_times, holidays, queries, refusals
from ...book.availability.host_rules import MOST_DAYS, special_days
from ...book.availability.slots import UnavailableReason
from ...book.hosts.models import Host
from ...book.hosts.opening_hours import WEEKDAYS
from ...call_types import CallType
from ...web.context import context
from .. import wall_clock
from ..blueprint import blueprint
from . import date_pages, host_updates
from .calendar_pages import calendar_state
from .forms import hours_text

AHEAD = timedelta(days=400)  # includes at least one holiday of every country
DAYS = 14  # days whose times are shown as visitors see them


@blueprint.get("/availability/")
def availability() -> str:
    """List the hosts with their offered times."""
    now = clock.now()
    with context().database.read() as session:
        query = select(Host).order_by(Host.is_active.desc(), Host.name, Host.id)
        hosts = session.scalars(query.options(*queries.WHOLE)).all()
        return render_template(
            "desk/hosts/overview.html", hosts=[_summary(session, host, now) for host in hosts]
        )


@blueprint.get("/availability/<int:host_id>/")
def host(host_id: int) -> str:
    """Show a host: the next two weeks as visitors see them, then the hours and rules."""
    now = clock.now()
    with context().database.read() as session:
        found = host_updates.find_host_or_404(session, host_id)
        kind = wanted_kind(found)
        return render_template(
            "desk/hosts/host.html",
            most_days=MOST_DAYS,
            host=found,
            days=_days(session, found, kind, now),
            kind=kind,
            kinds=offered_kinds(found),
            idle_kinds=idle_kinds(found),
            weekly=weekly(found),
            dates=date_pages.special_dates(session, found, now),
            off=date_pages.time_off(session, found, now),
            kept=holidays_of(found, now),
            feeds=[calendar_state(feed, now) for feed in found.feeds],
            obstacles=_troubles(found, now),
            booked=[] if found.is_active else date_pages.coming_calls(session, found, now),
            length=refusals.length,
            read=hours_text,
        )


def offered_kinds(host: Host) -> list[CallType]:
    """Return the kinds of call that a host takes, in the order of the file."""
    calls = context().published.calls
    return [kind for kind in calls.all if host.takes(kind, calls.default)]


def idle_kinds(host: Host) -> list[CallType]:
    """Return the chosen kinds that the host can't take."""
    calls = context().published.calls
    chosen = [kind for kind in calls.all if host.chose(kind, calls.default)]
    return [kind for kind in chosen if not host.takes(kind, calls.default)]


def wanted_kind(host: Host) -> CallType:
    """Return the requested kind, or else the first one that the host takes."""
    calls = context().published.calls
    named = calls.find(request.args.get("kind", ""))
    return named or (offered_kinds(host) or [calls.default])[0]


def weekly(host: Host) -> list[tuple[str, str]]:
    """Return the weekdays with their hours for reading; consecutive equal days are joined."""
    week: list[tuple[list[str], str]] = []
    for name in WEEKDAYS:
        shown = hours_text(host.hours, name)
        if week and week[-1][1] == shown:
            week[-1][0].append(name)
        else:
            week.append(([name], shown))
    return [(_span(days), shown) for days, shown in week if shown]


def _span(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def holidays_of(host: Host, now: datetime) -> dict:
    """Describe a host's holidays, with the next one."""
    today = date_pages.today_of(host, now)
    ahead = holidays.between(host.country, host.region, today, today + AHEAD)
    return {
        "country": holidays.COUNTRIES.get(host.country, ""),
        "region": holidays.regions(host.country).get(host.region, ""),
        "next": next(ahead, None),
    }


def _summary(session: Session, host: Host, now: datetime) -> dict[str, Any]:
    """Describe one host in the list."""
    offered = queries.offer(session, host, wanted_kind(host), now, DAYS)
    return {
        "host": host,
        "weekly": weekly(host),
        "starts": [start for day in offered.values() for start in day],
        "troubles": _troubles(host, now),
    }


def _troubles(host: Host, now: datetime) -> list[str]:
    """Say why a host who takes calls offers no times."""
    found = [] if host.hours else ["There are no weekly hours."]
    if not offered_kinds(host):
        found.append("No kind of call is chosen that this host can take.")
    for feed in host.feeds:
        if not busy_times.is_current(feed, now):
            found.append(calendar_state(feed, now).words)
    return found


def _days(session: Session, host: Host, kind: CallType, now: datetime) -> list[dict[str, Any]]:
    """Return each date with its starts (UTC), or else why it has none in a few words."""
    offered = queries.offer(session, host, kind, now, DAYS)
    special = special_days(host, min(offered), max(offered))
    weekdays = {window.weekday for window in host.hours}
    is_known = all(busy_times.is_current(feed, now) for feed in host.feeds)
    found = []
    for day, starts in offered.items():
        why = "" if starts else _why_none(special.get(day), day.weekday() in weekdays, is_known)
        found.append({"date": day, "starts": starts, "why": why})
    return found


def _why_none(special, is_weekday: bool, is_known: bool) -> str:
    """Say in a few words why a date has no starts."""
    left = "Nothing left" if is_known else "Calendar not up to date"
    if special and special.kind is UnavailableReason.HOLIDAY:
        return special.name
    if special and special.kind is UnavailableReason.TIME_OFF:
        return "Time off"
    if special:
        return left if special.windows else "Day off"
    return left if is_weekday else "No hours"


@blueprint.get("/availability/<int:host_id>/why/")
def why(host_id: int) -> tuple[str, int] | str:
    """Explain why a start isn't offered; `at` is a wall-clock time in the host's zone."""
    now, typed = clock.now(), request.args.get("at", "")[:40]
    with context().database.read() as session:
        found = host_updates.find_host_or_404(session, host_id)
        reading = wall_clock.parse(typed)
        kind = wanted_kind(found)
        answers = _answers(session, found, kind, reading, now) if reading else []
    page = render_template(
        "desk/hosts/unavailable.html",
        host=found,
        typed=typed,
        reading=reading,
        answers=answers,
        kind=kind,
        kinds=offered_kinds(found),
    )
    return (page, 422) if typed and not reading else page


def _answers(
    session: Session, host: Host, kind: CallType, reading: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Say whether each instant of a wall-clock time is offered; a repeated one has two."""
    found = []
    for at in wall_clock.instants(reading, host.zone):
        reason = queries.why_unavailable(session, host, queries.WantedStart(kind, at, now))
        words = refusals.on_desk(reason, host.zone, now) if reason else ""
        offset = wall_clock.offset(at, host.zone)
        found.append({"at": at, "offset": offset, "reason": reason, "words": words})
    return found
