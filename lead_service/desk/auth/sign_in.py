"""Sign in by an emailed link or a passkey, and sign out."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests
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
from .passkeys import Challenge, Refused

# Per client, for any address: strangers who use a member's address must not lock that member
# out. A browser that has signed in before isn't limited.
TRIES = "20 per hour"
ASKED = "asked"  # identifies the browser that asked for a link, in Flask's signed cookie
KNOWN = "known"  # ids of members who have signed in with the browser
CHALLENGE = "challenge"  # in Flask's signed cookie


class SignInForm(Form):
    """The form with the address to sign in."""

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
    """Email a link to a member; other addresses get the same response after the same work."""
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
    """Say what happens next, without revealing whether the address is a member's."""
    browser = session.get(ASKED)
    code = links.code_of(context().settings.secret, browser) if browser else ""
    return render_template("desk/auth/sign_in_sent.html", minutes=links.LINK_MINUTES, code=code)


@blueprint.get("/sign-in/<token>/")
def link(token: str) -> ResponseReturnValue:
    """Show a button, because email scanners open every link: a GET must not use it."""
    return _link_page(token)


@blueprint.post("/sign-in/<token>/")
def link_submit(token: str) -> ResponseReturnValue:
    """Use the link: start a new session for this browser, and end its old one."""
    now, before = clock.now(), session.get(COOKIE)
    browser, code = session.get(ASKED, ""), request.form.get("code", "")

    def work(writing) -> tuple[str, int] | None:
        if (member := links.claim(writing, token, now, browser, code)) is None:
            links.note_refusal(writing, token, now)
            return None
        return start_session(writing, member, before, now)

    if (signed_in := context().database.write(work)) is None:
        count_try()
        return _link_page(token, wrong_code=True)
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
    """Set this browser's session, and redirect to the page that it had requested."""
    wanted, known = session.get(WANTED), session.get(KNOWN, [])
    session.clear()  # also renews the CSRF token
    session.permanent = True  # keep the cookie for as long as the browser stays known
    session[COOKIE], session[KNOWN] = id, [*{*known, member_id}]
    return redirect(wanted or url_for(".inbox"), 303)


@blueprint.post("/sign-out/")
def sign_out() -> ResponseReturnValue:
    """End the session in the database, so that copies of the cookie are worthless."""
    id = session[COOKIE]

    def work(writing: Session, by: Actor) -> None:
        sessions.end_session(writing, id, by.at)
        by.note(writing, AuditKind.SIGNED_OUT, f"member {by.member_id}")

    write(work)
    return signed_out()


def signed_out() -> ResponseReturnValue:
    """Clear the browser's data of the desk, except for the members who have signed in."""
    known = session.get(KNOWN, [])
    session.clear()
    session.permanent, session[KNOWN] = True, known
    answer = redirect(url_for(".sign_in"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _link_page(token: str, *, wrong_code: bool = False) -> ResponseReturnValue:
    """Render a link's button, with a field for the code if another browser asked for it.

    The page of an unknown, used or expired link offers a new one.
    """
    now, browser = clock.now(), session.get(ASKED, "")
    with context().database.read() as reading:
        if not links.is_usable(reading, token, now):
            return sign_in_page(dead_link=True), 404
        asks = links.needs_code(reading, token, now, browser)
    shown = {"token": token, "asks": asks, "wrong_code": wrong_code}
    return render_template("desk/auth/sign_in_link.html", **shown), 422 if wrong_code else 200


def count_try() -> None:
    """Count a client's try; raise 429 if there were too many."""
    if wait := context().limits.hit(TRIES, "desk-sign-in", token_hash(client_address())):
        raise TooManyRequests(retry_after=wait)


def give_challenge(options: Callable[[Challenge], str]) -> Response:
    """Return options with a new challenge for this browser, which replaces the last one."""
    if not context().settings.passkey_host:
        abort(404)
    challenge = Challenge(new_token(), clock.now())
    session[CHALLENGE] = [challenge.text, challenge.at.isoformat()]
    return Response(options(challenge), mimetype="application/json")


def take_challenge() -> Challenge | None:
    """Remove and return the challenge of this browser."""
    text, at = session.pop(CHALLENGE, None) or (None, "")
    return Challenge(text, datetime.fromisoformat(at)) if text else None


@blueprint.post("/sign-in/passkey/challenge")
def passkey_challenge() -> Response:
    """Ask this browser for any member's passkey."""
    settings = context().settings
    return give_challenge(lambda challenge: passkeys.request_options(settings, challenge))


@blueprint.post("/sign-in/passkey/")
def sign_in_by_passkey() -> ResponseReturnValue:
    """Start a session for the member whose passkey signed the challenge."""
    settings, now, before = context().settings, clock.now(), session.get(COOKIE)
    challenge, answer = take_challenge(), request.form.get("credential", "")

    def work(writing: Session) -> tuple[str, int]:
        passkey = passkeys.use(writing, settings, challenge, answer, now)
        return start_session(writing, passkey.member, before, now, passkey=passkey.id)

    try:
        signed_in = context().database.write(work)
    except Refused as refused:
        return _refuse_passkey(str(refused), now)
    return let_in(*signed_in)


def _refuse_passkey(whose: str, now: datetime) -> ResponseReturnValue:
    count_try()
    context().database.write(
        lambda writing: Actor(now).note(writing, AuditKind.SIGN_IN_REFUSED, whose)
    )
    return sign_in_page(passkey_refused=True), 422
