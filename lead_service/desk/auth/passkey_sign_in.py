"""Sign in with a passkey, and keep the browser's challenge."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ... import clock
from ...accounts.audit_log import Actor, AuditKind
from ...web.context import context
from ...web.tokens import new_token
from ..blueprint import COOKIE, blueprint
from . import passkeys, sign_in
from .passkeys import Challenge, Refused

CHALLENGE = "challenge"  # in Flask's signed cookie


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
        return sign_in.start_session(writing, passkey.member, before, now, passkey=passkey.id)

    try:
        signed_in = context().database.write(work)
    except Refused as refused:
        return _refuse(str(refused), now)
    return sign_in.let_in(*signed_in)


def _refuse(whose: str, now: datetime) -> ResponseReturnValue:
    sign_in.count_try()
    context().database.write(
        lambda writing: Actor(now).note(writing, AuditKind.SIGN_IN_REFUSED, whose)
    )
    return sign_in.sign_in_page(passkey_refused=True), 422
