"""Unusual and hostile input is stored and shown correctly on both databases, or refused."""

from html import escape

import html5lib
import pytest
from sqlalchemy import select

from lead_service.leads.models import Lead, LeadEvent
from tests.faults.naughty import CHANGED, EMPTY, KEPT, LINES, NAMES, NO_TEXT, REFUSED
from tests.support.app.desk_client import sign_in
from tests.support.app.visitor_forms import VISITOR, answers, booking_form, hidden, open_starts

TYPED = {text: text for text in KEPT} | CHANGED  # and what is stored of it
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def typing(client):
    """Return a function that sends the contact form with one text in all text fields."""
    submission = hidden(client.get("/contact/").text, "submission")

    def send(number: int, text: str, **changes: str):
        given = {
            "name": text,
            "company": text,
            "topic": text,
            "submission": f"{submission}{number}",
        }
        return client.post(
            "/contact/", data=VISITOR | given | {"email": f"v{number}@example.com"} | changes
        )

    return send


def stored(database) -> list[tuple[str, str, str]]:
    """Return name, company and message of every lead, oldest first."""
    with database.read() as session:
        rows = session.execute(select(Lead, LeadEvent).join(LeadEvent).order_by(Lead.id))
        return [(lead.name, lead.company, event.detail["text"]) for lead, event in rows]


def isolated(page: str) -> set[str]:
    """Return the texts in `bdi` elements of a page of the desk."""
    tree = html5lib.parse(page)
    return {"".join(one.itertext()) for one in tree.iter("{http://www.w3.org/1999/xhtml}bdi")}


def every_lead(client) -> set[str]:
    """Return the isolated texts on all pages of the list of leads."""
    found, where = set(), "/desk/"
    while where:
        page = client.get(where).text
        found |= isolated(page)
        following = [part for part in page.split('href="') if 'rel="next"' in part.split(">")[0]]
        where = following[0].split('"')[0].replace("&amp;", "&") if following else ""
    return found


def test_text_is_stored_shown_and_emailed_unchanged(client, typing, database, settings, mails):
    codes = {text: typing(number, text).status_code for number, text in enumerate(TYPED)}
    assert set(codes.values()) == {303}, [text for text, code in codes.items() if code != 303]
    assert stored(database) == [(text,) * 3 for text in TYPED.values()]
    sign_in(client, database, settings)
    assert set(TYPED.values()) <= every_lead(client)
    to_team = [mail for _, mail in mails() if mail.kind == "new_lead"]
    for mail, text in zip(to_team, TYPED.values(), strict=False):
        assert text in mail.text
        assert escape(text) in mail.html.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")


@pytest.mark.both_engines
def test_forbidden_characters_are_refused_by_every_field(typing, database):
    for number, text in enumerate(REFUSED):
        assert typing(number, "Ada", company=text).status_code == 422, ascii(text)
        assert typing(number, "Ada", topic=text).status_code == 422, ascii(text)
    assert stored(database) == []


def test_an_invisible_name_counts_as_empty(typing, database):
    for number, text in enumerate(EMPTY):
        refused = typing(number, text)
        assert refused.status_code == 422, ascii(text)
        assert "Enter your name." in refused.text
        assert "Write your message." in typing(number, "Ada", topic=text).text
        assert typing(number, "Ada", company=text, topic="Hello").status_code == 303
    assert set(stored(database)) == {("Ada", "", "Hello")}


def test_line_breaks_are_kept_in_text_areas_and_refused_in_single_lines(typing, database):
    for number, text in enumerate(LINES):
        for field in ("name", "company", "phone", "email") if "\t" not in text else ():
            assert typing(number, "Ada", **{field: text}).status_code == 422, (field, ascii(text))
        assert typing(number, "Ada", topic=text).status_code == 303
    assert [topic for _, _, topic in stored(database)] == list(LINES)


def test_a_tab_pasted_into_one_line_is_a_space(typing, database):
    assert typing(1, "Ada\tLovelace", company="Example\tWorks").status_code == 303
    for number, field in enumerate(("phone", "email"), 2):
        assert typing(number, "Ada", **{field: "A\tda"}).status_code == 422, field
    ((name, company, _),) = stored(database)
    assert (name, company) == ("Ada Lovelace", "Example Works")


def test_a_name_of_the_world_is_on_the_booking_and_in_its_invitation(client, database, mails):
    for number, (start, name) in enumerate(zip(open_starts(client)[::2], NAMES, strict=False)):
        form = booking_form(client, start, name=name, email=f"v{number}@example.com")
        booked = client.post("/book/", data=form)
        assert booked.status_code == 303, ascii(name)
        invite = client.get(f"{booked.location}invite.ics").data
        assert invite.count(b"\r\nATTENDEE") == invite.count(b"\r\nORGANIZER") == 1
        assert name.replace("\u200f", "") in invite.replace(b"\r\n ", b"").decode().replace(
            "\\", ""
        )


def test_bytes_that_are_no_text_are_refused_before_any_form_is_read(client):
    for path in ["/contact/", "/book/", "/assessment/", "/desk/sign-in/"]:
        for body in NO_TEXT:
            assert client.post(path, data=b"name=" + body, content_type=FORM).status_code == 400, (
                path,
                body,
            )
            assert client.post(path, data=body + b"=Ada", content_type=FORM).status_code == 400


def test_the_first_value_of_a_repeated_field_counts(client, typing, database, framework):
    sent = typing(1, "Ada", company=["First", "Second"], may_contact=["", "y"])
    assert sent.status_code == 303
    assert stored(database) == [("Ada", "First", "Ada")]
    first = answers(framework, "assess", 0)
    twice = {"step": "assess"} | {name: [value, "nonsense"] for name, value in first.items()}
    assert client.post("/assessment/", data=twice).status_code == 422
