"""A message without a slot: it makes a lead as a booking does."""

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..assess.models import find_referenced
from ..book.forms import Person
from ..book.visitor import query_params
from ..emails import outbox, team_notices
from ..emails.message import EmailKind
from ..leads import capture, consent, events
from ..leads.consent import Occasion
from ..leads.models import EventKind
from ..settings import Settings
from ..web.compression import compressed
from ..web.context import context
from ..web.fields import long_text
from ..web.security import are_too_many_messages, limit_posts
from ..web.tokens import new_token, token_hash
from .emails import USEFUL_FOR

blueprint = Blueprint("contact", __name__, url_prefix="/contact")


class ContactForm(Person):
    """A message without a slot."""

    topic = long_text("Your message", required="Write your message.")


@blueprint.get("/")
@compressed
def form() -> str:
    """Show the form."""
    return _render(ContactForm(submission=new_token()))


@blueprint.post("/")
@limit_posts
def submit() -> ResponseReturnValue:
    """Keep the lead and tell the team; the same form sent twice is one message."""
    form, now = ContactForm(request.form), clock.now()
    if not form.validate():
        return _render(form), 422
    if not form.submission.data:
        form.submission.data = new_token()
        return _render(form, again=True), 422
    settings, answers = context().settings, request.form.get("assessment", "")
    flood = are_too_many_messages()
    context().database.write(
        lambda session: save_message(session, settings, form, now, answers=answers, flood=flood)
    )
    return redirect(url_for(".thanks"), 303)


def _render(form: ContactForm, **more: bool) -> str:
    """Render the form; the visitor's answers come along from the page of times."""
    with context().database.read() as session:
        has_assessment = query_params.assessment(session) is not None
    carried = {"assessment": request.values["assessment"]} if has_assessment else {}
    return render_template("contact/form.html", form=form, carried_params=carried, **more)


@blueprint.get("/thanks/")
def thanks() -> str:
    """Say that the message has arrived."""
    return render_template("contact/thanks.html", wanted_call="call" in request.args)


def save_message(
    session: Session,
    settings: Settings,
    form: ContactForm,
    now: datetime,
    *,
    answers: str = "",
    flood: bool = False,
) -> None:
    """Keep a message as a lead with its event, once, confirm it and tell the team.

    `answers` is the reference of the self-assessment that comes along. Of a `flood` the team
    hears in one email an hour.
    """
    key, suspect = token_hash(form.submission.data or ""), form.is_suspect or flood
    lead = capture.capture_lead(session, form.details, quarantine=suspect, at=now)
    if assessment := find_referenced(session, settings.secret, answers):
        assessment.lead_id = assessment.lead_id or lead.id
    email, text = form.email.data or "", form.topic.data or ""
    if not events.record_event_once(
        session, lead, EventKind.WROTE, now, key=key, text=text, suspect=suspect
    ):
        return
    may_contact = bool(form.may_contact.data)
    consent.record_consent(
        session, lead, consent.SERVICES, may_contact=may_contact, source="contact", at=now
    )
    outbox.queue(
        session,
        EmailKind.MESSAGE_RECEIVED,
        email,
        at=now,
        useless_after=now + USEFUL_FOR,
        lead_id=lead.id,
        dedupe_key=f"received:{key}",
        held=suspect,
    )
    team_notices.notify(
        session,
        settings,
        lead.id,
        now,
        occasion=Occasion.MESSAGE,
        key=f"wrote:{key}",
        what="wrote to us" + capture.SUSPECTED * suspect,
        text=text,
        flood=flood,
    )
