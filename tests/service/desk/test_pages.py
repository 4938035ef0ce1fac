"""The desk's pages about leads and emails."""

import re
from datetime import timedelta
from html import escape

import pytest
from sqlalchemy import func, select, update

from lead_service.book.models import Booking
from lead_service.desk.mail import mail_status
from lead_service.emails.models import Delivery, EmailState, OutboxMessage
from lead_service.leads import capture, events
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead, LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press
from tests.support.app.stored_data import kept
from tests.support.app.visitor_forms import VISITOR, WORST, assess, book, hidden


def only(database, model):
    with database.read() as session:
        return session.scalars(select(model)).one()


def lead_page(client) -> str:
    return client.get("/desk/leads/1/").text


def add_leads(database, number: int, **more) -> None:
    def work(session) -> None:
        for one in range(number):
            address = f"lead{one}@example.com"
            capture.capture_lead(
                session,
                ContactDetails(email=address, name=f"Lead {one}"),
                at=MONDAY_MORNING,
                **more,
            )

    database.write(work)


# -- The inbox ------------------------------------------------------------------------------


def test_the_list_shows_name_call_and_first_step(client, member, framework):
    result = assess(client, framework, {"organize": WORST})
    start = book_with(client, result)
    row = re.search(r"<tbody>.*</tbody>", client.get("/desk/").text, re.S)[0]
    for shown in ("Ada Example", "Example Works", "ada@example.com", "Organize", "New"):
        assert shown in row
    assert f'datetime="{start.isoformat()}"' in row


def book_with(client, result: str, **more: str):
    """Book with the assessment of a result page; return the start, in UTC."""
    book(client, assessment=result.split("/")[2], **more)
    with client.application.extensions["lead_service"].database.read() as session:
        return session.scalars(select(Booking.starts_at)).one()


def test_a_call_that_is_over_or_cancelled_is_not_the_next_call(client, member, at, database):
    book(client)
    start = only(database, Booking).starts_at
    at(start + timedelta(minutes=29))
    assert "Next call" in lead_page(client)
    at(start + timedelta(minutes=30))
    assert "Next call" not in lead_page(client)
    at(MONDAY_MORNING)
    cancelled = update(Booking).values(status="cancelled")
    database.write(lambda session: session.execute(cancelled) and None)
    assert "Next call" not in lead_page(client)


@pytest.mark.both_engines
def test_search_finds_text_as_it_is_written(client, member, database):
    add_leads(database, 3)
    for asked, found in [
        ("lead 1", ["Lead 1"]),
        ("LEAD2@", ["Lead 2"]),
        ("%", []),
        ("_", []),
        ("works", []),
    ]:
        text = client.get("/desk/", query_string={"q": asked}).text
        assert re.findall(r'open"[^>]*><bdi>(Lead \d)</bdi>', text) == found, (asked, found)


def test_every_page_finds_leads_calls_and_emails(client, member):
    book(client)
    found = client.get("/desk/search/?q=EXAMPLE+works").text
    for link in ("/desk/leads/1/", "/desk/calls/1/"):
        assert f'href="{link}"' in found
    assert "Invitation to the visitor" in found
    assert "Nothing matches" in client.get("/desk/search/?q=nobody").text


def test_the_desk_has_a_header_of_its_own_with_the_drawn_name_of_the_practice(client, member):
    for page in ("/desk/", "/desk/keys/"):
        text = client.get(page).text
        assert 'class="desk-top"' in text
        assert "masthead-book" not in text and "{{ foot }}" not in text
        assert 'wordmark" href="/desk/"><b>Drawn</b></a>' in text
    assert "masthead-book" in client.get("/book/").text


@pytest.mark.parametrize("page", ["leads/77/", "calls/?view=mark", "nothing/"])
def test_the_404_page_has_the_desks_own_layout(client, member, page):
    answer = client.get(f"/desk/{page}")
    assert answer.status_code == 404
    assert 'class="desk-top"' in answer.text and "masthead-book" not in answer.text
    assert ("desk/calls/" in answer.text) == (page != "nothing/")
    assert "find that page" in answer.text and 'href="/desk/"' in answer.text


def test_an_unknown_id_is_a_404(client, member):
    for page in [
        "/desk/leads/7/",
        "/desk/leads/99999999999999999999/",
        "/desk/outbox/no-such/",
        "/desk/outbox/?state=nonsense",
        "/desk/leads/7.json",
        "/desk/leads/99999999999.json",
        "/desk/calls/7/",
        "/desk/calls/99999999999999999999/move/",
        "/desk/calls/?view=no",
        *(f"/desk/availability/{page}" for page in ("7/", "7/hours/", "9" * 20 + "/", "1/x/")),
    ]:
        assert client.get(page).status_code == 404, page


# -- The lead -------------------------------------------------------------------------------


def test_the_brief_comes_first_with_scores_decisive_answers_and_questions(
    client, member, framework
):
    result = assess(client, framework, {"clarify": WORST})
    book_with(client, result, **{"from": "about-clarify"})
    text = lead_page(client)
    worst = [question.answers[WORST].text for question in framework.step("clarify").questions]
    for shown in (
        *worst,
        "Begin with",
        "Questions to ask",
        "An article about clarify",
        VISITOR["topic"],
    ):
        assert escape(shown, quote=False) in text.replace("&#39;", "'")
    order = [text.index(f"<h2>{name}</h2>") for name in ("Brief", "Calls", "Timeline", "Answers")]
    assert order == sorted(order)
    assert len(re.findall(r"<ol class=\"desk-ask\">(.*?)</ol>", text, re.S)[0].split("<li>")) == 4


def test_other_leads_of_the_company_are_listed_with_their_first_step(client, member, framework):
    result = assess(client, framework, {"organize": WORST})
    book_with(client, result, email="ada@works.test")
    book(client, email="eve@works.test", name="Eve")
    book(client, email="uma@gmail.com", name="Uma")
    for lead_id, others in [(1, ["Eve"]), (2, ["Ada Example"]), (3, [])]:
        page = client.get(f"/desk/leads/{lead_id}/").text
        part = re.search(r'id="company">.*?</section>', page, re.S)
        assert re.findall("<bdi>(.*?)</bdi></a>", part[0] if part else "") == others
        assert ("out of 100. Begin with" in (part[0] if part else "")) == (lead_id == 2)


def test_a_lead_without_an_assessment_has_a_question_to_begin_with(client, member):
    book(client)
    assert "what would have to be true" in lead_page(client)


def test_the_timeline_describes_events_in_words(client, member, framework, database):
    client.post(assess(client, framework) + "mail", data={"email": VISITOR["email"]})
    page = book(client)
    client.post(page + "cancel")
    text = lead_page(client)
    told = ("Booked a call for", "The call was canceled", "Had the result emailed")
    for line in (*told, "Started the self-assessment", "Completed the self-assessment"):
        assert line in text


def test_a_lead_with_hundreds_of_messages_still_opens(client, member, database):
    def work(session) -> None:
        lead = kept(session, email="ada@example.com", at=MONDAY_MORNING)
        for number in range(300):
            at = MONDAY_MORNING + timedelta(minutes=number)
            events.record_event(session, lead, "wrote", at, text=f"message {number:03}.")

    database.write(work)
    text = lead_page(client)
    assert [text.count(f"message {number:03}.") for number in (0, 99, 100, 289, 290, 299)] == [
        *(0, 0, 1, 1, 2, 2)
    ]
    assert "100 older ones are in the" in text
    assert client.get("/desk/leads/1.json").text.count("message 000.") == 2


def test_every_state_of_an_email_has_its_label():
    kinds = {*EmailState, *Delivery} - set(mail_status.UNTOLD)
    assert {one.name for one in mail_status.MAIL_STATUSES if one.word} == kinds


def test_a_release_sends_held_emails_once(client, member, database, at):
    book(client, website="filled by a program")
    assert "This may be spam" in lead_page(client)
    with database.read() as session:
        held = select(func.count()).where(OutboxMessage.state == "held")
        assert session.scalar(held) == 3  # the invitations of visitor and host, and the reminder
    for _ in range(2):
        assert press_on_lead(client, "release").location == "/desk/leads/1/"
    with database.read() as session:
        assert session.scalar(held) == 0
        events = session.scalars(select(LeadEvent).where(LeadEvent.kind == "released")).all()
    assert not only(database, Lead).quarantine
    assert not only(database, Booking).quarantine
    assert [event.detail for event in events] == [{"member": 1}]
    text = lead_page(client)
    assert "· <bdi>ann@example.com</bdi>" in text
    assert "Release: this is a real person" not in text


@pytest.mark.parametrize("action", ["1/release", "bulk"])
def test_a_release_from_an_old_page_undoes_nobodys_decision(client, member, database, at, action):
    book(client, website="filled by a program")
    old = hidden(lead_page(client), "seen")
    press(client, "/desk/", "/desk/leads/spam/", lead="1")
    press(client, "/desk/", f"/desk/leads/{action}", seen=old, lead="1", do="release")
    assert "Nothing was changed" in client.get("/desk/").text
    lead = only(database, Lead)
    assert (lead.quarantine, lead.stage) == (True, "lost")


def press_on_lead(client, action: str):
    return press(client, "/desk/leads/1/", f"/desk/leads/1/{action}")
