"""Erasing a lead from the desk: asked first, and then for good."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...web.context import context
from ..blueprint import admins_only, blueprint
from ..privacy.privacy_page import erase_for_good
from . import lead_detail
from .lead_page import find_lead_or_404


@blueprint.get("/leads/<int:lead_id>/erase")
@admins_only
def erase(lead_id: int) -> str:
    """Ask whether this is meant, and say what it comes to; nothing is erased by looking."""
    with context().database.read() as session:
        lead = find_lead_or_404(session, lead_id)
        coming = lead_detail.coming_calls(session, lead, clock.now())
        return render_template("desk/leads/erase.html", lead=lead, coming=coming)


@blueprint.post("/leads/<int:lead_id>/erase")
@admins_only
def erase_submit(lead_id: int) -> ResponseReturnValue:
    """Erase everything held about the lead's address."""
    with context().database.read() as session:
        address = find_lead_or_404(session, lead_id).address
    erase_for_good(address)
    return redirect(url_for(".inbox"), 303)
