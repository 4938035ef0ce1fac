"""Erasing a lead from the desk: asked first, and then for good."""

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from .. import clock, privacy
from ..context import context
from . import dossier
from .blueprint import admins_only, blueprint
from .lead_page import find


@blueprint.get("/leads/<int:lead_id>/erase")
@admins_only
def erase(lead_id: int) -> str:
    """Ask whether this is meant, and say what it comes to; nothing is erased by looking."""
    with context().database.read() as session:
        lead, now = find(session, lead_id), clock.now()
        coming = [
            call
            for call in dossier.calls_of(session, lead)
            if call.is_live and call.starts_at > now
        ]
        return render_template("desk/erase.html", lead=lead, coming=coming)


@blueprint.post("/leads/<int:lead_id>/erase")
@admins_only
def erase_submit(lead_id: int) -> ResponseReturnValue:
    """Erase everything held about the lead's address."""
    database, now, by = context().database, clock.now(), g.desk.member_id
    with database.read() as session:
        address = find(session, lead_id).address
    privacy.erase_everywhere(database, context().settings, address, now, by)
    flash("Erased. Only a mark remains, from which the address cannot be read.")
    return redirect(url_for(".inbox"), 303)
