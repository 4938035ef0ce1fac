"""A host's calendars: those that we read, and the feed of bookings that they read. For admins."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import AuditKind
from ...book.hosts import feed
from ...book.hosts.models import CalendarFeed, Host
from ...web.context import context
from ..blueprint import admins_only, blueprint
from . import calendar_status, host_updates
from .calendar_form import FeedForm
from .date_pages import own_row_or_404


@blueprint.get("/availability/<int:host_id>/calendars/")
@admins_only
def host_calendars(host_id: int) -> str:
    """Show how each calendar stands, and ask for one more."""
    return _render_calendars(host_id, FeedForm())


@blueprint.post("/availability/<int:host_id>/calendars/")
@admins_only
def host_calendars_submit(host_id: int) -> ResponseReturnValue:
    """Add a calendar; the deliver process reads it, and nothing is offered until it has."""
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
    except host_updates.InUse:
        form.label.errors = ["Another calendar of this host is called so."]
        return _render_calendars(host_id, form), 422
    flash("Added. It is read within minutes; until then nothing is offered.")
    return redirect(url_for(".host_calendars", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/calendars/<int:feed_id>/remove")
@admins_only
def remove_calendar(host_id: int, feed_id: int) -> ResponseReturnValue:
    """Read a calendar no more, and forget what was read of it."""

    def change(_session: Session, host: Host) -> dict:
        host.feeds.remove(own_row_or_404(host.feeds, feed_id))
        return {"calendar": feed_id}

    host_updates.extend(host_id, AuditKind.CALENDAR_REMOVED, change)
    flash("Removed. What it held is in nobody\u2019s way any more.")
    return redirect(url_for(".host_calendars", host_id=host_id), 303)


@blueprint.post("/availability/<int:host_id>/calendars/new-link")
@admins_only
def new_feed_link(host_id: int) -> ResponseReturnValue:
    """Give the feed of bookings another address; the one that it had shows nothing any more."""

    def change(_session: Session, host: Host) -> dict:
        host.feed_version += 1
        return {"feed_version": host.feed_version}

    host_updates.extend(host_id, AuditKind.FEED_LINK_CHANGED, change)
    flash("There is a new link, and the old one is dead.")
    return redirect(url_for(".host_calendars", host_id=host_id), 303)


def _render_calendars(host_id: int, form: FeedForm) -> str:
    now = clock.now()
    with context().database.read() as session:
        host = host_updates.find_host_or_404(session, host_id)
        feeds = [calendar_status.state(feed, now) for feed in host.feeds]
        return render_template(
            "desk/hosts/calendars.html",
            host=host,
            form=form,
            feeds=feeds,
            agenda=feed.feed_link(context().settings, host),
        )
