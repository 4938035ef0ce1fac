"""Add a lead by hand, such as someone who phoned or left a card at a trade fair."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor
from ...leads.contact_details import LABELS
from ...web.context import context
from ...web.tokens import new_token, token_hash
from ..blueprint import blueprint, write
from ..team import membership
from . import lead_updates
from .forms import NewLeadForm


@blueprint.get("/leads/new/")
def new_lead() -> str:
    """Show the form; `how` fills in how the member knows the person."""
    known = {"owner_id": str(g.desk.member_id), "how": request.args.get("how", "")}
    return _render_form(NewLeadForm(data=known | {"submission": new_token()}))


@blueprint.post("/leads/new/")
def new_lead_submit() -> ResponseReturnValue:
    """Add the lead, or fill in an existing one."""
    form = NewLeadForm(request.form)

    def work(session: Session, by: Actor) -> tuple[int, str] | None:
        form.offer(membership.members(session))
        if not form.validate():
            return None
        added = lead_updates.add(
            session,
            form.details(form.email.data or ""),
            form.how.data or "",
            by,
            owner_id=form.owner,
            may_contact=form.consent,
            note=form.note.data or "",
            # All fields count: someone may go back and change the form for another person.
            key=token_hash(f"desk {form.data}") if form.submission.data else None,
        )
        return added.lead.id, _told(added)

    done = write(work)
    if done is None:
        return _render_form(form), 422
    lead_id, told = done
    if "again" in request.form:
        flash(f"{told} Enter the next one.")
        return redirect(url_for(".new_lead", how=form.how.data), 303)
    flash(told)
    return redirect(url_for(".lead", lead_id=lead_id), 303)


def _told(added: lead_updates.Added) -> str:
    """Describe the result of the form."""
    if added.is_new:
        return "Added."
    told = f"We already had {added.lead.email} and filled in missing details."
    if not added.other:
        return told
    *before, last = (LABELS[name].lower() for name in added.other)
    names = f"{', '.join(before)} and {last}" if before else last
    return f"{told} You entered a different {names}. We kept ours, and yours is in the timeline."


def _render_form(form: NewLeadForm) -> str:
    with context().database.read() as session:
        form.offer(membership.members(session))
        return render_template("desk/leads/new_lead.html", form=form)
