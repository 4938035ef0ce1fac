"""The desk's pages: what a member sees of leads and mails, and what they can do there."""

import dataclasses
import re
from datetime import timedelta
from html import escape
from pathlib import Path

import html5lib
import pytest
from sqlalchemy import func, select, update

import lead_service
from lead_service import leads
from lead_service.book.models import Booking
from lead_service.desk import timeline, words
from lead_service.desk.pager import PAGE
from lead_service.emails import models as mail_models
from lead_service.emails import outbox
from lead_service.emails.message import Message
from lead_service.emails.models import OutboxMessage
from lead_service.leads import Lead, LeadEvent

from .conftest import MONDAY_MORNING
from .desk import press, sign_in
from .journeys import VISITOR, WORST, assess, book

TYPED = "(typed)"
MARKUP = """"'><img src=x onerror=alert(1)>{{7*7}}</bdi><script>alert(2)</script>"""
HOSTILE = TYPED + MARKUP


@pytest.fixture
def member(client, database, settings, at) -> None:
    """A member who is signed in, on a Monday morning."""
    sign_in(client, database, settings)


def only(database, model):
    with database.read() as session:
        return session.scalars(select(model)).one()


def lead_page(client) -> str:
    return client.get("/desk/leads/1/").text


def add_leads(database, number: int, **more) -> None:
    def work(session) -> None:
        for one in range(number):
            address = f"lead{one}@example.com"
            leads.capture(session, email=address, name=f"Lead {one}", at=MONDAY_MORNING, **more)

    database.write(work)


def add_mail(database, state: str = "pending", **more) -> str:
    def work(session) -> str:
        message = Message(
            kind=more.pop("kind", "result"),
            to="ada@example.com",
            to_name="",
            subject="The subject",
            text="The text, with http://127.0.0.1:8000/x and http://evil.example/y\n",
            html="<style>p { color: red }</style><p>The <b>words</b></p>",
        )
        row = outbox.queue(session, message, at=MONDAY_MORNING)
        row.state = state
        for name, value in more.items():
            setattr(row, name, value)
        return row.id

    return database.write(work)


# -- The inbox ------------------------------------------------------------------------------


def test_the_list_shows_who_when_and_the_widest_gap(client, member, framework):
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


def test_the_pages_together_hold_every_lead_once_though_they_came_together(
    client, member, database
):
    add_leads(database, 2 * PAGE + 1)
    seen, page = [], "/desk/"
    while page:
        text = client.get(page).text
        seen += re.findall(r'href="/desk/leads/(\d+)/"', text)
        following = re.search(r'href="([^"]*before=[^"]*)"', text)
        page = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 2 * PAGE + 1
    assert seen == sorted(seen, key=int, reverse=True)


def test_the_latest_activity_comes_first(client, member, database):
    add_leads(database, 3)
    later = MONDAY_MORNING + timedelta(hours=1)
    database.write(
        lambda session: leads.capture(session, email="lead1@example.com", at=later)[0].id
    )
    assert re.findall(r"<bdi>(Lead \d)</bdi>", client.get("/desk/").text)[0] == "Lead 1"


@pytest.mark.parametrize(
    ("asked", "found"),
    [("lead 1", ["Lead 1"]), ("LEAD2@", ["Lead 2"]), ("%", []), ("_", []), ("works", [])],
)
def test_search_finds_text_as_it_is_written(client, member, database, asked, found):
    add_leads(database, 3)
    text = client.get("/desk/", query_string={"q": asked}).text
    assert re.findall(r"<bdi>(Lead \d)</bdi>", text) == found


@pytest.mark.parametrize("before", ["x", "1-", "9" * 40 + "-1", "99999999999-1", "1-zz", "-1-1"])
@pytest.mark.parametrize("page", ["/desk/", "/desk/outbox/"])
def test_a_place_in_the_list_that_nobody_was_given_breaks_nothing(client, member, page, before):
    assert client.get(page, query_string={"before": before}).status_code in {200, 404}


@pytest.mark.parametrize(
    "page",
    [
        "/desk/leads/7/",
        "/desk/leads/99999999999999999999/",
        "/desk/leads/7/erase",
        "/desk/outbox/no-such/",
        "/desk/outbox/?state=nonsense",
    ],
)
def test_what_does_not_exist_is_a_404(client, member, page):
    assert client.get(page).status_code == 404


# -- The lead -------------------------------------------------------------------------------


def test_the_brief_comes_first_with_scores_decisive_answers_and_questions(
    client, member, framework
):
    result = assess(client, framework, {"clarify": WORST})
    book_with(client, result, **{"from": "about-clarify"})
    text = lead_page(client)
    worst = [question.answers[WORST].text for question in framework.step("clarify").questions]
    for shown in (*worst, "The widest gap is", "Ask", "An article about clarify", VISITOR["topic"]):
        assert escape(shown, quote=False) in text.replace("&#39;", "'")
    order = [text.index(f"<h2>{name}</h2>") for name in ("Brief", "Calls", "Timeline", "Answers")]
    assert order == sorted(order)
    assert len(re.findall(r"<ol class=\"desk-ask\">(.*?)</ol>", text, re.S)[0].split("<li>")) == 4


def test_a_lead_without_an_assessment_has_a_question_to_begin_with(client, member):
    book(client)
    assert "what would have to be true" in lead_page(client)


def test_the_timeline_tells_what_happened_in_words(client, member, framework, database):
    client.post(assess(client, framework) + "mail", data={"email": VISITOR["email"]})
    page = book(client)
    client.post(page + "cancel")
    text = lead_page(client)
    told = ("Booked a call for", "The call was cancelled", "Had the result mailed")
    for line in (*told, "Started the self-assessment", "Completed the self-assessment"):
        assert line in text


def test_everything_that_is_recorded_has_words():
    source = "".join(path.read_text() for path in Path(lead_service.__path__[0]).rglob("*.py"))
    kinds = set(re.findall(r'record(?:_once)?\(\s*\w+, [\w.]+, "(\w+)"', source))
    assert {"call_booked", "wrote", "released"} <= kinds
    assert kinds <= set(timeline.WORDS)


def test_every_mail_stage_and_state_has_words():
    folder = Path(lead_service.__path__[0]) / "templates/email"
    kinds = {path.name for path in folder.iterdir() if path.is_dir()}
    assert kinds and kinds <= set(words.MAILS)
    assert set(words.STAGES) == set(leads.STAGES)
    assert set(words.STATES) == set(mail_models.STATES)


def test_a_release_lets_the_held_mails_go_once(client, member, database, at):
    book(client, website="filled by a program")
    assert "Suspected to be automated" in lead_page(client)
    with database.read() as session:
        held = select(func.count()).where(OutboxMessage.state == "held")
        assert session.scalar(held) == 1
    for _ in range(2):
        assert press_on_lead(client, "release").location == "/desk/leads/1/"
    with database.read() as session:
        assert session.scalar(held) == 0
        events = session.scalars(select(LeadEvent).where(LeadEvent.kind == "released")).all()
    assert not only(database, Lead).quarantine
    assert not only(database, Booking).quarantine
    assert [event.detail for event in events] == [{"member": 1}]
    text = lead_page(client)
    assert "by <bdi>ann@example.com</bdi>" in text
    assert "Release: this is a person" not in text


def press_on_lead(client, action: str):
    return press(client, "/desk/leads/1/", f"/desk/leads/1/{action}")


def test_erasing_asks_first_and_then_leaves_nothing_on_the_desk(client, member, database):
    book(client)
    asked = client.get("/desk/leads/1/erase")
    assert "Erase everything about" in asked.text
    assert "Calls are coming up" in asked.text
    assert press(client, "/desk/leads/1/erase").location == "/desk/"
    assert client.get("/desk/leads/1/").status_code == 404
    for page in ("/desk/", "/desk/outbox/"):
        assert "ada@example.com" not in client.get(page).text


# -- The outbox -----------------------------------------------------------------------------


def test_the_outbox_tells_state_tries_and_reason(client, member, database):
    add_mail(database, "pending", attempts=2, reason="the provider is down")
    add_mail(database, "failed", reason="the provider refused it")
    text = client.get("/desk/outbox/").text
    for shown in ("Trying again", "the provider is down", "Refused", "the provider refused it"):
        assert shown in text
    one = client.get("/desk/outbox/?state=failed").text
    assert "the provider refused it" in one
    assert "the provider is down" not in one


def test_here_a_mail_can_be_read_and_only_our_own_links_are_links(client, member, database):
    text = client.get(f"/desk/outbox/{add_mail(database)}/").text
    assert "The subject" in text
    assert 'href="http://127.0.0.1:8000/x"' in text
    assert "http://evil.example/y" in text
    assert 'href="http://evil' not in text
    assert "The words" in text
    assert "color: red" not in text


def test_a_mail_that_signs_somebody_in_is_shown_to_nobody(client, member, database):
    text = client.get(f"/desk/outbox/{add_mail(database, kind='sign_in')}/").text
    assert "The text" not in text
    assert "The words" not in text
    assert "The subject" not in text


def test_in_production_no_mail_can_be_read(app, client, member, database, settings):
    public = settings.model_copy(update={"public_url": "https://example.com/"})
    here = app.extensions["lead_service"]
    app.extensions["lead_service"] = dataclasses.replace(here, settings=public)
    text = client.get(f"/desk/outbox/{add_mail(database)}/").text
    assert "Waiting" in text
    for hidden_part in ("The text", "The words", "The subject"):
        assert hidden_part not in text


def test_trouble_with_the_mail_shows_on_every_page_of_the_desk(client, member, database):
    add_leads(database, 1)
    pages = ("/desk/", "/desk/leads/1/", "/desk/leads/1/erase", "/desk/outbox/")
    assert not any("Mail is in trouble" in client.get(page).text for page in pages)
    add_mail(database, "failed")
    assert all("Mail is in trouble" in client.get(page).text for page in pages)


# -- All pages ------------------------------------------------------------------------------


@pytest.fixture
def hostile_pages(client, member, framework, database) -> dict[str, str]:
    """Every page of the desk, after a visitor has put markup into every field there is."""
    result = assess(client, framework)
    named = {"name": HOSTILE, "company": HOSTILE, "topic": HOSTILE}
    book(client, assessment=result.split("/")[2], website="x", **named)

    def spoil(session) -> None:
        """Store what no form would let through."""
        lead = session.get(Lead, 1)
        lead.email, lead.phone = HOSTILE, HOSTILE[:50]
        session.scalars(select(Booking)).one().phone = HOSTILE[:50]
        for kind in ("wrote", "wanted_start", MARKUP[:40]):
            leads.record(session, lead, kind, MONDAY_MORNING, text=HOSTILE)
        consent = {"wording": MARKUP[:40], "may_contact": True, "source": MARKUP[:40]}
        leads.record_consent(session, lead, at=MONDAY_MORNING, **consent)
        for mail in session.scalars(select(OutboxMessage)):
            mail.reason, mail.address = MARKUP, HOSTILE

    database.write(spoil)
    pages = ["/desk/", f"/desk/?q={HOSTILE[:20]}", "/desk/leads/1/", "/desk/leads/1/erase"]
    pages += ["/desk/outbox/", "/desk/sign-in/sent/"]
    with database.read() as session:
        pages += [f"/desk/outbox/{id}/" for id in session.scalars(select(OutboxMessage.id))]
    return {page: client.get(page).text for page in pages}


def test_markup_in_any_field_stays_text_on_every_page(hostile_pages):
    for page, text in hostile_pages.items():
        assert "<img" not in text, page
        assert "<script" not in text, page
    shown = "".join(hostile_pages.values())
    assert shown.count("&lt;img src=x onerror") > 20
    assert "{{7*7}}" in shown


def test_what_a_visitor_typed_is_isolated_wherever_it_stands(hostile_pages):
    """A right-to-left text must not reorder what stands beside it."""
    isolated = 0
    for page, text in hostile_pages.items():
        tree = html5lib.parse(text, namespaceHTMLElements=False)
        parents = {child: parent for parent in tree.iter() for child in parent}
        texts = [(one, one.text) for one in tree.iter()]
        texts += [(parents[one], one.tail) for one in tree.iter() if one in parents]
        for inside, typed in texts:
            if typed and TYPED in typed and inside.tag != "title":
                while inside is not None and inside.tag != "bdi":
                    inside = parents.get(inside)
                assert inside is not None, (page, typed)
                isolated += 1
    assert isolated > 20


def test_every_page_is_valid_and_has_one_heading_and_no_inline_style(hostile_pages):
    for page, text in hostile_pages.items():
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
        assert len(tree.findall(".//h1")) == 1, page
        ids = [one.get("id") for one in tree.iter() if one.get("id")]
        assert len(ids) == len(set(ids)), page
        for one in tree.iter():
            assert one.get("style") is None, page
            assert not any(name.startswith("on") for name in one.attrib if isinstance(name, str))
        assert 'name="robots" content="noindex"' in text
