"""The team's work on the phone: adding a lead, booking a call, rebooking after a no-show."""

import csv
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from lead_service.book.answers import link_for
from lead_service.book.bookings import manage_token
from lead_service.book.hosts.models import BusyTime, CalendarFeed
from lead_service.book.models import Booking
from lead_service.desk.leads.filters import LeadFilter
from lead_service.emails import outbox
from lead_service.emails.message import Attachment, EmailKind, Message, to_json
from lead_service.emails.models import OutboxMessage
from lead_service.leads.events import add_note
from lead_service.leads.models import Consent, Lead, LeadEvent
from lead_service.leads.touch import source_by_hand
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import MEMBER, press, sign_in
from tests.support.app.hosts import add_host, add_past_call, change_host, changes
from tests.support.app.stored_data import kept
from tests.support.app.visitor_forms import book, hidden

LEAD = "/desk/leads/1/"
NOTE = "It was good to talk to you."
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
TOLD = {"name": "Dana", "email": "Dana@example.com", "phone": "+1 212 555 0100"}


@pytest.fixture
def member(client, database, settings, at) -> None:
    """A member who is also the host, on a Monday morning."""
    sign_in(client, database, settings)
    change_host(database, email=MEMBER)


@pytest.fixture
def lead(member, database) -> str:
    """The page of a lead without an owner."""

    def work(session) -> int:
        return kept(session, email="dana@example.com", name="Dana", at=MONDAY_MORNING).id

    return f"/desk/leads/{database.write(work)}/"


def one(database, model):
    with database.read() as session:
        return session.scalars(select(model).order_by(model.id.desc()).limit(1)).one()


@pytest.mark.parametrize(("said", "allowed"), [("yes", [True]), ("no", [False]), ("", [])])
def test_a_lead_added_by_hand_stores_their_answers_and_the_member(
    client, member, database, said, allowed
):
    form = TOLD | {"how": "Trade fair", "owner_id": "1", "note": NOTE, "may_contact": said}
    form["submission"] = hidden(client.get("/desk/leads/new/").text, "submission")
    for _ in range(2):  # the second click adds nothing
        sent = press(client, "/desk/leads/new/", **form)
        assert (sent.status_code, sent.location) == (303, "/desk/leads/1/")
    page = client.get("/desk/leads/1/").text
    assert page.count("Talked to us") == 1
    for text in ("about your conversation", "Trade fair", NOTE, "+1 212 555 0100"):
        assert text in page
    assert ("They also agreed that we may email them about our services" in page) == (said == "yes")
    with database.read() as session:
        consents = session.scalars(select(Consent)).all()
    assert [(one.may_contact, one.source) for one in consents] == [(yes, "told") for yes in allowed]
    found = one(database, Lead)
    assert (found.owner_id, found.first_touch["utm_source"]) == (1, "trade fair")
    assert changes(database, "lead 1") == [("lead_added", 1)]
    stored = json.loads(client.get("/desk/leads/1.json").data)
    assert len(stored["notes"]) == 1
    assert not any(one["confirmed_by_email"] for one in stored["consents"])


def test_an_existing_lead_keeps_its_details_and_other_typed_ones_go_to_its_timeline(
    client, lead, database
):
    came = {"at": MONDAY_MORNING.isoformat(), "utm_source": "newsletter"}
    database.write(lambda session: setattr(session.get_one(Lead, 1), "first_touch", came))
    has_more = update(Lead).values(phone="+1 212 555 0100", company="Field")
    database.write(lambda session: session.execute(has_more) and None)
    other = {"name": "Other", "company": "Acme", "phone": "+1 212 555 0199"}
    form = TOLD | other | {"how": "Trade fair", "owner_id": "", "again": "yes"}
    sent = press(client, "/desk/leads/new/", **form)
    assert sent.location == "/desk/leads/new/?how=Trade+fair"
    told = client.get(sent.location).text
    assert "We already had dana@example.com" in told
    assert "You entered a different name, phone and company." in told
    found = one(database, Lead)
    assert (found.name, found.phone) == ("Dana", "+1 212 555 0100")
    assert (found.first_touch, found.last_touch["utm_source"]) == (came, "trade fair")
    assert "Trade fair; Name: Other" in client.get(lead).text


@pytest.mark.both_engines
def test_leads_are_found_by_their_trade_fair(client, member, database):
    book(client, email="dana@example.com", utm_source="LinkedIn")
    press(client, "/desk/leads/new/", **TOLD | {"how": "Messe M\u00fcnchen 2026", "owner_id": ""})
    book(client, "20261124T1000Z", email="dana@example.com", utm_source="O'Reilly & Co")
    for page in (
        "/desk/search/?q=M\u00fcnchen",
        "/desk/?q=messe",
        "/desk/search/?q=linkedin",
        "/desk/?source=M\u00dcNCHEN",
        "/desk/?source=linkedin",
        "/desk/?source=O'Reilly+%26+Co",
    ):
        assert LEAD in client.get(page).text, page
    for page in ("/desk/search/?q=cebit", "/desk/?source=cebit"):
        assert LEAD not in client.get(page).text, page
    (row,) = csv.DictReader(
        client.get("/desk/leads.csv?source=messe+m\u00fcnchen+2026").text.split("\n")
    )
    assert (row["First source"], row["Last source"]) == ("linkedin", "o'reilly & co")
    assert row["Known from"] == "messe m\u00fcnchen 2026"


def test_a_lead_is_found_by_their_number_as_it_is_shown_when_they_phone(client, lead, database):
    press(client, "/desk/leads/new/", **TOLD | {"how": "Trade fair", "owner_id": ""})
    for shown in ("+12125550100", "(212) 555-0100", "1 212 555 01 00", "212.555.0100"):
        assert lead in client.get("/desk/search/", query_string={"q": shown}).text, shown
    assert lead not in client.get("/desk/search/?q=2125550199").text


def test_an_impossible_source_filters_out_every_lead():
    assert LeadFilter.read({"source": "???"}).address == {"source": "???"}


def test_a_lead_without_a_valid_address_is_not_added(client, member, database):
    sent = press(client, "/desk/leads/new/", name="Dana", how="Trade fair")
    assert sent.status_code == 422
    assert "Enter their email address." in sent.text
    with database.read() as session:
        assert session.scalars(select(Lead)).all() == []


def test_a_call_booked_on_the_phone_is_a_visitors_but_marked_as_the_teams(
    client, lead, database, mails
):
    came = {"at": MONDAY_MORNING.isoformat(), "utm_source": "trade fair", "by_hand": "yes"}
    database.write(lambda session: setattr(session.get_one(Lead, 1), "first_touch", came))
    page = client.get(lead + "book/?day=2026-11-24").text
    assert 'value="20261124T0900Z"' in page
    assert hidden(page, "city") == ""  # their zone, which we don't know
    form = {"start": "20261124T0900Z", "city": "Berlin", "name": "Dana", "topic": "Scale it"}
    form |= {"note": NOTE, "may_contact": "yes", "submission": hidden(page, "submission")}
    for _ in range(2):  # the second click books the same call
        sent = press(client, lead, lead + "book/", **form)
        assert (sent.status_code, sent.location) == (303, "/desk/calls/1/")
    call, found = one(database, Booking), one(database, Lead)
    assert (call.starts_at, call.visitor_zone, call.is_proved) == (NINE, "Europe/Berlin", True)
    assert (found.owner_id, call.source) == (1, source_by_hand("trade fair"))  # for the funnel
    assert one(database, Consent).source == "told"
    told = {row.kind for row, message in mails() if NOTE in message.text}
    assert told == {"booking_confirmed", "booking_for_host"}
    assert changes(database, "call 1") == [("call_booked", 1)]
    page = client.get(lead).text
    assert "Booked a call for Tue, Nov 24, 2026, 9:00 am" in page
    assert "· <bdi>ann@example.com</bdi>" in page


def test_a_time_that_is_gone_or_outside_the_hours_is_refused_unless_it_was_agreed_on(
    client, lead, database
):
    book(client, "20261124T0900Z")
    form = {"city": "Berlin", "name": "Dana", "note": NOTE}
    page = lead + "book/"
    for chosen, status, why in [
        ({"start": "20261124T0900Z"}, 409, "has another call then"),
        ({"at": "2026-11-24T09:00"}, 409, "has another call then"),
        ({"start": "20261128T0615Z"}, 422, "That time is not available"),
        ({"at": "2026-11-22T09:00"}, 422, "That time has passed"),
        ({"at": "2026-11-28T06:17"}, 422, "minutes must end in 0 or 5"),
        ({"at": "2036-11-28T06:15"}, 422, "more than 400 days ahead"),
        ({}, 422, "Choose a time"),
        ({"at": "2026-11-28T06:15", "city": "Atlantis"}, 422, "know this city"),
        ({"at": "2026-11-28T06:15", "phone": "abc"}, 422, "Enter a phone number like"),
    ]:
        sent = press(client, page, **form | {"submission": "x"} | chosen)
        assert sent.status_code == status, chosen
        assert NOTE in sent.text and why in sent.text, chosen
    sent = press(client, page, **form | {"submission": "x", "at": "2026-11-28T06:15"})
    assert sent.status_code == 303
    assert one(database, Booking).starts_at == datetime(2026, 11, 28, 6, 15, tzinfo=UTC)


def test_an_agreed_time_goes_to_the_host_who_is_open_then(client, lead, database):
    change_host(database, zone="America/New_York")
    berlin = add_host(database, "Jonas Example", zone="Europe/Berlin")
    agreed = {"at": "2026-11-23T05:05", "city": "Berlin", "name": "Dana", "submission": "x"}
    assert press(client, lead + "book/", **agreed).status_code == 303  # too soon for a visitor
    assert one(database, Booking).host_id == berlin
    night = agreed | {"at": "2026-11-27T20:00", "submission": "y", "topic": NOTE}
    refused = press(client, lead + "book/", **night)
    assert refused.status_code == 422
    for said in ("No host is free", "ACTION Advisory: Outside the host", "Jonas Example: Outside"):
        assert said in refused.text
    assert "Nearest times: Fri, Nov 27, 3:30 pm; " in refused.text and NOTE in refused.text
    assert f'<option value="{berlin}">Jonas Example</option>' in refused.text
    agreed_by_host = press(client, lead + "book/", **night | {"host": str(berlin)})
    assert agreed_by_host.status_code == 303
    assert one(database, Booking).host_id == berlin


def test_an_agreed_time_off_the_grid_goes_to_a_free_host(client, lead, database):
    busy = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def fill(session) -> None:
        known = {"succeeded_at": MONDAY_MORNING, "known_until": busy + timedelta(days=99)}
        feed = CalendarFeed(host_id=1, url="https://a.test/x", label="Work", zone="UTC", **known)
        session.add(feed)
        session.flush()
        session.add(BusyTime(feed_id=feed.id, starts_at=busy, ends_at=busy + timedelta(hours=1)))

    database.write(fill)
    free = add_host(database, "Jonas Example", zone="Europe/Berlin")
    agreed = {"at": "2026-11-24T09:05", "city": "London", "name": "Dana", "submission": "x"}
    assert press(client, lead + "book/", **agreed).status_code == 303
    assert one(database, Booking).host_id == free


@pytest.mark.both_engines
def test_a_member_books_and_moves_no_call_into_another_call_of_the_same_person(
    client, lead, database
):
    jonas = str(add_host(database, "Jonas Example"))
    form = {"city": "London", "name": "Dana"}
    first = form | {"at": "2026-11-24T09:00", "submission": "x", "host": "1"}
    for _ in range(2):  # the same form sent twice is one call
        assert press(client, lead + "book/", **first).location == "/desk/calls/1/"
    page = lead + "book/"
    for at, submission, status in (("09:15", "y", 409), ("08:45", "y", 409), ("09:30", "z", 303)):
        again = form | {"at": f"2026-11-24T{at}", "submission": submission, "host": jonas}
        sent = press(client, page, **again)
        assert sent.status_code == status, at
        said = "already have a call with ACTION Advisory: Tue, Nov 24, 9:00 am"
        assert (said in sent.text) == (status == 409)
    moved = press(client, "/desk/calls/2/move/", at="2026-11-24T09:10")
    assert moved.status_code == 409 and said in moved.text
    assert press(client, "/desk/calls/2/move/", at="2026-11-24T09:35").status_code == 303


@pytest.mark.both_engines
def test_a_member_corrects_the_address_of_a_lead_and_of_its_calls(client, member, mails, database):
    press(client, "/desk/leads/new/", **TOLD | {"how": "Trade fair", "owner_id": "1"})
    book_form = {"at": "2026-11-24T09:00", "city": "Berlin", "name": "Dana", "submission": "x"}
    press(client, LEAD, LEAD + "book/", **book_form)
    database.write(lambda session: setattr(session.get_one(Lead, 1), "bounced_at", MONDAY_MORNING))
    page = LEAD + "email/"
    assert page in client.get(LEAD).text
    assert press(client, page, email="dana").status_code == 422
    seen = hidden(client.get(page).text, "seen")
    assert press(client, page, email="dana@acme.test", seen=seen).location == LEAD
    stale = press(client, page, email="dana@other.test", seen=seen)
    assert stale.status_code == 409 and "Someone else has corrected an address" in stale.text
    found, call = one(database, Lead), one(database, Booking)
    assert (found.email, found.bounced_at, found.owner_id) == ("dana@acme.test", None, 1)
    assert (found.first_touch["utm_source"], call.email) == ("trade fair", "dana@acme.test")
    assert call.is_proved
    sent = {row.kind: row.address for row, _ in mails()}
    assert sent["booking_confirmed"] == "dana@acme.test"
    assert "Corrected their email address" in client.get(LEAD).text
    assert f'href="{LEAD}"' in press(client, "/desk/privacy/", email=TOLD["email"]).text
    assert changes(database, "lead 1")[-1] == ("lead_changed", 1)


@pytest.fixture
def combined(client, lead) -> str:
    """The page of a lead right after a member combined another one into it."""
    form = TOLD | {"email": "dnaa@example.com", "how": "Trade fair", "owner_id": "1", "note": NOTE}
    press(client, "/desk/leads/new/", **form | {"name": "D. Doe"})
    page, email = "/desk/leads/2/email/", {"email": "Dana@example.com"}
    asked = press(client, page, **email)
    assert asked.status_code == 409 and "already has this address" in asked.text
    both = {"other": hidden(asked.text, "other"), "seen": hidden(asked.text, "seen")}
    gone = press(client, page, email="else@example.com", **both)  # no lead has that address
    assert gone.status_code == 409 and "Someone else has corrected an address" in gone.text
    assert press(client, page, **email, **both).location == lead
    return client.get(lead).text


@pytest.mark.both_engines
def test_a_member_can_merge_two_leads_of_one_person(client, lead, database, combined):
    found = one(database, Lead)
    assert (found.id, found.owner_id, found.phone) == (1, 1, TOLD["phone"])
    assert found.last_touch["utm_source"] == "trade fair"
    assert "Combined the two leads. Details that differ are in the timeline." in combined
    assert changes(database, "lead 1")[-1] == ("leads_combined", 1)
    assert "other lead: 2" in client.get("/desk/trail/?about=lead+1").text
    moved = client.get("/desk/leads/2/?call=1")
    assert (moved.status_code, moved.location) == (307, f"{lead}?call=1")
    noted = press(client, "/desk/leads/2/", note=NOTE)
    assert (noted.status_code, noted.location) == (307, lead)
    assert client.get("/desk/leads/3/").status_code == 404
    for text in (NOTE, "Combined with another lead", "Name: D. Doe; Email: dnaa@example.com"):
        assert text in combined
    for query in ("d. doe", "DNAA@example", "doe trade"):
        assert lead in client.get("/desk/search/", query_string={"q": query}).text, query
    book(client, email="dana@example.com", name="Zoe Dane", company="Zone Inc")
    assert lead in client.get("/desk/search/?q=zone+inc").text


@pytest.mark.both_engines
@pytest.mark.usefixtures("combined")
def test_erasing_a_corrected_address_removes_it_from_the_texts_about_its_lead(
    client, lead, database
):
    asked = press(client, "/desk/privacy/", email="dnaa@example.com").text
    assert "We hold no data about this address" in asked and f'href="{lead}"' in asked
    about = {"useless_after": MONDAY_MORNING, "lead_id": 1}
    ics = Attachment("invite.ics", "text/calendar", b"ATTENDEE:mailto:dn\r\n aa@example.com")
    plain = Message(EmailKind.RESULT, "team@example.com", "", "A call", "Text", "<p>HTML</p>")
    emails = [plain, replace(plain, text="Dnaa@example.com"), replace(plain, attachments=(ics,))]

    queued = select(OutboxMessage).where(OutboxMessage.kind == EmailKind.RESULT)

    def tell(session) -> None:
        for one in emails:
            outbox.queue(session, one.kind, one.to, at=MONDAY_MORNING, **about)
        for row, one in zip(session.scalars(queued), emails, strict=True):
            row.body = to_json(one)

    database.write(tell)
    database.write(
        lambda session: add_note(
            session, session.get_one(Lead, 1), 1, "She wrote from DNAA@example.com", MONDAY_MORNING
        )
    )
    press(client, "/desk/privacy/", "/desk/privacy/erase", email="dnaa@example.com")
    assert "dnaa" not in client.get(lead).text.lower()
    with database.read() as session:
        bodies = [row.body for row in session.scalars(queued)]
    assert sorted(bodies, key=str) == [None, None, to_json(plain)]


def test_links_for_a_lead_contain_no_source_that_a_member_typed(client, member, database, settings):
    press(client, "/desk/leads/new/", **TOLD | {"how": "Husband of Ann", "owner_id": ""})
    form = {"at": "2026-11-24T09:00", "city": "Berlin", "name": "Dana", "submission": "x"}
    press(client, LEAD, LEAD + "book/", **form)
    link = re.search(r'href="([^"]+)">Booking link to send them', client.get(LEAD).text)
    assert link and "utm" not in link[1]
    call = one(database, Booking)
    page = client.get(f"/booking/{manage_token(call, settings.secret)}/")
    assert page.status_code == 200 and "usband" not in page.text
    with database.read() as session:
        again = link_for(session, settings, session.get_one(Lead, 1), call=call)
    assert "usband" not in again


def test_the_host_of_a_call_becomes_the_owner_of_an_unowned_lead(client, member, database):
    book(client)
    assert one(database, Lead).owner_id == 1
    assert "Assigned the lead to <bdi>ann@example.com" in client.get("/desk/leads/1/").text


def test_after_a_no_show_an_email_can_be_read_and_then_sent_once(client, member, mails, database):
    page = f"/desk/calls/{add_past_call(database)}/"
    assert client.get(page + "again/").location == page
    came = update(Booking).values(came_from="about-clarify", source="utm_source=newsletter")
    database.write(lambda session: session.execute(came) and None)
    press(client, page, page + "result", result="no_show")
    assert page + "again/" in client.get(page).text
    shown = press(client, page + "again/", note=NOTE, show="yes").text
    assert NOTE in shown and "We missed you on Sunday, November 22" in shown
    for status in (303, 409):
        assert press(client, page, page + "again/", note=NOTE).status_code == status
    assert client.get(page + "again/").location == page
    (email,) = [message for row, message in mails() if row.kind == "booking_again"]
    assert NOTE in email.text
    assert "/book/?from=about-clarify&utm_source=newsletter" in email.text
    assert one(database, LeadEvent).kind == "invited_again"
    assert "We invited them to book again." in client.get(page).text


def test_visitors_who_booked_again_are_not_invited_to(client, member, mails, database, at):
    page = f"/desk/calls/{add_past_call(database)}/"
    press(client, page, page + "result", result="no_show")
    press(client, page + "again/")
    book(client, email="past@example.com")
    assert "booking_again" not in {row.kind for row, _ in mails()}
    at(MONDAY_MORNING + timedelta(minutes=1))
    assert client.get(page + "again/").location == page
