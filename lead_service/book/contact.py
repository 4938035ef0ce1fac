"""A message without a slot: it makes a lead as a booking does."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock
from ..context import context
from ..security import limit_posts, new_token
from . import notices
from .forms import ContactForm

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
    settings = context().settings
    context().database.write(lambda session: notices.wrote(session, settings, form, now))
    return redirect(url_for(".thanks"), 303)


@blueprint.get("/thanks/")
def thanks() -> str:
    """Say that the message has arrived."""
    return render_template("book/thanks.html")
