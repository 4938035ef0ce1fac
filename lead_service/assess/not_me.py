"""“This was not me”: somebody's address was typed by somebody else, and they take it back.

The link proves itself, so that it says the same before and after, however often it is followed.
"""

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from .. import clock
from ..context import context
from ..security import limit_posts
from . import mailing
from .blueprint import blueprint


@blueprint.get("/not-me/<token>/")
def not_me(token: str) -> str:
    """Ask whether this is meant, or say that nothing is left; looking erases nothing."""
    key = mailing.key_of(token, context().settings.secret) or abort(404)
    with context().database.read() as session:
        is_held = mailing.submission(session, key) is not None
    return render_template("assess/not_me.html", token=token, is_held=is_held)


@blueprint.post("/not-me/<token>/")
@limit_posts
def not_me_submit(token: str) -> ResponseReturnValue:
    """Erase what that one submission added; a second press finds nothing."""
    settings, now = context().settings, clock.now()
    key = mailing.key_of(token, settings.secret) or abort(404)
    context().database.write(lambda session: mailing.disown(session, settings, key, now))
    return redirect(url_for(".not_me", token=token), 303)
