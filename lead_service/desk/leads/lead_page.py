"""The pages of one lead: show and change it, correct its address, add one by hand."""

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form

from ... import clock
from ...accounts.audit_log import Actor, AuditEntry, AuditKind
from ...book import bookings, call_changes
from ...book.answers import link_for
from ...book.forms import refuse_hosts
from ...leads import capture, consent
from ...leads.contact_details import LABELS
from ...leads.models import Lead, Note
from ...web.context import context
from ...web.fields import address
from ...web.tokens import new_token, token_hash
from ..blueprint import blueprint, desk_zone, write
from ..team import membership
from . import bulk_actions, inbox, lead_detail, lead_updates
from .forms import LeadForm, NewLeadForm

# Limits, so that the page of a lead with thousands of events still opens.
MOST_LINES, MOST_SAID = 200, 10
STALE_ADDRESS = (
    "Someone else has corrected an address since you opened this page. Check the addresses, then"
    " send the form again."
)


class EmailForm(Form):
    """The address that was meant."""

    validate_email = refuse_hosts
    email = address("Email address", required="Enter the right email address.")


@blueprint.get("/leads/<int:lead_id>/")
def lead(lead_id: int) -> str:
    """Show a lead: the brief first, then the history."""
    return _render_lead(lead_id)


@blueprint.post("/leads/<int:lead_id>/")
def lead_submit(lead_id: int) -> ResponseReturnValue:
    """Save stage, owner, next action, details and a note; 409 if another changed the same."""
    form = LeadForm(request.form)

    def save(session: Session, by: Actor) -> str | None:
        found = find_lead_or_404(session, lead_id, lock=True)
        form.offer(membership.members(session, found.owner_id))
        if not form.validate():
            return None
        seen = lead_updates.parse_update(form.seen.data or "")
        is_changed = lead_updates.save(session, found, form.wanted, seen, by)
        if form.note.data:
            lead_updates.write_note(session, found, form.note.data, by)
        return "Saved." if is_changed or form.note.data else "Nothing has changed."

    try:
        told = write(save)
    except lead_updates.StaleLead as stale:
        return _render_lead(lead_id, form, stale=stale), 409
    if told is None:
        return _render_lead(lead_id, form), 422
    flash(told)
    return redirect(url_for(".lead", lead_id=lead_id), 303)


@blueprint.post("/leads/<int:lead_id>/notes/<int:note_id>/remove")
def remove_note(lead_id: int, note_id: int) -> ResponseReturnValue:
    """Remove the member's own note; an admin may remove any."""

    def work_on(session: Session, by: Actor) -> bool:
        note = session.get(Note, note_id)
        if note is None or note.lead_id != lead_id:
            abort(404)
        return lead_updates.remove_note(session, note, by)

    if not write(work_on):
        abort(403)
    return redirect(url_for(".lead", lead_id=lead_id, _anchor="notes"), 303)


@blueprint.post("/leads/<int:lead_id>/release")
def release(lead_id: int) -> ResponseReturnValue:
    """Release a lead, its calls and their emails, unless it has changed since it was shown."""

    def work(session: Session, by: Actor) -> int:
        found = find_lead_or_404(session, lead_id, lock=True)
        return bulk_actions.release(session, found, by)

    try:
        emails = write(work)
    except lead_updates.StaleLead:
        flash("Nothing was changed, because someone else changed this lead. Look at it again.")
    else:
        later = " We\u2019ll send the held emails that can still arrive in time."
        flash(f"Released.{later if emails else ''}")
    return redirect(url_for(".lead", lead_id=lead_id), 303)


def find_lead_or_404(session: Session, lead_id: int, *, lock: bool = False) -> Lead:
    """Find a lead by its id, or 404; redirect to the lead that it was combined into.

    A form that was open meanwhile is sent to that lead, so that nothing typed is lost.
    """
    if found := session.get(Lead, lead_id, with_for_update=True if lock else None):
        return found
    combined = AuditEntry.detail["other_lead"].as_integer() == lead_id
    query = select(AuditEntry.subject).where(AuditEntry.what == AuditKind.LEADS_COMBINED, combined)
    subject = session.scalar(query.limit(1)) or abort(404)
    there = f"/leads/{subject.removeprefix('lead ')}"
    abort(redirect(request.full_path.replace(f"/leads/{lead_id}", there, 1), 307))


def _render_lead(
    lead_id: int,
    form: LeadForm | None = None,
    stale: lead_updates.StaleLead | None = None,
) -> str:
    """Render the page with the submitted forms, or else with the lead's present values.

    `stale` lists another member's changes since: the form then shows the lead's present
    values, except for the writer's own changes, so that sending it again is deliberate.
    """
    with context().database.read() as session:
        found, zone = find_lead_or_404(session, lead_id), desk_zone(session)
        call_id = request.args.get("call", 0, type=int)
        known = lead_detail.load_lead_detail(
            session, found, context().published, clock.now(), zone, call_id
        )
        if form is None or stale:
            form = form or LeadForm()
            form.show(found, kept=stale.touched if stale else ())
        form.offer(membership.members(session, found.owner_id))
        return render_template(
            "desk/leads/lead.html",
            dossier=known,
            lead=found,
            form=form,
            stale=stale,
            labels=lead_updates.FIELDS,
            today=inbox.desk_today(session, clock.now()),
            most_lines=MOST_LINES,
            most_said=MOST_SAID,
            consent_in_words=consent.in_words,
            wordings=consent.WORDINGS,
            booking_link=link_for(session, context().settings, found),
        )


@blueprint.get("/leads/<int:lead_id>/email/")
def correct_email(lead_id: int) -> str:
    """Ask for the address; 404 for a lead whose mailbox said that it is another person."""
    return _render_email(lead_id, EmailForm())


@blueprint.post("/leads/<int:lead_id>/email/")
def correct_email_submit(lead_id: int) -> ResponseReturnValue:
    """Correct it; where another lead has the address, ask first whether the two are one."""
    form = EmailForm(request.form)
    if not form.validate():
        return _render_email(lead_id, form), 422
    email = form.email.data or ""

    def work(session: Session, by: Actor) -> int | Lead:
        has_it = Lead.address == capture.normalize_email(email)
        # Not locked yet: the hosts of the calls are locked before their lead.
        other = session.scalar(select(Lead).where(has_it))
        if other and other.id != lead_id and request.form.get("other") != str(other.id):
            return other
        if "other" in request.form and other is None:
            raise bookings.Stale
        found = _find_to_correct(session, lead_id)
        if found.email != email:
            settings, seen = context().settings, request.form.get("seen")
            found = call_changes.correct_email(session, settings, found, email, by, seen=seen)
        return found.id

    try:
        found = write(work)
    except bookings.Stale:
        return _render_email(lead_id, form, refusal=STALE_ADDRESS), 409
    if isinstance(found, Lead):
        return _render_email(lead_id, form, found), 409
    told = "Combined the two leads. Details that differ are in the timeline."
    done = "Saved." if found == lead_id else told
    flash(f"{done} We\u2019ll send later emails to this address.")
    return redirect(url_for(".lead", lead_id=found), 303)


def _find_to_correct(session: Session, lead_id: int) -> Lead:
    found = find_lead_or_404(session, lead_id)
    return abort(404) if found.disowned_at else found


def _render_email(
    lead_id: int, form: EmailForm, other: Lead | None = None, refusal: str = ""
) -> str:
    with context().database.read() as session:
        found = _find_to_correct(session, lead_id)
        calls = bookings.coming_calls(session, [found.id], clock.now())
        page, shown = "desk/leads/email.html", {"lead": found, "form": form, "calls": calls}
        return render_template(page, **shown, other=other, refusal=refusal)


@blueprint.get("/leads/new/")
def new_lead() -> str:
    """Show the form; `how` fills in how the member knows the person."""
    known = {"owner_id": str(g.desk.member_id), "how": request.args.get("how", "")}
    return _render_new(NewLeadForm(data=known | {"submission": new_token()}))


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
        return added.lead.id, _told_added(added)

    done = write(work)
    if done is None:
        return _render_new(form), 422
    lead_id, told = done
    if "again" in request.form:
        flash(f"{told} Enter the next one.")
        return redirect(url_for(".new_lead", how=form.how.data), 303)
    flash(told)
    return redirect(url_for(".lead", lead_id=lead_id), 303)


def _told_added(added: lead_updates.Added) -> str:
    """Describe the result of the form."""
    if added.is_new:
        return "Added."
    told = f"We already had {added.lead.email} and filled in missing details."
    if not added.other:
        return told
    *before, last = (LABELS[name].lower() for name in added.other)
    names = f"{', '.join(before)} and {last}" if before else last
    return f"{told} You entered a different {names}. We kept ours, and yours is in the timeline."


def _render_new(form: NewLeadForm) -> str:
    with context().database.read() as session:
        form.offer(membership.members(session))
        return render_template("desk/leads/new_lead.html", form=form)
