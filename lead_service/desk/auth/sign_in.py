"""Signing in and out: an address, an emailed link, one click on a button."""

from datetime import datetime

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests
from werkzeug.routing import BuildError
from wtforms import Form

from ... import clock
from ...accounts.audit_log import Actor, AuditKind
from ...accounts.members import Member
from ...web.context import context
from ...web.fields import address
from ...web.security import client_address
from ...web.tokens import new_token, token_hash
from ..blueprint import COOKIE, WANTED, blueprint, current_session, write
from . import links, passkeys, sessions

# Of one client, in whosever name: what strangers do in a member's name must not keep that member
# out. A browser that has signed in before is not counted.
TRIES = "20 per hour"
ASKED = "asked"  # what a browser that asked for a link is known by, in Flask's signed cookie
KNOWN = "known"  # the ids of members who have signed in there


class SignInForm(Form):
    """Who wants to sign in."""

    email = address("Your work email")


@blueprint.get("/sign-in/")
def sign_in() -> ResponseReturnValue:
    """Ask for an address."""
    if current_session():
        return redirect(url_for(".inbox"), 303)
    return sign_in_page()


def sign_in_page(form: SignInForm | None = None, **told: bool) -> str:
    """Render the page that asks for an address, or for a passkey."""
    return render_template("desk/auth/sign_in.html", form=form or SignInForm(), **told)


@blueprint.post("/sign-in/")
def sign_in_submit() -> ResponseReturnValue:
    """Mail a link to a member; answer everybody else in the same way, after the same work."""
    is_known = bool(session.get(KNOWN))
    if not is_known:
        count_try()
    form, now, settings = SignInForm(request.form), clock.now(), context().settings
    if not form.validate():
        return sign_in_page(form), 422
    email = form.email.data or ""
    browser = session.setdefault(ASKED, new_token())
    context().database.write(
        lambda writing: links.mail_link(
            writing, settings, email, now, browser=browser, is_known=is_known
        )
    )
    return redirect(url_for(".sign_in_sent"), 303)


@blueprint.get("/sign-in/sent/")
def sign_in_sent() -> str:
    """Say what happens next, without saying whether the address is known."""
    browser = session.get(ASKED)
    code = links.code_of(context().settings.secret, browser) if browser else ""
    return render_template("desk/auth/sign_in_sent.html", minutes=links.LINK_MINUTES, code=code)


@blueprint.get("/sign-in/<token>/")
def link(token: str) -> ResponseReturnValue:
    """Show one button: mail scanners open every link, so opening it must not use it."""
    return _link_page(token) or _dead_link()


@blueprint.post("/sign-in/<token>/")
def link_submit(token: str) -> ResponseReturnValue:
    """Use the link: a new session for this browser, and the end of the one that it had."""
    now, before = clock.now(), session.get(COOKIE)
    browser, code = session.get(ASKED, ""), request.form.get("code", "")

    def work(writing) -> tuple[str, int] | None:
        if (member := links.claim(writing, token, now, browser, code)) is None:
            links.note_refusal(writing, token, now)
            return None
        return start_session(writing, member, before, now)

    if (signed_in := context().database.write(work)) is None:
        count_try()
        page = _link_page(token, wrong_code=True)
        return (page, 422) if page else _dead_link()
    answer = let_in(*signed_in)
    _offer_passkey(signed_in[1])
    return answer


def _offer_passkey(member_id: int) -> None:
    """Tell a member without passkeys, once, that they could sign in without email."""
    with context().database.read() as reading:
        has_some = passkeys.of_member(reading, reading.get_one(Member, member_id))
    if context().settings.passkey_host and not has_some:
        link = Markup('<a href="{}#passkeys">Add a passkey</a>').format(url_for(".team"))
        flash(link + " to sign in without an email next time.")


def start_session(
    writing: Session, member: Member, before: str | None, now: datetime, **how: int
) -> tuple[str, int]:
    """Start a session and end the one `before` it; return its id and the member's."""
    Actor(now, member).note(writing, AuditKind.SIGNED_IN, f"member {member.id}", **how)
    if before:
        sessions.end_session(writing, before, now)
    id = sessions.start_session(writing, member, now, request.user_agent.string)
    return id, member.id


def let_in(id: str, member_id: int) -> ResponseReturnValue:
    """Give this browser a session, and open the page that was asked for."""
    wanted, known = session.get(WANTED), session.get(KNOWN, [])
    session.clear()  # a new token against forgery too: nothing from before signing in survives
    session.permanent = True  # as long as the browser is to be known
    session[COOKIE], session[KNOWN] = id, [*{*known, member_id}]
    return redirect(_wanted_page(wanted), 303)


@blueprint.post("/sign-out/")
def sign_out() -> ResponseReturnValue:
    """End the session on our side, so that a copy of the cookie is worthless."""
    id = session[COOKIE]

    def work(writing: Session, by: Actor) -> None:
        sessions.end_session(writing, id, by.at)
        by.note(writing, AuditKind.SIGNED_OUT, f"member {by.member_id}")

    write(work)
    return signed_out()


def signed_out() -> ResponseReturnValue:
    """Clear what the browser keeps of the desk; who has signed in there stays known."""
    known = session.get(KNOWN, [])
    session.clear()
    session.permanent, session[KNOWN] = True, known
    answer = redirect(url_for(".sign_in"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _wanted_page(wanted: list | None) -> str:
    """Return the page that was asked for before signing in; only our own routes can be."""
    try:
        endpoint, arguments = wanted or [".inbox", {}]
        return url_for(endpoint, **arguments)
    except (BuildError, TypeError, ValueError):
        return url_for(".inbox")


def _link_page(token: str, *, wrong_code: bool = False) -> str | None:
    """Render the button of a link, with a field for the code in a browser that did not ask."""
    now, browser = clock.now(), session.get(ASKED, "")
    with context().database.read() as reading:
        if not links.is_usable(reading, token, now):
            return None
        asks = links.needs_code(reading, token, now, browser)
    return render_template(
        "desk/auth/sign_in_link.html", token=token, asks=asks, wrong_code=wrong_code
    )


def _dead_link() -> ResponseReturnValue:
    """Offer a new link where one is wrong, used or old."""
    return sign_in_page(dead_link=True), 404


def count_try() -> None:
    """Count one try of a client; raise 429 when there were too many."""
    if wait := context().limits.hit(TRIES, "desk-sign-in", token_hash(client_address())):
        raise TooManyRequests(retry_after=wait)
