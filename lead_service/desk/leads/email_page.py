"""Correct the email address of a lead who told a member the right one."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form

from ... import clock
from ...accounts.audit_log import Actor
from ...book import bookings, call_changes
from ...book.forms import refuse_hosts
from ...leads import capture
from ...leads.models import Lead
from ...web.context import context
from ...web.fields import address
from ..blueprint import blueprint, write
from .lead_page import find_lead_or_404

STALE = (
    "Someone else has corrected an address since you opened this page. Check the addresses, then"
    " send the form again."
)


class EmailForm(Form):
    """The address that was meant."""

    validate_email = refuse_hosts
    email = address("Email address", required="Enter the right email address.")


@blueprint.get("/leads/<int:lead_id>/email/")
def correct_email(lead_id: int) -> str:
    """Ask for the address; 404 for a lead whose mailbox said that it is another person."""
    return _render(lead_id, EmailForm())


@blueprint.post("/leads/<int:lead_id>/email/")
def correct_email_submit(lead_id: int) -> ResponseReturnValue:
    """Correct it; where another lead has the address, ask first whether the two are one."""
    form = EmailForm(request.form)
    if not form.validate():
        return _render(lead_id, form), 422
    email = form.email.data or ""

    def work(session: Session, by: Actor) -> int | Lead:
        has_it = Lead.address == capture.normalize_email(email)
        # Not locked yet: the hosts of the calls are locked before their lead.
        other = session.scalar(select(Lead).where(has_it))
        if other and other.id != lead_id and request.form.get("other") != str(other.id):
            return other
        if "other" in request.form and other is None:
            raise bookings.Stale
        found = _find(session, lead_id)
        if found.email != email:
            settings, seen = context().settings, request.form.get("seen")
            found = call_changes.correct_email(session, settings, found, email, by, seen=seen)
        return found.id

    try:
        found = write(work)
    except bookings.Stale:
        return _render(lead_id, form, refusal=STALE), 409
    if isinstance(found, Lead):
        return _render(lead_id, form, found), 409
    told = "Combined the two leads. Details that differ are in the timeline."
    done = "Saved." if found == lead_id else told
    flash(f"{done} We\u2019ll send later emails to this address.")
    return redirect(url_for(".lead", lead_id=found), 303)


def _find(session: Session, lead_id: int) -> Lead:
    found = find_lead_or_404(session, lead_id)
    return abort(404) if found.disowned_at else found


def _render(lead_id: int, form: EmailForm, other: Lead | None = None, refusal: str = "") -> str:
    with context().database.read() as session:
        found = _find(session, lead_id)
        calls = bookings.coming_calls(session, [found.id], clock.now())
        page, shown = "desk/leads/email.html", {"lead": found, "form": form, "calls": calls}
        return render_template(page, **shown, other=other, refusal=refusal)
