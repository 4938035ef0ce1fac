"""The page of one booking, for anyone with its link: invitation, correction, cancellation.

A GET changes nothing: email scanners follow every link.
"""

from datetime import datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..accounts.audit_log import Actor
from ..emails import outbox
from ..emails.message import EmailKind
from ..web.context import context
from ..web.security import limit_posts
from . import bookings, call_changes, emails, invitations, notifications
from .bookings import correct_email as readdress_booking
from .forms import AddressForm
from .hosts.models import offered_calls
from .visitor import query_params

INVITATIONS = (EmailKind.BOOKING_CONFIRMED, EmailKind.BOOKING_CHANGED)

blueprint = Blueprint("booking", __name__, url_prefix="/booking")


@blueprint.get("/<token>/")
def show(token: str) -> str:
    """Show the booking."""
    return _render_booking(token, AddressForm())


@blueprint.get("/<token>/invite.ics")
def invite(token: str) -> Response:
    """Return the invitation as a file."""
    with context().database.read() as session:
        booking = bookings.find_booking(session, token)
        if booking is None or not booking.is_live or not booking.is_confirmed:
            abort(404)
        meeting = emails.visitors_meeting(
            context().settings, context().published, booking, clock.now()
        )
    return Response(
        invitations.invitation(meeting),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )


@blueprint.post("/<token>/cancel")
@limit_posts
def cancel(token: str) -> ResponseReturnValue:
    """Cancel the call; a second request changes nothing and sends no email."""
    by, seen = Actor(clock.now()), request.form.get("seen", type=int)

    def work(session: Session) -> bool:
        booking = bookings.find_booking(session, token) or abort(404)
        call_changes.cancel(session, context().settings, booking, by, seen=seen)
        return not booking.is_live

    try:
        is_canceled = context().database.write(work)
    except bookings.Stale:
        return _render_booking(token, AddressForm(), is_stale=True), 409
    if not is_canceled:
        return _render_booking(token, AddressForm(), too_late=True), 409
    return redirect(url_for(".show", token=token), 303)


@blueprint.post("/<token>/address")
@limit_posts
def readdress(token: str) -> ResponseReturnValue:
    """Send the invitation to a corrected address."""
    form, now = AddressForm(request.form), clock.now()
    if not form.validate():
        return _render_booking(token, form), 422
    new_token = context().database.write(
        lambda session: _readdress(session, token, form.email.data or "", now)
    )
    if new_token is None:
        form.email.errors = ["You can\u2019t change this here anymore. Write to us instead."]
        return _render_booking(token, form), 422
    return redirect(url_for(".show", token=new_token), 303)


def _readdress(session: Session, token: str, email: str, now: datetime) -> str | None:
    """Correct the address and queue the emails; return the link's new token."""
    settings = context().settings
    booking = bookings.find_booking(session, token, lock=True)
    if booking is None:
        abort(404)
    before = booking.email
    if before != email:
        if not readdress_booking(session, settings, booking, email, now):
            return None
        notifications.email_corrected(session, settings, booking, before, Actor(now))
    return bookings.manage_token(booking, settings.secret)


def _render_booking(
    token: str, form: AddressForm, *, too_late: bool = False, is_stale: bool = False
) -> str:
    settings, now = context().settings, clock.now()
    with context().database.read() as session:
        booking = bookings.find_booking(session, token)
        if booking is None:
            abort(404)
        query_params.remember(session, booking)
        return render_template(
            "book/booking.html",
            booking=booking,
            token=token,
            form=form,
            too_late=too_late,
            is_stale=is_stale,
            is_over=booking.starts_at <= now,
            reminders=len(notifications.reminders_ahead(settings, booking, now)),
            is_moved=request.args.get("changed") == "moved",
            is_told=outbox.is_told(session, booking.id, EmailKind.BOOKING_CANCELLED),
            is_asked=outbox.is_told(session, booking.id, EmailKind.BOOKING_REQUESTED),
            is_invited=outbox.is_told(session, booking.id, *INVITATIONS),
            offered=offered_calls(session, context().published.calls),
            **emails.calendar_links(
                booking, emails.visitors_meeting(settings, context().published, booking, now)
            ),
        )
