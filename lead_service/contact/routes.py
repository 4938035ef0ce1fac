"""The contact form: a message makes a lead, as a booking does."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..assess.models import Referenced
from ..book.answers import capture_with_answers
from ..book.forms import Person
from ..book.visitor import query_params
from ..emails import team_notices
from ..leads import capture, consent, events
from ..leads.consent import Occasion
from ..leads.models import EventKind
from ..leads.touch import Touch
from ..settings import Settings
from ..web import carried
from ..web.context import context
from ..web.fields import long_text
from ..web.pages import compressed
from ..web.security import are_too_many_messages, limit_posts
from ..web.tokens import new_token, token_hash
from .emails import queue_receipt

blueprint = Blueprint("contact", __name__, url_prefix="/contact")


class ContactForm(Person):
    """The form of a message."""

    topic = long_text("Your message", required="Write your message.")


@blueprint.get("/")
@compressed
def form() -> str:
    """Show the form."""
    return _render(ContactForm(submission=new_token()))


@blueprint.post("/")
@limit_posts
def submit() -> ResponseReturnValue:
    """Store the lead and the message, once per form, and email the team."""
    form, now = ContactForm(request.form), clock.now()
    if not form.validate():
        return _render(form), 422
    if not form.submission.data:
        form.submission.data = new_token()
        return _render(form, again=True), 422
    settings, flood = context().settings, are_too_many_messages()

    def work(session: Session) -> None:
        answers = query_params.sent_answers(session, form)
        touch = Touch(now, carried.article(), carried.source())
        save_message(session, settings, form, touch, answers=answers, flood=flood)

    context().database.write(work)
    return redirect(url_for(".thanks"), 303)


def _render(form: ContactForm, **more: bool) -> str:
    """Render the form, with a note if the visitor's answers are attached."""
    with context().database.read() as session:
        answers = query_params.brought(session)
    return render_template("contact/form.html", form=form, answers=answers, **more)


@blueprint.get("/thanks/")
def thanks() -> str:
    """Confirm that the message has arrived."""
    with context().database.read() as session:
        has_answered = query_params.brought(session) is not None
    wanted_call = "call" in request.args
    return render_template(
        "contact/thanks.html", wanted_call=wanted_call, has_answered=has_answered
    )


def save_message(
    session: Session,
    settings: Settings,
    form: ContactForm,
    touch: Touch,
    *,
    answers: Referenced | None = None,
    flood: bool = False,
) -> None:
    """Store a message as a lead with its event, once, confirm it and email the team.

    `touch` is its time and source; `answers` are attached ones. During a `flood`, the team
    hears in one email an hour.
    """
    now = touch.at
    key, suspect = token_hash(form.submission.data or ""), form.is_suspect or flood
    lead, _ = capture_with_answers(session, form.details, touch, answers, quarantine=suspect)
    text = form.topic.data or ""
    if not events.record_event(
        session, lead, EventKind.WROTE, now, key=key, text=text, suspect=suspect
    ):
        return
    may_contact = bool(form.may_contact.data)
    consent.record_consent(
        session, lead, consent.SERVICES, may_contact=may_contact, source="contact", at=now
    )
    queue_receipt(session, form.email.data or "", lead.id, key, now, held=suspect)
    team_notices.notify(
        session,
        settings,
        lead.id,
        now,
        occasion=Occasion.MESSAGE,
        key=f"wrote:{key}",
        what="wrote to us" + capture.POSSIBLE_SPAM * suspect,
        text=text,
        came_from=touch.article,
        flood=flood,
    )
