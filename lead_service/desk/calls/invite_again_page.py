"""Preview and send the email that asks the visitor of a no-show to book again."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...book import call_changes, emails
from ...emails import outbox
from ...emails.message import EmailKind
from ...emails.outbox import NotNeeded
from ...web.context import context
from ..blueprint import blueprint, write
from .change_pages import NoteForm
from .list_pages import find_call_or_404, render_call


@blueprint.get("/calls/<int:call_id>/again/")
def invite_again(call_id: int) -> ResponseReturnValue:
    """Show a preview of the email."""
    return _render(call_id, NoteForm())


@blueprint.post("/calls/<int:call_id>/again/")
def invite_again_submit(call_id: int) -> ResponseReturnValue:
    """Send the email, or show the preview with the note."""
    form = NoteForm(request.form)
    if not form.validate():
        return _render(call_id, form)
    if "show" in request.form:
        return _render(call_id, form)
    note = form.note.data or ""
    if not write(
        lambda session, by: call_changes.invite_again(
            session, find_call_or_404(session, call_id), by, note
        )
    ):
        refusal = "We have invited them already, or the call is not marked as a no-show."
        return render_call(call_id, refusal), 409
    flash("We\u2019ll email them.")
    return redirect(url_for(".call", call_id=call_id), 303)


def _render(call_id: int, form: NoteForm) -> ResponseReturnValue:
    settings, published, now = context().settings, context().published, clock.now()
    with context().database.read() as session:
        call = find_call_or_404(session, call_id)
        if outbox.is_told(session, call_id, EmailKind.BOOKING_AGAIN):
            flash("We have invited them already.")
            return redirect(url_for(".call", call_id=call_id), 303)
        email = call_changes.invitation_again(call, now, form.note.data or "")
        try:
            message = emails.invitation_to_book_again(session, settings, published, email, now)
        except NotNeeded as fault:
            flash(f"We didn\u2019t send the email, because {fault.reason}.")
            return redirect(url_for(".call", call_id=call_id), 303)
        page = "desk/calls/invite_again.html"
        shown = render_template(page, call=call, form=form, refusal="", message=message)
        return shown, 422 if form.errors else 200
