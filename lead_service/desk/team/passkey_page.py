"""A member's own passkeys, on the team's page: add and remove them."""

from flask import Response, abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from ...web.context import context
from ..auth import passkeys
from ..auth.passkey_sign_in import give_challenge, take_challenge
from ..blueprint import blueprint, write
from .forms import PasskeyForm
from .team_page import render_team

REFUSED = "We couldn\u2019t add that passkey. Try again."


@blueprint.post("/team/me/passkeys/challenge")
def new_passkey_challenge() -> Response:
    """Return the options for creating a passkey in this browser."""
    settings, member = context().settings, g.desk.member
    with context().database.read() as reading:
        return give_challenge(
            lambda challenge: passkeys.creation_options(reading, settings, member, challenge)
        )


@blueprint.post("/team/me/passkeys/")
def add_passkey() -> ResponseReturnValue:
    """Store the passkey that this browser has created."""
    form, settings = PasskeyForm(request.form), context().settings
    challenge, answer = take_challenge(), request.form.get("credential", "")
    if not form.validate():
        return render_team(keying=form), 422
    name = form.passkey_name.data or ""

    try:
        write(lambda writing, by: passkeys.add(writing, settings, by, challenge, answer, name=name))
    except passkeys.Refused:
        return render_team(refusal=REFUSED), 422
    flash("Added. You can sign in with this passkey from now on.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/me/passkeys/<int:passkey_id>/remove")
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Remove one of the member's own passkeys."""
    if not write(lambda writing, by: passkeys.remove(writing, passkey_id, by)):
        abort(404)
    flash("Removed. It doesn\u2019t sign you in anymore. You can delete it on your device too.")
    return redirect(url_for(".team"), 303)
