"""The page of one booking, for whoever holds its link: the invitation, its address, cancelling.

A GET changes nothing: mail scanners follow every link.
"""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock
from ..context import context
from ..emails import outbox
from ..security import limiter, posts_limit
from . import diary, emails, invites, notices
from .forms import AddressForm
from .models import Booking

blueprint = Blueprint("booking", __name__, url_prefix="/booking")


@blueprint.get("/<token>/")
def show(token: str) -> str:
    """Show the booking as it stands."""
    return _page(token, AddressForm())


@blueprint.get("/<token>/invite.ics")
def invite(token: str) -> Response:
    """Hand out the invitation as a file."""
    with context().database.read() as session:
        booking = diary.find(session, token)
        if booking is None or not booking.is_live:
            abort(404)
        meeting = emails.visitors_meeting(context().settings, booking, clock.now())
    return Response(
        invites.invitation(meeting),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="discovery-call.ics"'},
    )


@blueprint.post("/<token>/cancel")
@limiter.limit(posts_limit)
def cancel(token: str) -> ResponseReturnValue:
    """Cancel the call; a second press changes nothing and mails nobody."""
    now = clock.now()

    def work(session) -> None:
        found = diary.cancel(session, token, now)
        if found is None:
            abort(404)
        booking, was_live = found
        if was_live:
            notices.cancelled(session, context().settings, booking, now)

    context().database.write(work)
    return redirect(url_for(".show", token=token), 303)


@blueprint.post("/<token>/address")
@limiter.limit(posts_limit)
def readdress(token: str) -> ResponseReturnValue:
    """Send the invitation to a corrected address."""
    form, now = AddressForm(request.form), clock.now()
    if not form.validate():
        return _page(token, form), 422

    def work(session) -> bool:
        booking = diary.find(session, token, lock=True)
        if booking is None:
            abort(404)
        if booking.email == form.email.data:
            return True
        before = booking.sequence
        done = diary.readdress(session, booking, form.email.data, now)
        if done:
            outbox.cancel(session, dedupe_prefix=f"{booking.uid}:confirmed:{before}")
            notices.readdressed(session, context().settings, booking, now)
        return done

    if not context().database.write(work):
        form.email.errors = ["Write to us instead: this was changed too often."]
        return _page(token, form), 422
    return redirect(url_for(".show", token=token), 303)


def _page(token: str, form: AddressForm) -> str:
    settings, now = context().settings, clock.now()
    with context().database.read() as session:
        booking = diary.find(session, token)
        if booking is None:
            abort(404)
        return render_template(
            "book/booking.html",
            booking=booking,
            token=token,
            form=form,
            is_over=booking.starts_at <= now,
            **_calendar_links(settings, booking, now),
        )


def _calendar_links(settings, booking: Booking, now) -> dict[str, str]:
    meeting = emails.visitors_meeting(settings, booking, now)
    return {
        "google": invites.google_link(meeting),
        "outlook": invites.outlook_link(meeting),
    }
