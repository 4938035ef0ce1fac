"""Every contact detail reaches every place that shows it."""

import csv
import io
import json
from dataclasses import asdict
from html import unescape

import pytest
from sqlalchemy import select

from lead_service.book.models import Booking
from lead_service.contact.routes import ContactForm
from lead_service.desk.leads.forms import LeadForm
from lead_service.emails.message import EmailKind
from lead_service.leads.contact_details import CORRECTABLE, FIELDS, LABELS, ContactDetails
from lead_service.leads.models import ContactColumns, Lead
from lead_service.ops.demo.acts import Story
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.stored_data import kept
from tests.support.app.visitor_forms import booking_form, hidden, open_starts

# A different text for each field, including fields added later.
TOLD = {name: f"Their {name}" for name in LABELS}
TOLD |= {"email": "told@lead.test", "phone": "+1 555 0177"}


@pytest.fixture
def environment(environment):
    """A host, and another address in SALES_TO."""
    return environment | {"SALES_TO": "host@example.com, team@example.com"}


@pytest.fixture
def told(app, client, database, settings, at, mails):
    """A booking with every detail, and a member's browser."""
    form = booking_form(client, open_starts(client)[0]) | TOLD
    assert client.post("/book/", data=form).status_code == 303
    sign_in(client, database, settings)
    return client


def test_every_column_of_a_person_is_a_contact_detail():
    assert set(ContactColumns.__annotations__) == set(LABELS)


def test_every_field_is_stored_and_shown_wherever_the_others_are(told, database, settings, mails):
    call = told.get("/desk/calls/1/").text
    (row,) = csv.DictReader(io.StringIO(told.get("/desk/leads.csv").text.lstrip("\ufeff")))
    emails = {email.kind: email for _, email in mails()}
    with database.read() as session:
        lead, booking = (session.scalars(select(model)).one() for model in (Lead, Booking))
        places = {
            "the lead": asdict(lead.details),
            "the search": lead.sought.splitlines(),
            "the call": asdict(booking.details),
            "the CSV file": [
                row.get(f"{label} as typed", row[label]).removeprefix("'")
                for label in LABELS.values()
            ],
            "the JSON file": json.loads(told.get("/desk/leads/1.json").data),
        }
    for place, found in places.items():
        if isinstance(found, dict):
            assert {name: found[name] for name in TOLD} == TOLD, place
        else:
            assert {text.casefold() for text in TOLD.values()} <= {
                text.casefold() for text in found
            }, place
    texts = {
        "the page of the lead": told.get("/desk/leads/1/").text.partition('id="work"')[0],
        "the list of their calls": told.get("/desk/leads/1/").text.partition(">Booked as</th>")[2],
        "the page of the call": call,
        "the form to book for them": told.get("/desk/leads/1/book/").text,
    }
    for kind in (EmailKind.NEW_LEAD, EmailKind.BOOKING_FOR_HOST):
        email = emails[kind]
        texts |= {f"{kind} as HTML": email.html, f"{kind} as text": email.text}
    for place, text in texts.items():
        missing = [
            name for name, value in TOLD.items() if value not in unescape(text.replace("<wbr>", ""))
        ]
        assert not missing, (place, missing)


def test_a_correction_on_the_desk_changes_every_field_and_names_them(told, database):
    changes = {one.name: f"9{one.name}"[: one.metadata["longest"]] for one in CORRECTABLE}
    changes |= {"phone": "+1 555 0199"}
    form = {"stage": "new", "owner_id": "", "next_action": "", "next_action_on": ""}
    form["seen"] = hidden(told.get("/desk/leads/1/").text, "seen")
    sent = press(told, "/desk/leads/1/", **form | changes)
    assert sent.status_code == 303
    with database.read() as session:
        found = asdict(session.get_one(Lead, 1).details)
    assert {name: found[name] for name in changes} == changes
    labels = ", ".join(one.metadata["label"].lower() for one in CORRECTABLE)
    assert f"Corrected the contact details: {labels}" in told.get("/desk/leads/1/").text
    assert f"fields: {labels}" in told.get("/desk/trail/").text


def test_a_later_form_fills_in_missing_details(database):
    def come_back(session) -> dict[str, str]:
        kept(session, email=TOLD["email"], at=MONDAY_MORNING)
        return asdict(kept(session, **TOLD, at=MONDAY_MORNING).details)

    assert database.write(come_back) == TOLD


def test_every_form_and_story_knows_every_field(app):
    with app.test_request_context():
        assert [one.name for one in ContactForm().questions] == list(LABELS)
        assert [one.name for one in LeadForm().questions] == [one.name for one in CORRECTABLE]
    assert ContactDetails.of(Story(began=1, **TOLD)) == ContactDetails(**TOLD)


def test_a_column_is_as_long_as_its_field():
    for one in FIELDS:
        for model in (Lead, Booking):
            assert model.__table__.c[one.name].type.length >= one.metadata["longest"]
