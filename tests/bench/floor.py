"""Serve the least that does the same work: `python -m tests.bench.floor PORT DATABASE_URL`.

Bare Flask, one WTForms form with the rules of the contact form, and the rows that a lead makes,
inserted by statements that are built once, in one transaction under the same lock, on tables and
a server set up as ours are. Pages are as long as ours and hold nothing that was asked for.
"""

import sys
import uuid
from datetime import UTC, datetime

from flask import Flask, redirect, render_template_string, request
from flask.typing import ResponseReturnValue
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy import insert
from wtforms import BooleanField, EmailField, Form, StringField, TextAreaField
from wtforms.validators import Email, InputRequired, Length

from lead_service.db.engine import Database
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Consent, Lead, LeadEvent
from lead_service.ops.serving import THREADS

LINE = "Of a page that says nothing, this is one line, and it is eighty characters long."
PAGE = "<!doctype html>{% for line in lines %}<p>{{ line }}</p>{% endfor %}"
FACTS = {"text": "x" * 200}  # as long as the stored email to the team
LEAD, EVENT, CONSENT, MAILED = map(insert, (Lead, LeadEvent, Consent, OutboxMessage))


class Contact(Form):
    """The fields of the contact form."""

    submission = StringField()
    website = StringField()
    name = StringField(validators=[InputRequired(), Length(max=120)])
    email = EmailField(validators=[InputRequired(), Length(max=254), Email()])
    company = StringField(validators=[Length(max=120)])
    phone = StringField(validators=[Length(max=40)])
    topic = TextAreaField(validators=[Length(max=2000)])
    may_contact = BooleanField()


def app() -> Flask:
    """Create the floor's application on the database of the command line."""
    flask, database = Flask(__name__), Database(sys.argv[2])

    @flask.get("/page/<int:size>")
    def page(size: int) -> str:
        return render_template_string(PAGE, lines=[LINE] * (size // (len(LINE) + 7)))

    @flask.post("/contact/")
    def contact() -> ResponseReturnValue:
        form, now = Contact(request.form), datetime.now(UTC)
        if not form.validate():
            return "", 422
        database.write(lambda session: _store(session.connection(), form, now))
        return redirect("/contact/thanks/", 303)

    @flask.get("/healthz")
    def healthz() -> str:
        return "ok"

    return flask


def _store(connection, form: Contact, now: datetime) -> None:
    """Insert the rows of our contact form: a lead, its event, its consent and two emails."""
    person = {name: form[name].data for name in ("email", "name", "company", "phone")}
    known = {"address": form.email.data, "sort_name": form.name.data, "sought": form.email.data}
    result = connection.execute(LEAD, person | known | {"created_at": now, "touched_at": now})
    lead_id = result.inserted_primary_key[0]
    event = {"kind": "wrote", "at": now, "detail": {"text": form.topic.data}}
    connection.execute(EVENT, event | {"lead_id": lead_id, "submission_key": uuid.uuid4().hex})
    consent = {"wording": "1", "may_contact": form.may_contact.data, "source": "contact"}
    connection.execute(CONSENT, consent | {"lead_id": lead_id, "at": now})
    for kind, address in (("message_received", form.email.data), ("new_lead", "team@example.com")):
        mail = {
            "id": uuid.uuid4().hex,
            "kind": kind,
            "address": address,
            "facts": FACTS,
            "state": "pending",
            "attempts": 0,
            "reason": "",
            "dedupe_key": uuid.uuid4().hex,
        }
        times = {"created_at": now, "due_at": now, "next_at": now}
        connection.execute(MAILED, mail | times | {"lead_id": lead_id})


if __name__ == "__main__":
    Granian(
        "tests.bench.floor:app",
        factory=True,
        interface=Interfaces.WSGI,
        port=int(sys.argv[1]),
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
    ).serve()
