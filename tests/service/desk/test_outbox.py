"""The outbox on the desk: the state of each email, and its text in local mode."""

import dataclasses
import re

from sqlalchemy import update

from lead_service.emails.message import Message, to_json
from lead_service.emails.models import OutboxMessage
from lead_service.leads import capture
from lead_service.leads.contact_details import ContactDetails
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.outbox_helper import OutboxHelper
from tests.support.app.visitor_forms import book


def add_mail(database, state: str = "pending", **more) -> str:
    kind = more.pop("kind", "result")
    message = Message(
        kind=kind,
        to="ada@example.com",
        to_name="",
        subject="The subject",
        text="The text, with http://127.0.0.1:8000/x and http://evil.example/y\n",
        html="<style>p { color: red }</style><p>The <b>words</b></p>",
    )
    outbox_id = OutboxHelper(database).put(kind=kind, at=MONDAY_MORNING, address=message.to)
    values = more | {"state": state, "body": to_json(message)}
    changed = update(OutboxMessage).where(OutboxMessage.id == outbox_id).values(values)
    database.write(lambda session: session.execute(changed))
    return outbox_id


def test_the_page_of_a_lead_shows_a_refused_email(client, member, database):
    lead_id = database.write(
        lambda session: (
            capture.capture_lead(
                session, ContactDetails(email="ada@example.com"), at=MONDAY_MORNING
            ).id
        )
    )
    why = "the provider refused this mail (400)"
    add_mail(database, "failed", lead_id=lead_id, reason=why, alarm_at=MONDAY_MORNING)
    text = client.get(f"/desk/leads/{lead_id}/").text
    assert "Refused" in text and "Result to the visitor" in text
    assert "The provider refused this mail (400)." in text


def test_the_outbox_shows_state_tries_and_reason(client, member, database):
    add_mail(database, "pending", attempts=2, reason="the provider is down")
    add_mail(database, "failed", reason="the provider refused it")
    text = client.get("/desk/outbox/").text
    for shown in ("Retrying", "The provider is down.", "Refused", "The provider refused it."):
        assert shown in text
    one = client.get("/desk/outbox/?state=failed").text
    assert "The provider refused it." in one
    assert "the provider is down" not in one


def test_in_local_mode_emails_can_be_read_and_only_our_links_are_links(client, member, database):
    text = client.get(f"/desk/outbox/{add_mail(database)}/").text
    assert "The subject" in text
    assert 'href="http://127.0.0.1:8000/x"' in text
    assert "http://evil.example/y" in text
    assert 'href="http://evil' not in text
    assert "color: red" not in text


def test_an_email_with_a_sign_in_link_is_never_shown(client, member, database):
    text = client.get(f"/desk/outbox/{add_mail(database, kind='sign_in')}/").text
    assert "The text" not in text
    assert "The words" not in text
    assert "The subject" not in text


def test_in_production_no_email_can_be_read(app, client, member, database, settings):
    public = settings.model_copy(update={"public_url": "https://example.com/"})
    here = app.extensions["lead_service"]
    app.extensions["lead_service"] = dataclasses.replace(here, settings=public)
    text = client.get(f"/desk/outbox/{add_mail(database)}/").text
    assert "Waiting" in text
    for hidden_part in ("The text", "The words", "The subject"):
        assert hidden_part not in text


def test_trouble_with_the_email_shows_on_every_page_of_the_desk(client, member, database):
    database.write(
        lambda session: (
            capture.capture_lead(
                session, ContactDetails(email="ada@example.com"), at=MONDAY_MORNING
            ).id
        )
    )
    pages = ("/desk/", "/desk/leads/1/", "/desk/outbox/")
    assert not any("Email needs attention" in client.get(page).text for page in pages)
    add_mail(database, "failed", alarm_at=MONDAY_MORNING)
    assert all("Email needs attention" in client.get(page).text for page in pages)


def test_an_email_is_shown_as_html_in_a_frame_in_which_nothing_can_act(client, member):
    book(client)
    outbox = client.get("/desk/outbox/").text
    assert "Ada Example" in outbox
    link = re.search(r'href="(/desk/outbox/[0-9a-f]{32}/)">Invitation to the visitor', outbox)[1]
    page, frame = client.get(link), client.get(link + "html")
    assert f'sandbox src="{link}html"' in page.text
    assert page.headers["Content-Security-Policy"].endswith("; frame-src 'self'")
    assert "Your call is booked" in frame.text
    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and policy.endswith("sandbox")
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
