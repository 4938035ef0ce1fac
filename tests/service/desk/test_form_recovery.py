"""A member's input survives an expired token, an ended session, and server errors."""

import pytest
from sqlalchemy import select

from lead_service.leads.capture import capture_lead
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Note
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.visitor_forms import hidden

WORDS = "She said that the board decides on Thursday, and that nobody owns the rollout."
PAGE = "/desk/leads/1/"
TYPED = {"stage": "new", "owner_id": "", "note": WORDS}


@pytest.fixture
def member(client, database, settings) -> None:
    database.write(
        lambda session: (
            capture_lead(session, ContactDetails(email="ada@example.com"), at=MONDAY_MORNING)
            and None
        )
    )
    sign_in(client, database, settings)


def notes(database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Note.text)))


def again(client, page: str):
    """Click the only button of an error page."""
    names = ("csrf_token", *TYPED)
    return client.post(PAGE, data={name: hidden(page, name) for name in names})


def test_a_form_with_another_sessions_token_needs_one_more_click(
    client, member, database, settings
):
    stale = hidden(client.get(PAGE).text, "csrf_token")
    press(client, "/desk/", "/desk/sign-out/")
    sign_in(client, database, settings)
    refused = client.post(PAGE, data=TYPED | {"csrf_token": stale})
    assert refused.status_code == 403
    assert WORDS in refused.text
    assert stale not in refused.text
    assert notes(database) == []
    assert again(client, refused.text).status_code == 303
    assert notes(database) == [WORDS]


def test_a_form_of_an_ended_session_is_kept_until_its_writer_signs_in(
    client, member, database, settings
):
    token = hidden(client.get(PAGE).text, "csrf_token")
    client.delete_cookie("desk", domain="127.0.0.1")
    refused = client.post(PAGE, data=TYPED | {"csrf_token": token})
    still = again(client, refused.text)
    assert (refused.status_code, still.status_code) == (403, 403)
    assert WORDS in refused.text and WORDS in still.text
    assert 'href="/desk/sign-in/"' in still.text
    sign_in(client, database, settings)
    once_more = again(client, again(client, still.text).text)
    assert once_more.status_code == 303
    assert notes(database) == [WORDS]


def test_a_cross_site_form_is_never_offered_to_a_member(client, member, database):
    token = hidden(client.get(PAGE).text, "csrf_token")
    form, elsewhere = TYPED | {"csrf_token": token}, {"Sec-Fetch-Site": "cross-site"}
    refused = client.post(PAGE, data=form, headers=elsewhere)
    assert refused.status_code == 403
    assert WORDS not in refused.text and "<form" not in refused.text
    assert notes(database) == []
