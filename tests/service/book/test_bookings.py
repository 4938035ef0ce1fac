"""Booking: one visitor gets each start, and every visitor becomes a lead."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from lead_service.book.availability import time_cells
from lead_service.book.forms import parse_start, start_text
from lead_service.book.hosts.models import BusyTime, CalendarFeed, Host
from lead_service.book.models import Booking, TimeCell
from lead_service.leads.models import Consent, Lead, LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, count
from tests.support.app.visitor_forms import VISITOR, assess, book, booking_form, hidden, open_starts
from tests.support.engines import only_sqlite

FAR = MONDAY_MORNING + timedelta(days=400)


@pytest.mark.both_engines
def test_a_booking_commits_lead_event_cells_and_emails_together(client, database, mails):
    page = client.get(book(client))
    assert "Your call is booked" in page.text
    assert "ada@example.com" in page.text
    assert count(database, Lead) == count(database, LeadEvent) == count(database, Booking) == 1
    assert count(database, TimeCell) == 6
    kinds = {message.kind: message.to for _, message in mails()}
    assert kinds == {
        "booking_confirmed": "ada@example.com",
        "booking_for_host": "team@example.com",
        "booking_reminder": "ada@example.com",
    }


@only_sqlite
def test_a_booking_is_posted_in_few_statements(client):
    start, asked = open_starts(client)[0], []

    def note(*given) -> None:
        asked.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    book(client, start)
    event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) <= 32, "\n".join(asked)
    assert sum(one.startswith("SELECT host.id, host.name") for one in asked) == 1


def test_an_unknown_zone_falls_back_to_the_host_s(client):
    page = client.get("/book/", query_string={"zone": "Mars/Olympus"}).text
    assert "Times are in <strong>UTC</strong>" in page


def test_the_second_visitor_keeps_the_form_and_is_stored_as_a_lead(client, database, mails):
    start = open_starts(client)[0]
    late = booking_form(client, start, email="bob@example.com", name="Bob")
    book(client, start)
    answer = client.post("/book/", data=late)
    assert answer.status_code == 409
    assert "already booked" in answer.text
    assert 'value="bob@example.com"' in answer.text
    assert re.search(r'name="start" value="\d{8}T\d{4}Z"', answer.text)
    assert (count(database, Booking), count(database, Lead)) == (1, 2)
    again = late | {
        "start": open_starts(client)[0],
        "submission": hidden(answer.text, "submission"),
    }
    assert client.post("/book/", data=again).status_code == 303


@pytest.mark.parametrize(
    ("rules", "later"),
    [({"buffer_after": 15}, 30), ({"buffer_before": 15}, -30)],
)
def test_a_start_within_another_call_or_its_buffer_is_taken(client, database, rules, later):
    def change(session) -> None:
        for name, minutes in {"interval": 30, **rules}.items():
            setattr(session.scalar(select(Host)), name, minutes)

    database.write(change)
    first = open_starts(client)[3]
    near = start_text(parse_start(first) + timedelta(minutes=later))
    late = booking_form(client, near, email="bob@example.com")
    book(client, first)
    refused = client.post("/book/", data=late)
    assert refused.status_code == 409
    assert "already booked" in refused.text and 'value="bob@example.com"' in refused.text
    assert (count(database, Booking), count(database, Lead)) == (1, 2)


@pytest.mark.both_engines
def test_the_same_form_sent_twice_is_one_booking_and_one_set_of_emails(client, database, mails):
    form = booking_form(client, open_starts(client)[0])
    first, second = (client.post("/book/", data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert (count(database, Booking), count(database, Consent), len(mails())) == (1, 1, 3)


@pytest.mark.parametrize(
    ("known", "sentence", "team"),
    [
        ({}, "calendar right now", "of ACTION Advisory can\u2019t be read"),
        ({"known_until": FAR}, "something else at that time", "of ACTION Advisory is busy then"),
    ],
    ids=["unread", "busy"],
)
def test_visitor_and_team_read_the_true_reason_for_a_taken_start(
    client, database, mails, known, sentence, team
):
    form = booking_form(client, open_starts(client)[0])
    start = parse_start(form["start"])

    def meet(session) -> None:
        seen = {"succeeded_at": MONDAY_MORNING} | known if known else {}
        feed = CalendarFeed(host_id=1, url="https://a.test/x", label="Work", zone="UTC", **seen)
        session.add(feed)
        session.flush()
        session.add(BusyTime(feed_id=feed.id, starts_at=start, ends_at=start + timedelta(hours=1)))

    database.write(meet)
    refused = client.post("/book/", data=form)
    assert refused.status_code == 409
    assert sentence in refused.text
    assert "already booked" not in refused.text
    subject = mails()[-1][1].text
    assert f"the calendar \u201cWork\u201d {team}" in subject
    assert "Monday, November 23, 2026, 1:00 pm Berlin time (CET)" in subject


def test_a_post_cannot_book_beyond_the_shown_times(client, database):
    database.write(lambda session: setattr(session.get_one(Host, 1), "horizon_days", None))
    form = booking_form(client, open_starts(client)[0])
    database.write(lambda session: setattr(session.get_one(Host, 1), "version", 2))
    last, beyond = "20271227T0900Z", "20271229T0900Z"  # 399 and 401 days ahead
    assert client.post("/book/", data=form | {"start": beyond}).status_code == 422
    assert last in open_starts(client, day="2027-12-27", zone="UTC")
    assert client.post("/book/", data=form | {"start": last}).status_code == 303


def test_cells_of_past_calls_are_deleted(client, database):
    book(client)
    for days, left in ((1, 6), (2, 0)):
        database.write(
            lambda session, days=days: time_cells.drop_past(
                session, MONDAY_MORNING + timedelta(days=days)
            )
        )
        assert count(database, TimeCell) == left


def test_answers_come_along_to_the_contact_form_when_no_time_fits(
    client, framework, database, mails
):
    shown = client.get(assess(client, framework, 0) + "mailed/").text
    (answers,) = set(re.findall(r'href="/book/\?assessment=([^"]+)"', shown))
    database.write(lambda session: setattr(session.get_one(Host, 1), "hours", []))
    times = client.get(f"/book/?assessment={answers}").text
    assert f'href="/contact/?assessment={answers}"' in times
    shown = client.get(f"/contact/?assessment={answers}").text
    assert "answers from the self-assessment" in shown
    form = VISITOR | {"submission": hidden(shown, "submission")}
    form["assessment"] = hidden(shown, "assessment")
    assert client.post("/contact/", data=form).status_code == 303
    assert "Begin with Assess." in mails()[-1][1].text


@pytest.mark.parametrize(("missing", "status"), [("submission", 422), ("terms", 409)])
def test_a_form_without_a_hidden_field_needs_one_more_click(client, database, missing, status):
    form = booking_form(client, open_starts(client)[0])
    shown = client.post("/book/", data=form | {missing: ""})
    assert shown.status_code == status
    assert 'value="Ada Example"' in shown.text and "Nothing is booked yet" in shown.text
    assert count(database, Booking) == 0
    form[missing] = hidden(shown.text, missing)
    assert client.post("/book/", data=form).status_code == 303


def test_an_unavailable_start_is_refused_and_nothing_is_stored(client, database):
    for start in [
        "20261124T0907Z",
        "20261122T0900Z",
        "20261129T0900Z",
        "20991124T0900Z",
        "00010101T0000Z",
        "99991231T2359Z",
        "x",
        "",
    ]:
        form = booking_form(client, open_starts(client)[0]) | {"start": start}
        refused = client.post("/book/", data=form)
        assert refused.status_code == 422, start
        assert re.search(r"\d{8}T\d{4}Z", refused.text.replace(start or "-", ""))
        if parse_start(start):
            assert "The pilot worked" in refused.text
        assert count(database, Booking) == count(database, Lead) == 0


def test_an_invalid_field_has_its_error_beside_it_and_the_rest_is_kept(client, database):
    for field, value in [
        ("name", ""),
        ("email", "not an address"),
        ("email", "a@b\r\nBcc: c@example.com"),
        ("name", "Ada\nBcc: c@example.com"),
        ("phone", ""),
        ("phone", "-"),
        ("phone", "call me 12345"),
        ("phone", "+1+1+1+1+1"),
        ("company", "x" * 500),
    ]:
        form = booking_form(client, open_starts(client)[0]) | {field: value}
        refused = client.post("/book/", data=form)
        assert refused.status_code == 422, (field, value)
        assert f'id="{field}-error"' in refused.text
        assert "The pilot worked" in refused.text
        assert count(database, Lead) == 0


def test_unknown_fields_are_ignored(client, database):
    book(client, status="cancelled", quarantine="1", id="7", host_id="9", stage="won")
    with database.read() as session:
        booking, lead = session.scalar(select(Booking)), session.scalar(select(Lead))
    assert (booking.status, booking.quarantine, lead.stage) == ("confirmed", False, "new")


def test_answers_come_along_and_the_host_gets_the_brief(client, framework, mails, database):
    result = assess(client, framework, 0)
    token = result.split("/")[2]
    (answers,) = set(re.findall(r'href="/book/\?assessment=([^"]+)"', client.get(result).text))
    assert token not in answers
    assert client.get(result.replace(token, answers)).status_code == 404
    for made_up in (f"2-{answers[2:]}", answers[:-1]):
        assert (
            "answers from the self-assessment"
            not in client.get(f"/book/?assessment={made_up}").text
        )
    start = open_starts(client)[0]
    for known in (token, answers):  # the token, as in addresses of earlier versions
        assert (
            "answers from the self-assessment"
            in client.get(f"/book/{start}/?assessment={known}").text
        )
    book(client, start, assessment=answers, **{"from": "about-clarify"})
    host = next(message for _, message in mails() if message.kind == "booking_for_host")
    assert "Begin with Assess." in host.text
    assert "An article about clarify" in host.text
    assert "The pilot worked" in host.text
    visitor = next(message for _, message in mails() if message.kind == "booking_confirmed")
    assert "The pilot worked" not in visitor.text
    with database.read() as session:
        assert session.scalar(select(Booking)).assessment_id is not None


def test_a_text_that_is_too_long_stays_in_the_form(client):
    form = booking_form(client, open_starts(client)[0], topic="x" * 9_000)
    refused = client.post("/book/", data=form)
    assert refused.status_code == 422 and "x" * 9_000 in refused.text
    assert "must be 2,000 characters or fewer" in refused.text


def test_an_error_page_shows_the_input_and_nothing_else(client, database, framework):
    ann = add_host(database)
    token = assess(client, framework).split("/")[2]
    query = f"?zone=UTC&host={ann}&assessment={token}&from=about-clarify"
    page = client.get(f"/book/{open_starts(client)[0]}/{query}").text
    names = re.findall(r'type="hidden" name="(\w+)"', page)
    assert {"terms", "shown", "host"} <= set(names)
    form = VISITOR | {name: hidden(page, name) for name in names} | {"kind": "discovery"}
    answer = client.post("/book/", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert re.findall("<dt>([^<]+)", answer.text) == ["Name", "Email", "Company", "Phone", "Topic"]


def test_a_filled_honeypot_books_the_time_and_holds_the_visitors_email(client, mails):
    page = client.get(book(client, website="http://spam.example"))
    assert "when we confirm the call" in page.text
    assert client.get(page.request.path + "invite.ics").status_code == 404
    states = {message.kind: row.state for row, message in mails()}
    assert states == {
        "booking_confirmed": "held",
        "booking_reminder": "held",
        "booking_for_host": "held",
        "new_lead": "pending",
    }
    team = next(message for _, message in mails() if message.kind == "new_lead")
    assert ": possible spam, call booked" in team.subject


def test_suspicion_belongs_to_a_booking_and_not_to_the_address_for_good(client, mails, database):
    book(client, website="http://spam.example")
    book(client)
    confirmed = [row.state for row, one in mails() if one.kind == "booking_confirmed"]
    assert confirmed == ["held", "pending"]
    with database.read() as session:
        assert not session.scalars(select(Lead)).one().quarantine


def test_made_up_parameters_are_not_carried_from_page_to_page(client):
    page = client.get("/book/", query_string={"zone": "x" * 5000, "from": "y" * 5000}).text
    assert "xxx" not in page
    assert "yyy" not in page


@pytest.mark.parametrize(("ticked", "chosen"), [({}, False), ({"may_contact": "y"}, True)])
def test_each_form_stores_the_question_choice_time_and_place_of_a_consent(
    client, framework, database, ticked, chosen
):
    result = assess(client, framework)
    pages = client.get(result).text + client.get("/contact/").text
    pages += client.get(f"/book/{open_starts(client)[0]}/").text
    assert not re.search(r"<input[^>]* checked", pages)
    book(client, **ticked)
    submission = hidden(client.get("/contact/").text, "submission")
    client.post("/contact/", data=VISITOR | {"submission": submission} | ticked)
    client.post(f"{result}mail", data={"email": VISITOR["email"]} | ticked)
    with database.read() as session:
        kept = session.scalars(select(Consent)).all()
    assert [one.source for one in kept] == ["book", "contact", "result"]
    assert {(one.may_contact, one.at, bool(one.wording)) for one in kept} == {
        (chosen, MONDAY_MORNING, True)
    }


def test_a_message_without_a_slot_is_a_lead_and_confirmed_once(client, database, mails):
    token = hidden(client.get("/contact/").text, "submission")
    form = {"name": "Ada", "email": "ada@example.com", "topic": "Call me", "submission": token}
    for _ in range(2):
        assert client.post("/contact/", data=form).location == "/contact/thanks/"
    kept = [count(database, one) for one in (Lead, LeadEvent, Consent)]
    assert kept == [1, 1, 1]
    to_team, to_visitor = sorted((one for _, one in mails()), key=lambda one: one.to, reverse=True)
    assert (to_team.to, to_team.reply_to) == ("team@example.com", "ada@example.com")
    assert (to_visitor.to, to_visitor.subject) == ("ada@example.com", "We got your message")
    assert "Call me" not in to_visitor.text + to_visitor.html


def test_a_message_without_its_token_needs_one_more_click(client, database):
    shown = client.post("/contact/", data=VISITOR)
    assert shown.status_code == 422
    assert 'value="Ada Example"' in shown.text
    again = VISITOR | {"submission": hidden(shown.text, "submission")}
    assert client.post("/contact/", data=again).status_code == 303
    assert count(database, Lead) == 1
