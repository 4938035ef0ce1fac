"""Deleting answers: they and their links are gone, and a booked call remains."""

import pytest
from sqlalchemy import func, select

from lead_service.assess.models import Assessment
from lead_service.book.models import Booking
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead, LeadEvent
from tests.support.app.calls import count
from tests.support.app.stored_data import mentions
from tests.support.app.visitor_forms import WORST, assess, begin, book


@pytest.fixture
def result(client, framework) -> str:
    return assess(client, framework, WORST)


def delete(client, result: str):
    return client.post(result.replace("/result/", "/delete"))


def test_the_answers_are_gone_and_the_page_says_so(client, framework, result, database):
    gone = delete(client, result)
    assert (gone.status_code, gone.location) == (303, "/assessment/deleted/")
    assert gone.headers["Clear-Site-Data"] == '"cache"'  # the back button must not show them
    assert "We have deleted your answers" in client.get(gone.location).text
    assert count(database, Assessment) == 0
    given = framework.questions[0].answers[WORST].id
    assert [one for one in mentions(database, f"'{given}'", f'"{given}"')] == []


def test_links_to_deleted_answers_are_the_same_404(client, result):
    client.post(result + "share")
    token = result.split("/")[2]
    shared = (
        client.get(result + "save/").text.split('class="share-link"><a href="')[1].split('"')[0]
    )
    delete(client, result)
    never = client.get("/assessment/never/result/").text
    paths = [f"/assessment/{token}{page}" for page in ("/", "/result/", "/clarify/", "/result.pdf")]
    for path in [*paths, shared.removeprefix("http://127.0.0.1:8000")]:
        gone = client.get(path)
        assert (gone.status_code, gone.text) == (404, never)


def test_a_second_click_has_the_same_response(client, result):
    assert delete(client, result).location == delete(client, result).location


def test_an_unfinished_assessment_can_be_deleted(client, framework, database):
    begun = begin(client, framework)
    client.post(begun + "delete")
    assert count(database, Assessment) == 0


def test_a_booked_call_survives_the_deletion_of_its_answers(client, result, database):
    page = book(client, assessment=result.split("/")[2])
    delete(client, result)
    assert "Your call is booked" in client.get(page).text
    with database.read() as session:
        assert session.scalars(select(Booking.assessment_id)).all() == [None]


def test_the_lead_stays_and_its_event_has_no_answers(client, result, database):
    client.post(result + "mail", data={"email": "ada@example.com"})
    delete(client, result)
    with database.read() as session:
        assert session.scalars(select(LeadEvent.detail)).all() == [{"assessment": 1}]
        assert session.scalar(select(func.count()).select_from(Lead)) == 1


def test_an_email_with_a_dead_link_is_not_sent(client, framework, result, database, post):
    other = assess(client, framework)
    for one, email in ((result, "ada@example.com"), (other, "eve@example.com")):
        client.post(one + "mail", data={"email": email})
    delete(client, result)
    post()
    results = select(OutboxMessage).where(OutboxMessage.kind == "result")
    with database.read() as session:
        left = {row.address: row.state for row in session.scalars(results)}
    assert left == {"ada@example.com": "cancelled", "eve@example.com": "sent"}


def test_only_the_owner_s_own_answers_are_deleted(client, framework, result, database):
    other = assess(client, framework)
    delete(client, result)
    assert client.get(other).status_code == 200
    assert count(database, Assessment) == 1
