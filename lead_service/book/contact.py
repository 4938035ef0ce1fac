"""A message without a slot: it makes a lead as a booking does."""

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock, leads, team
from ..assess.framework import Framework
from ..assess.handover import brief_of_lead
from ..context import context
from ..leads import EventKind
from ..security import limit_posts, new_token, token_hash
from ..settings import Settings
from .forms import CONSENT_WORDING, ContactForm

blueprint = Blueprint("contact", __name__, url_prefix="/contact")


@blueprint.get("/")
def form() -> str:
    """Show the form."""
    return render_template("book/contact.html", form=ContactForm(submission=new_token()))


@blueprint.post("/")
@limit_posts
def submit() -> ResponseReturnValue:
    """Keep the lead and tell the team; the same form sent twice is one message."""
    form, now = ContactForm(request.form), clock.now()
    if not form.validate():
        return render_template("book/contact.html", form=form), 422
    if not form.submission.data:
        form.submission.data = new_token()
        return render_template("book/contact.html", form=form, again=True), 422
    settings, framework = context().settings, context().published.framework
    context().database.write(lambda session: wrote(session, settings, framework, form, now))
    return redirect(url_for(".thanks"), 303)


@blueprint.get("/thanks/")
def thanks() -> str:
    """Say that the message has arrived."""
    return render_template("book/thanks.html")


def wrote(
    session: Session, settings: Settings, framework: Framework, form: ContactForm, now: datetime
) -> None:
    """Keep a message as a lead with its event, once, and tell the team."""
    key = token_hash(form.submission.data or "")
    lead = leads.capture(
        session,
        email=form.email.data or "",
        address=form.email.address,
        name=form.name.data or "",
        company=form.company.data or "",
        phone=form.phone.data or "",
        quarantine=form.is_suspect,
        at=now,
    )
    text, suspect = form.topic.data or "", form.is_suspect
    if not leads.record_once(
        session, lead, EventKind.WROTE, now, key=key, text=text, suspect=suspect
    ):
        return
    may_contact = bool(form.may_contact.data)
    leads.record_consent(
        session, lead, wording=CONSENT_WORDING, may_contact=may_contact, source="contact", at=now
    )
    what = "wrote to us" + leads.SUSPECTED * suspect
    brief = None if lead.is_new else brief_of_lead(session, lead.id, framework)
    team.tell(session, settings, lead, what, now, key=f"wrote:{key}", text=text, brief=brief)
