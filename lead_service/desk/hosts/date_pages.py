"""The pages of dates on which the weekly hours don't apply: own hours, time off, holidays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form, HiddenField
from wtforms.validators import InputRequired, ValidationError

from ... import clock
from ...accounts.audit_log import AuditKind
from ...book.availability import holidays, host_rules, slots
from ...book.availability.intervals import Window
from ...book.hosts import opening_hours
from ...book.hosts.changes import InUse, StaleHost
from ...book.hosts.models import DateOverride, Host, OverrideWindow, TimeOff
from ...book.models import Booking, coming
from ...web.context import context
from ...web.fields import Day, clean, short_text
from ..blueprint import admins_only, blueprint
from ..wall_clock import YEARS
from . import host_updates
from .forms import hours_field, hours_text

LONGEST_DAYS = 366
AHEAD = timedelta(days=400)  # includes each yearly holiday at least once
MOST_HOLIDAYS = 16
DAY = timedelta(days=1)  # no call is longer


class ConflictsWithCalls(Exception):
    """The time off conflicts with calls that the member hasn't confirmed; nothing is stored."""


@dataclass(frozen=True)
class Conflicts:
    """Time off with the upcoming calls in it, or a date's own hours with those outside of them."""

    of: TimeOff | DateOverride
    calls: Sequence[Booking]


def day_field(label: str) -> Day:
    """Create a date field that accepts plausible years only."""
    return Day(label, [InputRequired(f"Choose the {label.lower()}."), in_reach])


def in_reach(_form: Form, field: Day) -> None:
    if not field.data or field.data.year not in YEARS:
        raise ValidationError(f"The {field.label.text.lower()} must be in this century.")


class DateForm(Form):
    """The form of a date with its own hours."""

    day = day_field("Date")
    hours = hours_field("Hours")

    @property
    def date(self) -> date:
        """The date; call `validate` first."""
        assert self.day.data
        return self.day.data

    @property
    def windows(self) -> list[Window]:
        """The windows of that date; call `validate` first."""
        return opening_hours.parse_windows(self.hours.data or "")


class TimeOffForm(Form):
    """The form of time off; `known` lists the conflicting calls that the page has shown."""

    first_day = day_field("First day")
    last_day = day_field("Last day")
    note = short_text("Reason", longest=200, autocomplete="off")
    known = HiddenField(filters=[clean])

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day; call `validate` first."""
        first, last = self.first_day.data, self.last_day.data
        assert first and last
        return first, last

    def validate_last_day(self, field: Day) -> None:
        """Refuse a last day before the first one, and implausibly long periods."""
        first = self.first_day.data
        if not first or not field.data:
            return
        if field.data < first:
            raise ValidationError("The last day must not be before the first day.")
        if (field.data - first).days > LONGEST_DAYS:
            raise ValidationError(
                "Enter at most a year, or stop taking calls for this host instead."
            )


@blueprint.get("/availability/<int:host_id>/dates/")
@admins_only
def host_dates(host_id: int) -> str:
    """List the dates with their own hours, and show a form for another one."""
    return _dates_page(host_id, DateForm())


@blueprint.post("/availability/<int:host_id>/dates/")
@admins_only
def host_dates_submit(host_id: int) -> ResponseReturnValue:
    """Give a date its own hours, or none; refuse a date that has its own already."""
    form = DateForm(request.form)
    if not form.validate():
        return _dates_page(host_id, form), 422

    def change(_session: Session, host: Host) -> dict:
        windows = [OverrideWindow(opens=one.start, closes=one.end) for one in form.windows]
        host.overrides.append(DateOverride(day=form.date, windows=windows))
        return {"day": form.date.isoformat()}

    try:
        host_updates.extend(host_id, AuditKind.DATE_ADDED, change)
    except InUse:
        form.day.errors = ["This date already has special hours. Remove those first."]
        return _dates_page(host_id, form), 422
    flash("Saved.")
    return redirect(url_for(".host_dates", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/dates/<int:date_id>/remove")
@admins_only
def remove_date(host_id: int, date_id: int) -> ResponseReturnValue:
    """Restore the weekly hours on a date."""

    def change(_session: Session, host: Host) -> dict:
        override = host_updates.own_row_or_404(host.overrides, date_id)
        host.overrides.remove(override)
        return {"day": override.day.isoformat()}

    host_updates.extend(host_id, AuditKind.DATE_REMOVED, change)
    flash("Removed. The weekly hours apply on that date.")
    return redirect(url_for(".host_dates", host_id=host_id), 303)


@blueprint.get("/availability/<int:host_id>/time-off/")
@admins_only
def host_time_off(host_id: int) -> str:
    """List the time off with conflicting calls, and show a form for more."""
    return _time_off_page(host_id, TimeOffForm())


@blueprint.post("/availability/<int:host_id>/time-off/")
@admins_only
def host_time_off_submit(host_id: int) -> ResponseReturnValue:
    """Add time off; if it conflicts with calls, show them and ask for confirmation."""
    form, now = TimeOffForm(request.form), clock.now()
    if not form.validate():
        return _time_off_page(host_id, form), 422
    first, last = form.days

    def change(session: Session, host: Host) -> dict:
        if form.known.data != _ids(_calls_between(session, host, first, last, now)):
            raise ConflictsWithCalls
        host.time_off.append(TimeOff(first_day=first, last_day=last, note=form.note.data))
        return {"first_day": first.isoformat(), "last_day": last.isoformat()}

    try:
        host_updates.extend(host_id, AuditKind.TIME_OFF_ADDED, change)
    except ConflictsWithCalls:
        return _time_off_page(host_id, form, is_asking=True), 409
    flash("Saved. Visitors can\u2019t book calls on these days.")
    return redirect(url_for(".host_time_off", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/time-off/<int:off_id>/remove")
@admins_only
def remove_time_off(host_id: int, off_id: int) -> ResponseReturnValue:
    """Remove time off."""

    def change(_session: Session, host: Host) -> dict:
        off = host_updates.own_row_or_404(host.time_off, off_id)
        host.time_off.remove(off)
        return {"first_day": off.first_day.isoformat(), "last_day": off.last_day.isoformat()}

    host_updates.extend(host_id, AuditKind.TIME_OFF_REMOVED, change)
    flash("Removed. Visitors can book calls on these days again.")
    return redirect(url_for(".host_time_off", host_id=host_id), 303)


def _ids(calls) -> str:
    """Return the ids of the shown calls, so that saving confirms only these."""
    return ",".join(str(call.id) for call in calls)


def _dates_page(host_id: int, form: DateForm) -> str:
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        found = special_dates(session, host, clock.now())
        return render_template(
            "desk/hosts/dates.html", host=host, form=form, dates=found, read=hours_text
        )


def _time_off_page(host_id: int, form: TimeOffForm, *, is_asking: bool = False) -> str:
    now = clock.now()
    hit: Sequence[Booking] = []
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        if is_asking:
            hit = _calls_between(session, host, *form.days, now)
            form.known.data = _ids(hit)
        off = time_off(session, host, now)
        return render_template("desk/hosts/time_off.html", host=host, form=form, off=off, hit=hit)


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
    today = today_of(host, clock.now())
    coming = list(holidays.between(country, region, today, today + AHEAD))[:MOST_HOLIDAYS]
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


def time_off(session: Session, host: Host, now: datetime) -> list[Conflicts]:
    """Return present and future time off, each with its conflicting calls."""
    return [
        Conflicts(off, _calls_between(session, host, off.first_day, off.last_day, now))
        for off in host.time_off
        if off.last_day >= today_of(host, now)
    ]


def special_dates(session: Session, host: Host, now: datetime) -> list[Conflicts]:
    """Return future dates with their own hours, each with its conflicting calls."""
    return [
        Conflicts(one, _left_out(host, _calls_between(session, host, one.day, one.day, now)))
        for one in host.overrides
        if one.day >= today_of(host, now)
    ]


def _calls_between(
    session: Session, host: Host, first: date, last: date, now: datetime
) -> Sequence[Booking]:
    """Return the host's upcoming calls that overlap the dates [first, last] in their zone."""
    days = slots.all_day(first, last + DAY, host.zone)
    return [
        call
        for call in coming_calls(session, host, max(now, days.start - DAY))
        if call.starts_at < days.end and _end(call) > days.start
    ]


def coming_calls(session: Session, host: Host, after: datetime) -> Sequence[Booking]:
    """Return the host's calls that begin after an instant, in order."""
    query = select(Booking).where(Booking.host_id == host.id, *coming(after))
    return session.scalars(query.order_by(Booking.starts_at)).all()


def _left_out(host: Host, calls: Sequence[Booking]) -> list[Booking]:
    """Return the calls that are outside of the host's present hours."""
    return [
        call
        for call in calls
        if slots.why_not(
            host_rules.hours(host, call.starts_at, _end(call)),
            slots.Rules(duration=call.duration, interval=5),
            call.starts_at,
            now=call.starts_at,
        )
    ]


def _end(call: Booking) -> datetime:
    return call.starts_at + timedelta(minutes=call.duration)


def today_of(host: Host, now: datetime) -> date:
    """Return today's date in a host's zone."""
    return now.astimezone(ZoneInfo(host.zone)).date()
