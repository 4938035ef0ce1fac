"""Show, export and erase a person's data. For admins."""

import json
from datetime import timedelta

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form

from .. import clock
from ..accounts.audit_log import Actor, AuditKind
from ..book import bookings
from ..db.base import row_id
from ..emails import provider_erasure
from ..formats import write_date
from ..leads.models import Lead
from ..privacy import backup_files, erasure, export, retention
from ..web.context import context
from ..web.fields import address
from .blueprint import acting, admins_only, blueprint, write

SOON = timedelta(days=30)
LISTED = 20  # leads to be erased soon


class EmailForm(Form):
    """The form with a person's address."""

    email = address("Their email address", required="Enter an email address.")


@blueprint.get("/privacy/")
@admins_only
def privacy_page() -> str:
    """Show the form for an address, and what retention erases next."""
    return _render_privacy(EmailForm())


@blueprint.post("/privacy/")
@admins_only
def held_about() -> ResponseReturnValue:
    """Show how much is stored about an address; a POST, so that the address is in no log."""
    form, now = EmailForm(request.form), clock.now()
    if not form.validate():
        return _render_privacy(form), 422
    with context().database.read() as session:
        settings, typed = context().settings, form.email.data or ""
        held = export.export_data(session, settings, typed)
        lead = session.scalar(select(Lead).where(Lead.address == form.email.address))
        return render_template(
            "desk/privacy/held.html",
            form=form,
            counts={name: len(rows) for name, rows in held.items() if rows},
            lead=lead,
            corrected=session.scalars(export.Person(session, settings, typed).corrected()).all(),
            coming=bookings.coming_calls(session, [lead.id], now) if lead else [],
        )


@blueprint.post("/privacy/export")
@admins_only
def export_person() -> ResponseReturnValue:
    """Return all data about an address as JSON, for the person who asked."""
    form = EmailForm(request.form)
    if not form.validate():
        return _render_privacy(form), 422

    settings, address = context().settings, form.email.data or ""
    held = write(lambda session, by: export.export_noted(session, settings, address, by))
    answer = Response(json.dumps(held, indent=2, ensure_ascii=False), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="everything-held.json"'
    return answer


STAFF_STAYS = (
    "Erased, except the name and address of a member or host, and emails to them. Remove the"
    " member, stop the host\u2019s calls, reassign or cancel upcoming ones, then erase again."
)


@blueprint.post("/privacy/erase")
@admins_only
def erase_person() -> ResponseReturnValue:
    """Erase all data about an address, after the page that shows how much it is."""
    form = EmailForm(request.form)
    if not form.validate():
        return _render_privacy(form), 422
    settings = context().settings
    address = form.email.data or ""
    erasure.erase_everywhere(context().database, settings, address, acting())
    with context().database.read() as session:
        is_staff_still = export.Person(session, settings, address).is_staff_still(session)
    copies = [copy.until for copy in backup_files.list_backups(settings)]
    told = "Erased. We keep the weekly numbers and a code that shows that this address was erased."
    if is_staff_still:
        told = STAFF_STAYS
    if provider_erasure.are_asked_for(settings):
        told += " We\u2019ve asked SendGrid to erase it, too."
    if copies:
        told += f" Older backups contain it until {write_date(max(copies))}."
    elif not settings.is_local:  # this process may not see the backups
        told += f" Older backups contain it for up to {settings.backup_days} days."
    if not context().database.is_sqlite:
        told += " PostgreSQL keeps erased data in its files until the next daily cleanup, and in"
        told += " its log (WAL) until the log is overwritten, usually within a day."
    flash(told)
    return redirect(url_for(".privacy_page"), 303)


@blueprint.post("/privacy/provider")
@admins_only
def erase_at_provider() -> ResponseReturnValue:
    """Ask the email provider again to erase an address, or mark it as done by hand."""
    job_id, by_hand = row_id(request.form.get("job", "")), "by_hand" in request.form

    def work(session: Session, by: Actor) -> bool:
        if not by_hand:
            return provider_erasure.retry(session, job_id, by.at)
        if done := provider_erasure.close(session, job_id):
            by.note(session, AuditKind.ERASED_BY_HAND, f"erasure {job_id}")
        return done

    done = write(work)
    context().database.forget()
    told = "Marked as done by hand." if by_hand else "We\u2019re asking SendGrid again."
    flash(
        told
        if done
        else "Nothing was changed. SendGrid has accepted it, or someone else already did this."
    )
    return redirect(url_for(".privacy_page"), 303)


def _render_privacy(form: EmailForm) -> str:
    settings, now = context().settings, clock.now()
    with context().database.read() as session:
        soon = retention.idle_leads(now + SOON, settings).order_by(Lead.touched_at).limit(LISTED)
        return render_template(
            "desk/privacy/privacy.html",
            form=form,
            expected=retention.expect(session, now, settings),
            jobs=provider_erasure.pending(session),
            soon=session.scalars(soon).all(),
            kept_for=timedelta(days=settings.retention_days),
        )
