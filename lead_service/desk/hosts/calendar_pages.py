"""The calendars of a host: list, add and remove them, and renew the link of their feed."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import Field, Form, StringField
from wtforms.validators import InputRequired, ValidationError

from ... import clock
from ...accounts.audit_log import AuditKind
from ...book.availability import busy_times
from ...book.calendars import feed_address
from ...book.hosts import feed
from ...book.hosts.changes import InUse
from ...book.hosts.models import CalendarFeed, Host
from ...formats import moment
from ...web.context import context
from ...web.fields import clean, limit, one_line, short_text
from ..blueprint import admins_only, blueprint
from . import host_updates

EMPTY = "Paste the calendar\u2019s private address, which starts with https:// or webcal://."
INWARD = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def outward_address(_form: Form, field: Field) -> None:
    """Refuse addresses that aren't https, or name a machine inside a network.

    This catches mistakes only: each reading checks the addresses of the name.
    """
    try:
        checked = checked_address(field.data or "")
    except ValueError as fault:
        raise ValidationError(f"The address {fault}.") from None
    if not context().settings.feeds_allow_loopback and _is_inward(checked):
        raise ValidationError("Enter an address that can be reached on the internet.")


def checked_address(text: str) -> str:
    """Return a calendar's address as it is stored; raise ValueError with a message for people."""
    return feed_address.check_typed(text, allow_loopback=context().settings.feeds_allow_loopback)


def _is_inward(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return ":" not in host and ("." not in host or host.endswith(INWARD))


class FeedForm(Form):
    """The form of a host's calendar, with an address from Google, Outlook or Fastmail."""

    label = short_text("Name", longest=60, required="Enter a name, such as Work.")
    url = StringField(
        "Private address (ICS)",
        [
            InputRequired(EMPTY),
            limit(feed_address.LONGEST),
            one_line,
            outward_address,
        ],
        filters=[clean],
        render_kw={
            "inputmode": "url",
            "autocomplete": "off",
            "maxlength": feed_address.LONGEST,
        },
    )

    @property
    def address(self) -> str:
        """The address as it is stored; call `validate` first."""
        return checked_address(self.url.data or "")


@dataclass(frozen=True)
class CalendarState:
    """The state of one calendar: its name, server and validity."""

    feed: CalendarFeed
    server: str
    is_current: bool
    words: str


@blueprint.get("/availability/<int:host_id>/calendars/")
@admins_only
def host_calendars(host_id: int) -> str:
    """Show the state of each calendar, and a form for another one."""
    return _render_calendars(host_id, FeedForm())


@blueprint.post("/availability/<int:host_id>/calendars/")
@admins_only
def host_calendars_submit(host_id: int) -> ResponseReturnValue:
    """Add a calendar; no times are offered until the deliver process has read it."""
    form = FeedForm(request.form)
    if not form.validate():
        return _render_calendars(host_id, form), 422

    def change(session: Session, host: Host) -> dict:
        feed = CalendarFeed(label=form.label.data, url=form.address)
        host.feeds.append(feed)
        session.flush()
        return {"calendar": feed.id}

    try:
        host_updates.extend(host_id, AuditKind.CALENDAR_ADDED, change)
    except InUse:
        form.label.errors = ["Another calendar of this host has that name. Enter another one."]
        return _render_calendars(host_id, form), 422
    flash("Added. We\u2019ll read it within minutes. Until then, visitors see no times.")
    return redirect(url_for(".host_calendars", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/calendars/<int:feed_id>/remove")
@admins_only
def remove_calendar(host_id: int, feed_id: int) -> ResponseReturnValue:
    """Remove a calendar and its busy times."""

    def change(_session: Session, host: Host) -> dict:
        host.feeds.remove(host_updates.own_row_or_404(host.feeds, feed_id))
        return {"calendar": feed_id}

    host_updates.extend(host_id, AuditKind.CALENDAR_REMOVED, change)
    flash("Removed. It doesn\u2019t block any times anymore.")
    return redirect(url_for(".host_calendars", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/calendars/new-link")
@admins_only
def new_feed_link(host_id: int) -> ResponseReturnValue:
    """Replace the link of the feed of bookings; the old one stops working."""

    def change(_session: Session, host: Host) -> dict:
        host.feed_version += 1
        return {"feed_version": host.feed_version}

    host_updates.extend(host_id, AuditKind.FEED_LINK_CHANGED, change)
    flash("We\u2019ve created a new address. The old one no longer works.")
    return redirect(url_for(".host_calendars", host_id=host_id), 303)


def _render_calendars(host_id: int, form: FeedForm) -> str:
    now = clock.now()
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        feeds = [calendar_state(feed, now) for feed in host.feeds]
        return render_template(
            "desk/hosts/calendars.html",
            host=host,
            form=form,
            feeds=feeds,
            agenda=feed.feed_link(context().settings, host),
        )


def calendar_state(feed: CalendarFeed, now: datetime) -> CalendarState:
    """Describe the state of a calendar, with times in its host's zone."""
    is_current = busy_times.is_current(feed, now)
    words = _words_if_current(feed, now) if is_current else _words_if_outdated(feed, now)
    server = feed_address.host_of(feed.url)
    return CalendarState(feed, server, is_current, words)


def _words_if_current(feed: CalendarFeed, now: datetime) -> str:
    zone = feed.host.zone
    assert feed.succeeded_at  # a current calendar has been read
    read = f"Read {moment(feed.succeeded_at, zone, now)}."
    if not feed.fault:
        return read
    until = moment(feed.succeeded_at + busy_times.FRESH, zone, now)
    return f"{read} The last attempt failed: {feed.fault}. We use the times we read until {until}."


def _words_if_outdated(feed: CalendarFeed, now: datetime) -> str:
    name = f"the calendar \u201c{feed.label}\u201d"
    fault = f" The last attempt failed: {feed.fault}." if feed.fault else ""
    if feed.succeeded_at is None:
        return f"We haven\u2019t read {name} yet. Visitors see no times until we do.{fault}"
    read = f"We last read {name} {moment(feed.succeeded_at, feed.host.zone, now)}"
    if feed.zone != feed.host.zone:
        return f"{read}, in another time zone. Visitors see no times until we read it again."
    return f"{read}, which is too long ago. Visitors see no times.{fault}"
