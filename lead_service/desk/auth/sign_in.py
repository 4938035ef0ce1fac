"""Signing in and out: an address, a mailed link, one press of a button."""

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests
from werkzeug.routing import BuildError
from wtforms import Form

from ... import clock
from ...leads import capture
from ...web.context import context
from ...web.fields import address
from ...web.security import client_address
from ...web.tokens import token_hash
from ..blueprint import COOKIE, WANTED, blueprint, current_session
from . import links, sessions

# A flood makes its sender wait for an hour and then for a day; a link from the command line,
# and one that was mailed before, work all the while.
TRIES = {
    "client": ("10 per hour",),
    "address": ("10 per hour", "40 per day"),
}


class SignInForm(Form):
    """Who wants to sign in."""

    email = address("Your work email")


@blueprint.get("/sign-in/")
def sign_in() -> ResponseReturnValue:
    """Ask for an address."""
    if current_session():
        return redirect(url_for(".inbox"), 303)
    return render_template("desk/auth/sign_in.html", form=SignInForm())


@blueprint.post("/sign-in/")
def sign_in_submit() -> ResponseReturnValue:
    """Mail a link to a member; answer everybody else in the same way, after the same work."""
    _count_try("client", client_address())
    form, now, settings = SignInForm(request.form), clock.now(), context().settings
    if not form.validate():
        return render_template("desk/auth/sign_in.html", form=form), 422
    email = form.email.data or ""
    _count_try("address", capture.normalize_email(email))
    context().database.write(lambda writing: links.mail_link(writing, settings, email, now))
    return redirect(url_for(".sign_in_sent"), 303)


@blueprint.get("/sign-in/sent/")
def sign_in_sent() -> str:
    """Say what happens next, without saying whether the address is known."""
    return render_template("desk/auth/sign_in_sent.html", minutes=links.LINK_MINUTES)


@blueprint.get("/sign-in/<token>/")
def link(token: str) -> ResponseReturnValue:
    """Show one button: mail scanners open every link, so opening it must not use it."""
    with context().database.read() as reading:
        usable = links.is_usable(reading, token, clock.now())
    return render_template("desk/auth/sign_in_link.html", token=token) if usable else _dead_link()


@blueprint.post("/sign-in/<token>/")
def link_submit(token: str) -> ResponseReturnValue:
    """Use the link: a new session for this browser, and the end of the one that it had."""
    now, before = clock.now(), session.get(COOKIE)

    def work(writing) -> str | None:
        if (member := links.claim(writing, token, now)) is None:
            return None
        if before:
            sessions.end_session(writing, before, now)
        return sessions.start_session(writing, member, now)

    id = context().database.write(work)
    if id is None:
        return _dead_link()
    wanted = session.get(WANTED)
    session.clear()  # a new token against forgery too: nothing from before signing in survives
    session[COOKIE] = id
    return redirect(_wanted_page(wanted), 303)


@blueprint.post("/sign-out/")
def sign_out() -> ResponseReturnValue:
    """End the session on our side, so that a copy of the cookie is worthless."""
    id, now = session[COOKIE], clock.now()
    context().database.write(lambda writing: sessions.end_session(writing, id, now))
    session.clear()
    return redirect(url_for(".sign_in"), 303)


def _wanted_page(wanted: list | None) -> str:
    """Return the page that was asked for before signing in; only our own routes can be."""
    try:
        endpoint, arguments = wanted or [".inbox", {}]
        return url_for(endpoint, **arguments)
    except (BuildError, TypeError, ValueError):
        return url_for(".inbox")


def _dead_link() -> ResponseReturnValue:
    """Count a wrong, used or old link as a try, and offer a new one."""
    _count_try("client", client_address())
    return render_template("desk/auth/sign_in.html", form=SignInForm(), dead_link=True), 404


def _count_try(kind: str, who: str) -> None:
    """Count one try of a client or for an address; raise 429 when there were too many."""
    for limit in TRIES[kind]:
        # Hashed: the counter may be kept elsewhere.
        if wait := context().limits.hit(limit, "desk-sign-in", kind, token_hash(who)):
            raise TooManyRequests(retry_after=wait)
