"""Booking: one start, one winner, and the lead either way."""

import re
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import func, select

from lead_service.book.forms import parse_start, start_text
from lead_service.book.models import Booking, Host, TimeCell
from lead_service.leads import Consent, Lead, LeadEvent

from .conftest import MONDAY_MORNING
from .journeys import assess, book, booking_form, hidden, open_starts

pytestmark = pytest.mark.usefixtures("at")


def count(database, model) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model))


def invitation(message) -> dict:
    calendar = Calendar.from_ical(message.attachments[0].content)
    (event,) = calendar.walk("VEVENT")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "to": str(event["ATTENDEE"]),
        "start": event["DTSTART"].dt,
    }


def test_a_booking_is_lead_event_cells_and_mails_at_once(client, database, mails):
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


def test_the_starts_on_offer_follow_the_host_s_hours_and_notice(client):
    starts = [parse_start(text) for text in open_starts(client)]
    assert starts[0] == MONDAY_MORNING + timedelta(hours=4)  # notice of four hours
    assert all(9 <= start.hour < 17 and start.weekday() < 5 for start in starts)


def test_times_are_written_in_the_visitor_s_zone(client):
    page = client.get("/book/", query_string={"zone": "Asia/Tokyo"}).text
    assert "Asia/Tokyo" in page
    assert "9:00 pm" in page  # noon in UTC


def test_an_unknown_zone_falls_back_to_the_host_s(client):
    page = client.get("/book/", query_string={"zone": "Mars/Olympus"}).text
    assert "Times are in <strong>UTC</strong>" in page


def test_buffers_keep_the_neighbours_free_too(client, database):
    def widen(session) -> None:
        session.scalar(select(Host)).buffer_after = 10

    database.write(widen)
    first, second, third = open_starts(client)[:3]
    book(client, first)
    assert count(database, TimeCell) == 8
    left = open_starts(client)
    assert second not in left
    assert third in left


def test_a_taken_start_is_no_longer_offered(client):
    first = open_starts(client)[0]
    book(client, first)
    assert first not in open_starts(client)


def test_the_second_visitor_keeps_the_form_and_is_stored_as_a_lead(client, database, mails):
    start = open_starts(client)[0]
    late = booking_form(client, start, email="bob@example.com", name="Bob")
    book(client, start)
    answer = client.post("/book/", data=late)
    assert answer.status_code == 409
    assert "just taken" in answer.text
    assert 'value="bob@example.com"' in answer.text
    assert re.search(r'name="start" value="\d{8}T\d{4}Z"', answer.text)
    assert (count(database, Booking), count(database, Lead)) == (1, 2)
    again = late | {
        "start": open_starts(client)[0],
        "submission": hidden(answer.text, "submission"),
    }
    assert client.post("/book/", data=again).status_code == 303


def test_the_same_form_sent_twice_is_one_booking_and_one_set_of_mails(client, database, mails):
    form = booking_form(client, open_starts(client)[0])
    first, second = (client.post("/book/", data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert (count(database, Booking), len(mails())) == (1, 3)


def test_a_form_without_its_token_needs_one_more_click_and_nothing_else(client, database):
    form = booking_form(client, open_starts(client)[0]) | {"submission": ""}
    shown = client.post("/book/", data=form)
    assert shown.status_code == 422
    assert 'value="Ada Example"' in shown.text
    assert count(database, Booking) == 0
    form["submission"] = hidden(shown.text, "submission")
    assert client.post("/book/", data=form).status_code == 303


@pytest.mark.parametrize(
    "start",
    [
        "20261124T0907Z",
        "20261122T0900Z",
        "20261129T0900Z",
        "20991124T0900Z",
        "00010101T0000Z",
        "99991231T2359Z",
        "x",
        "",
    ],
)
def test_a_start_that_is_not_on_offer_is_refused_and_nothing_is_stored(client, database, start):
    form = booking_form(client, open_starts(client)[0]) | {"start": start}
    refused = client.post("/book/", data=form)
    assert refused.status_code == 422
    assert re.search(r"\d{8}T\d{4}Z", refused.text.replace(start or "-", ""))
    if parse_start(start):
        assert "The pilot worked" in refused.text
    assert count(database, Booking) == count(database, Lead) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("email", "not an address"),
        ("email", "a@b\r\nBcc: c@example.com"),
        ("name", "Ada\nBcc: c@example.com"),
        ("phone", ""),
        ("phone", "-"),
        ("phone", "call me 12345"),
        ("company", "x" * 500),
    ],
)
def test_a_wrong_field_is_named_beside_itself_and_the_rest_is_kept(client, database, field, value):
    form = booking_form(client, open_starts(client)[0]) | {field: value}
    refused = client.post("/book/", data=form)
    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert "The pilot worked" in refused.text
    assert count(database, Lead) == 0


def test_unknown_fields_set_nothing(client, database):
    book(client, status="cancelled", quarantine="1", id="7", host_id="9", stage="won")
    with database.read() as session:
        booking, lead = session.scalar(select(Booking)), session.scalar(select(Lead))
    assert (booking.status, booking.quarantine, lead.stage) == ("confirmed", False, "new")


def test_one_address_has_at_most_two_coming_calls(client, database):
    for _ in range(2):
        book(client)
    form = booking_form(client, open_starts(client)[0])
    assert client.post("/book/", data=form).status_code == 422
    assert count(database, Booking) == 2


def test_a_cancelled_slot_can_be_booked_again(client):
    start = open_starts(client)[0]
    client.post(book(client, start) + "cancel")
    assert start in open_starts(client)
    book(client, start, email="bob@example.com")


def test_cancelling_twice_is_one_cancellation_with_a_higher_sequence(client, mails, post):
    page = book(client)
    post()
    for _ in range(2):
        assert client.post(page + "cancel").status_code == 303
    by_kind = {message.kind: invitation(message) for _, message in mails()}
    confirmed, cancelled = by_kind["booking_confirmed"], by_kind["booking_cancelled"]
    assert len(mails()) == 4
    assert (confirmed["method"], cancelled["method"]) == ("REQUEST", "CANCEL")
    assert confirmed["uid"] == cancelled["uid"]
    assert cancelled["sequence"] == confirmed["sequence"] + 1
    assert cancelled["to"] == "mailto:ada@example.com"


def test_an_invitation_that_could_not_leave_does_not_follow_its_cancellation(client, mails):
    client.post(book(client) + "cancel")
    assert sorted(message.kind for _, message in mails()) == [
        "booking_cancelled",
        "booking_cancelled_for_host",
    ]


def test_a_call_that_has_begun_is_not_cancelled_any_more(client, database, at):
    page = book(client)
    at(MONDAY_MORNING + timedelta(days=1))
    client.post(page + "cancel")
    with database.read() as session:
        assert session.scalar(select(Booking)).status == "confirmed"


def test_looking_at_every_link_of_a_booking_changes_nothing(client, database):
    page = book(client)
    for path in (page, page + "invite.ics", page + "cancel", page + "address"):
        client.get(path)
    with database.read() as session:
        assert session.scalar(select(Booking)).status == "confirmed"


def test_the_invitation_s_address_can_be_corrected(client, mails, database):
    page = book(client)
    corrected = client.post(page + "address", data={"email": "ada@example.org"})
    assert corrected.status_code == 303
    assert "ada@example.org" in client.get(corrected.location).text
    sent = {message.kind: message for _, message in mails()}  # the first had not left yet
    assert sorted(sent) == ["booking_confirmed", "booking_for_host", "booking_reminder"]
    assert sent["booking_confirmed"].to == "ada@example.org"
    assert invitation(sent["booking_confirmed"])["sequence"] == 2
    assert sent["booking_for_host"].reply_to == "ada@example.org"
    with database.read() as session:
        assert session.scalars(select(Lead.address)).all() == ["ada@example.org"]


def test_whoever_reads_the_mistyped_mailbox_loses_the_link_and_the_event(client, mails, post):
    page = book(client, email="adda@example.org")
    post()
    client.post(page + "address", data={"email": "ada@example.org"})
    assert client.get(page).status_code == 404
    assert client.post(page + "cancel").status_code == 404
    sent = {message.kind: message for _, message in mails() if message.to == "adda@example.org"}
    withdrawn = sent["booking_withdrawn"]
    first, last = invitation(sent["booking_confirmed"]), invitation(withdrawn)
    assert (last["method"], last["uid"]) == ("CANCEL", first["uid"])
    assert last["sequence"] == first["sequence"] + 1
    assert "Ada" not in withdrawn.text + withdrawn.html + withdrawn.to_name


def test_correcting_an_address_is_no_way_around_its_two_calls(client):
    for _ in range(2):
        book(client, email="ada@example.org")
    page = book(client, email="bob@example.org")
    assert client.post(page + "address", data={"email": "ada@example.org"}).status_code == 422


def test_a_corrected_address_that_is_known_leaves_one_lead_with_the_whole_story(client, database):
    book(client, email="ada@example.org")
    page = book(client, email="adda@example.org")
    client.post(page + "address", data={"email": "ada@example.org"})
    with database.read() as session:
        (lead,) = session.scalars(select(Lead)).all()
        kinds = [event.kind for event in lead.events]
    assert lead.address == "ada@example.org"
    assert kinds == ["call_booked", "call_booked", "address_corrected"]
    assert count(database, Booking) == 2


def test_a_lead_with_a_story_of_its_own_keeps_its_address(client, database):
    book(client, email="ada@example.org")
    page = book(client, email="ada@example.org")
    client.post(page + "address", data={"email": "bob@example.org"})
    with database.read() as session:
        addresses = session.scalars(select(Lead.address).order_by(Lead.id)).all()
    assert addresses == ["ada@example.org", "bob@example.org"]


def test_an_address_can_be_corrected_three_times_only(client):
    page = book(client)
    for number in range(3):
        corrected = client.post(page + "address", data={"email": f"ada{number}@example.org"})
        assert corrected.status_code == 303
        page = corrected.location
    assert client.post(page + "address", data={"email": "x@example.org"}).status_code == 422


def test_answers_come_along_and_the_host_gets_the_brief(client, framework, mails, database):
    token = assess(client, framework, 0).split("/")[2]
    start = open_starts(client)[0]
    assert "come along" in client.get(f"/book/{start}/?assessment={token}").text
    book(client, start, assessment=token, **{"from": "about-clarify"})
    host = next(message for _, message in mails() if message.kind == "booking_for_host")
    assert "Widest gap: Assess" in host.text
    assert "An article about clarify" in host.text
    assert "The pilot worked" in host.text
    visitor = next(message for _, message in mails() if message.kind == "booking_confirmed")
    assert "The pilot worked" not in visitor.text
    with database.read() as session:
        assert session.scalar(select(Booking)).assessment_id is not None


def test_a_sprung_trap_takes_the_time_tells_the_team_and_holds_the_visitor_s_mail(client, mails):
    page = client.get(book(client, website="http://spam.example"))
    assert "we will confirm by mail" in page.text
    assert client.get(page.request.path + "invite.ics").status_code == 404
    states = {message.kind: row.state for row, message in mails()}
    assert states == {
        "booking_confirmed": "held",
        "booking_reminder": "held",
        "booking_for_host": "pending",
    }
    host = next(message for _, message in mails() if message.kind == "booking_for_host")
    assert host.subject.startswith("Suspected")


def test_a_lead_in_quarantine_stays_there_however_clean_its_next_form(client, mails):
    book(client, website="http://spam.example")
    book(client)
    confirmed = [row.state for row, one in mails() if one.kind == "booking_confirmed"]
    assert confirmed == ["held", "held"]


def test_what_is_made_up_is_not_carried_from_page_to_page(client):
    page = client.get("/book/", query_string={"zone": "x" * 5000, "from": "y" * 5000}).text
    assert "xxx" not in page
    assert "yyy" not in page


def test_consent_is_unticked_by_default_and_kept_with_its_wording(client, database):
    start = open_starts(client)[0]
    assert "checked" not in client.get(f"/book/{start}/").text
    book(client, start)
    with database.read() as session:
        consent = session.scalar(select(Consent))
    assert (consent.may_contact, consent.source) == (False, "book")
    assert consent.wording


def test_a_message_without_a_slot_is_a_lead(client, database, mails):
    token = hidden(client.get("/contact/").text, "submission")
    form = {"name": "Ada", "email": "ada@example.com", "topic": "Call me", "submission": token}
    for _ in range(2):
        assert client.post("/contact/", data=form).location == "/contact/thanks/"
    assert (count(database, Lead), count(database, LeadEvent), len(mails())) == (1, 1, 1)
    assert mails()[0][1].reply_to == "ada@example.com"


def test_a_booking_s_page_opens_for_its_link_only(client):
    book(client)
    assert client.get("/booking/guess/").status_code == 404


def test_starts_survive_being_written_and_read():
    assert parse_start(start_text(MONDAY_MORNING)) == MONDAY_MORNING
