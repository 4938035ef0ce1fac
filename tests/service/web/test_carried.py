"""Context without a cookie: every address on a page keeps the visitor's source."""

import gzip
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from lead_service.assess.models import Assessment
from lead_service.book.answers import link_for
from lead_service.book.models import Booking
from lead_service.leads.models import Lead
from tests.support.app.visitor_forms import (
    VISITOR,
    answer_all,
    assess,
    begin_phase,
    book,
    hidden,
    open_starts,
    reference,
)

ADDRESSES = re.compile(
    r'<(a|form)\b[^>]*?\b(?:href|action)="(/[^"]*)"[^>]*>(.*?)(?=<(?:a|form)\b|$)', re.DOTALL
)
SOURCE = {"utm_source": "linkedin", "utm_campaign": "fr\u00fchjahr \u5c55", "ref": "o'neil & co+"}
QUERY = SOURCE | {"from": "about-clarify"}


def addresses(page: str) -> list[tuple[str, dict[str, str]]]:
    """List the targets of a page's links and forms, with their parameters or hidden fields."""
    found = []
    for element, address, after in ADDRESSES.findall(page):
        parts = urlsplit(unescape(address))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if element == "form":
            query = dict(
                re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', unescape(after))
            )
        found.append((parts.path, query))
    return found


def main(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize(
    "path",
    [
        *("/book/", "/book/START/", "/book/20200101T0900Z/", "/contact/", "/contact/thanks/"),
        *("/assessment/", "/assessment/example/", "/assessment/deleted/"),
    ],
)
def test_every_link_and_form_keeps_the_assessment_the_article_and_the_source(
    client, framework, path
):
    answers = reference(client, assess(client, framework))
    path = path.replace("START", open_starts(client)[0])
    page = client.get(path, query_string=QUERY | {"assessment": answers, "find": "new"}).text
    led = addresses(page)
    assert {"/book/", "/insights/"} <= {where for where, _ in led}
    for where, along in led:
        if where.startswith(("/book/", "/contact/", "/assessment/")) and "." not in where:
            assert (QUERY | {"assessment": answers}).items() <= along.items(), where
        elif not where.startswith("/assets/") and "." not in where:
            assert along == SOURCE, where  # people forward the addresses of published pages
    assert not re.search(r'"https?://[^"]*(linkedin|fr%C3)', page)


def test_results_and_booked_calls_store_their_source(client, framework):
    first = begin_phase(client, **QUERY)
    assert first.count("?") == 0
    result = answer_all(client, framework, first, 1)
    answers = reference(client, result)
    known = QUERY | {"assessment": answers}
    assert {"/book/": known}.items() <= dict(addresses(client.get(result).text)).items()
    booking = dict(addresses(client.get(book(client, **known)).text))["/book/"]
    assert booking == QUERY | {"assessment": booking["assessment"]}
    assert booking["assessment"].count("-") == 1  # for the lead's own address only


def test_a_shared_result_gives_away_no_answers_and_counts_as_a_source(client, framework, database):
    result = assess(client, framework)
    client.post(result + "share")
    shared = re.search(r"/assessment/shared/[\w-]+/", client.get(result + "save/").text)
    assert shared
    led = dict(addresses(client.get(shared[0]).text))
    assert led["/book/"] == {"ref": "shared-result"}
    assert led[shared[0] + "again/"] == {"ref": "shared-result"}
    begin_phase(client, **led["/book/"])
    with database.read() as session:
        kept = session.scalars(select(Assessment.source).order_by(Assessment.id)).all()
    assert kept == ["", "ref=shared-result"]


def test_the_emailed_result_keeps_the_source_and_the_answers_for_its_owner(
    client, framework, database, mails
):
    result = answer_all(client, framework, begin_phase(client, **QUERY), 1)
    client.post(result + "mail", data={"email": VISITOR["email"], "submission": "x" * 20})
    text = next(mail.text for _, mail in mails() if mail.kind == "result")
    page, booking = re.findall(r"https?://[^/]+(/(?:assessment/shared|book)/\S+)", text)
    known = {name: values[0] for name, values in parse_qs(urlsplit(booking).query).items()}
    assert known == QUERY | {"assessment": known["assessment"]}
    for where, along in addresses(client.get(page).text):
        if where.startswith(("/book/", "/contact/", "/assessment/")) and "." not in where:
            assert along == known, where


def test_a_lead_keeps_the_first_touch_and_the_last_one_with_a_source(client, framework, database):
    result = answer_all(client, framework, begin_phase(client, **QUERY), 1)
    answers = reference(client, result)
    book(client, assessment=answers, utm_source="Newsletter", **{"from": "about-organize"})
    sent = client.post("/contact/", data=VISITOR | {"submission": "x" * 20})
    assert sent.status_code == 303
    with database.read() as session:
        lead, booking = session.scalars(select(Lead)).one(), session.scalars(select(Booking)).one()
    first, last = lead.first_touch or {}, lead.last_touch or {}
    assert first.pop("at") and last.pop("at")
    assert first == SOURCE | {"article": "about-clarify"}
    assert last == {"utm_source": "newsletter", "article": "about-organize"}
    assert (booking.source, booking.came_from) == ("utm_source=newsletter", "about-organize")


def test_answers_of_a_lead_go_along_with_no_other_address(client, framework, database, mails):
    result = answer_all(client, framework, begin_phase(client, **QUERY), 1)
    answers = reference(client, result)
    book(client, assessment=answers)
    other = {"email": "mallory@example.org", "name": "Mallory Other", "assessment": answers}
    book(client, open_starts(client)[-1], **other)
    client.post("/contact/", data=VISITOR | other | {"submission": "x" * 20})
    with database.read() as session:
        (taken,) = session.scalars(select(Assessment))
        ada, mallory = session.scalars(select(Lead).order_by(Lead.id))
        calls = session.scalars(select(Booking.assessment_id).order_by(Booking.id)).all()
        assert (taken.lead_id, calls) == (ada.id, [taken.id, None])
        assert (ada.first_touch or {})["utm_source"] == "linkedin"
        assert (mallory.first_touch or {}).keys() == {"at"}
    texts = {row.lead_id: "" for row, _ in mails()}
    for row, mail in mails():
        texts[row.lead_id] += mail.text
    first = "Begin with"
    assert first in texts[1] and first not in texts[2]


def test_a_link_with_answers_brings_no_source_and_its_reader_can_leave_them_out(
    client, framework, database
):
    answers = reference(client, answer_all(client, framework, begin_phase(client, **QUERY), 1))
    for path in ("/contact/", f"/book/{open_starts(client)[0]}/"):
        page = client.get(path, query_string={"assessment": answers}).text
        assert ("/book/", {"assessment": answers}) in addresses(page)
        assert "send my answers from the self-assessment</label>" in page
    declined = {"assessment": answers, "without_answers": "y"}
    book(client, **declined)
    client.post("/contact/", data=VISITOR | declined | {"submission": "x" * 20})
    with database.read() as session:
        assert session.scalars(select(Assessment.lead_id)).one() is None
        assert session.scalars(select(Booking.assessment_id)).one() is None


def test_a_known_lead_books_again_with_prefilled_details(
    client, framework, database, mails, settings
):
    answers = reference(client, answer_all(client, framework, begin_phase(client, **QUERY), 1))
    client.post("/contact/", data=VISITOR | QUERY | {"assessment": answers, "submission": "x" * 20})
    (receipt,) = (mail for _, mail in mails() if mail.kind == "message_received")
    found = re.search(r"/book/\?\S+", receipt.text)
    assert found
    with database.read() as session:
        link = link_for(session, settings, session.get_one(Lead, 1))
    assert link.endswith(found[0])
    known = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert known == QUERY | {"assessment": known["assessment"]}
    assert known["assessment"].count("-") == 1  # for the lead's own address only
    page = client.get(found[0]).text
    assert not re.search(r"Ada|ada@", page)
    assert dict(addresses(page))["/book/"] == known  # in the header, too
    assert "self-assessment" not in main(client.get("/contact/thanks/", query_string=known).text)


def test_a_suspected_form_in_a_leads_name_changes_no_touch(client, database):
    book(client, utm_source="linkedin")
    client.post("/contact/", data=VISITOR | {"submission": "x" * 20, "website": "x", "ref": "spam"})
    with database.read() as session:
        lead = session.scalars(select(Lead)).one()
    assert (lead.last_touch or {}).get("utm_source") == "linkedin"


def test_redirects_keep_the_source_and_so_do_failed_forms(client):
    wrong = client.post("/contact/", data=VISITOR | QUERY | {"submission": "x" * 20, "name": ""})
    assert hidden(wrong.text, "utm_source") == "linkedin"
    sent = client.post("/contact/", data=VISITOR | QUERY | {"submission": "x" * 20})
    assert dict(parse_qs(urlsplit(sent.location).query)).keys() == QUERY.keys()


def test_a_page_with_an_assessment_in_its_links_is_not_compressed(client, framework):
    answers = reference(client, assess(client, framework))
    accepts = {"Accept-Encoding": "gzip"}
    plain = client.get("/book/", query_string={"assessment": answers} | QUERY, headers=accepts)
    assert "Content-Encoding" not in plain.headers and answers in plain.text
    open_to_all = client.get("/book/", query_string=QUERY, headers=accepts)
    assert open_to_all.headers["Content-Encoding"] == "gzip"
    assert "linkedin" in gzip.decompress(open_to_all.data).decode()
