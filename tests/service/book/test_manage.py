"""The page of one booking: cancellation and a corrected address."""

import re
from datetime import date, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import func, select

from lead_service.accounts.members import Member
from lead_service.assess.models import Assessment
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking
from lead_service.leads.models import Lead, LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.call_types import ANN, publish
from tests.support.app.calls import count, move
from tests.support.app.stored_data import confirm_ticks
from tests.support.app.visitor_forms import assess, book, booking_form, hidden, open_starts


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


def test_the_host_is_shown_before_and_after_booking(app, client, database, mails):
    publish(app, people=(ANN,))

    def choose(session) -> None:
        host = session.get_one(Host, 1)
        host.person, host.name, host.version = ANN.slug, ANN.name, host.version + 1

    database.write(choose)
    start = open_starts(client)[0]
    times, form = client.get("/book/").text, client.get(f"/book/{start}/").text
    assert "You\u2019ll talk to" in form and ANN.lines in form and ANN.lines not in times
    booked = client.get(book(client, start)).text
    assert ANN.lines in booked and ANN.says in booked
    for page in (times, form, booked):
        assert ANN.name in page and ANN.role in page and 'alt="Portrait of Ann Example"' in page
    confirmed = next(one for _, one in mails() if one.kind == "booking_confirmed")
    assert "with Ann Example\\, Partner." in confirmed.attachments[0].content.decode()
    for part in (confirmed.text, confirmed.html):
        assert f"\u201c{ANN.says}\u201d" in part and "Ann Example, Partner" in part
    links = re.findall(r"https://(?:calendar\.google|outlook\.office)[^\s\"<>]+", booked)
    links += re.findall(r"https://(?:calendar\.google|outlook\.office)\S+", confirmed.text)
    assert len(links) == 4 and not [link for link in links if "Ann" in link]


def test_canceling_twice_sends_one_cancellation_with_a_higher_sequence(
    client, database, mails, post
):
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
    with database.read() as session:
        told = select(func.count()).where(LeadEvent.kind == "call_cancelled")
        assert session.scalar(told) == 1


def test_a_call_that_was_rescheduled_meanwhile_is_not_canceled(client, context, mails):
    page = book(client)
    seen = hidden(client.get(page).text, "seen")
    assert move(context, (MONDAY_MORNING + timedelta(days=1)).replace(hour=10, minute=0))
    refused = client.post(page + "cancel", data={"seen": seen})
    assert refused.status_code == 409 and "changed since you opened this page" in refused.text
    assert "booking_cancelled" not in {message.kind for _, message in mails()}
    again = hidden(refused.text, "seen")
    assert client.post(page + "cancel", data={"seen": again}).status_code == 303


def test_an_unsent_invitation_is_not_sent_after_its_cancellation(client, mails):
    client.post(book(client) + "cancel")
    assert sorted(message.kind for _, message in mails()) == [
        "booking_cancelled",
        "booking_cancelled_for_host",
    ]


def test_a_call_that_has_begun_is_added_to_no_calendar_and_offers_another(client, at):
    page = book(client)
    assert "Your call is booked" in client.get(page).text
    at(MONDAY_MORNING + timedelta(days=1))
    later = client.get(page).text
    assert "It began on Monday, November&nbsp;23" in later
    assert "Book another" in later
    assert "booked" not in later
    assert "invite.ics" not in later and "Keep" not in later


def test_a_call_that_has_begun_cannot_be_canceled(client, database, at):
    page = book(client)
    at(MONDAY_MORNING + timedelta(days=1))
    refused = client.post(page + "cancel")
    assert refused.status_code == 409
    assert "Nothing was canceled" in refused.text and 'href="/contact/"' in refused.text
    with database.read() as session:
        assert session.scalar(select(Booking)).status == "confirmed"


def test_the_invitation_s_address_can_be_corrected(client, mails, database):
    page = book(client)
    corrected = client.post(page + "address", data={"email": "ada@example.org"})
    assert corrected.status_code == 303
    assert "ada@example.org" in client.get(corrected.location).text
    sent = {message.kind: message for _, message in mails()}  # the first one was not sent yet
    assert sorted(sent) == ["booking_confirmed", "booking_for_host", "booking_reminder"]
    assert sent["booking_confirmed"].to == "ada@example.org"
    assert invitation(sent["booking_confirmed"])["sequence"] == 2
    assert sent["booking_for_host"].reply_to == "ada@example.org"
    with database.read() as session:
        assert session.scalars(select(Lead.address)).all() == ["ada@example.org"]


def test_the_link_and_event_at_a_mistyped_address_stop_working(client, mails, post):
    page = book(client, email="adda@example.org")
    post()
    client.post(page + "address", data={"email": "ada@example.org"})
    assert client.get(page).status_code == 404
    assert client.post(page + "cancel").status_code == 404
    told = [message for _, message in mails()]
    hosts = [message.subject for message in told if message.kind == "booking_for_host"]
    assert [subject.partition(":")[0] for subject in hosts] == ["New call", "New email address"]
    sent = {message.kind: message for message in told if message.to == "adda@example.org"}
    withdrawn = sent["booking_withdrawn"]
    first, last = invitation(sent["booking_confirmed"]), invitation(withdrawn)
    assert (last["method"], last["uid"]) == ("CANCEL", first["uid"])
    assert last["sequence"] == first["sequence"] + 1
    assert "Ada" not in withdrawn.text + withdrawn.html + withdrawn.to_name
    assert b"/booking/" not in withdrawn.attachments[0].content


def test_an_invitation_is_not_withdrawn_from_the_same_mailbox_in_lower_case(client, mails, post):
    page = book(client, email="Ada@Example.org")
    post()
    client.post(page + "address", data={"email": "ada@example.org"})
    assert "booking_withdrawn" not in {message.kind for _, message in mails()}


def own(database, lead_id: int, **known) -> None:
    """Make a member the owner of a lead, and add details."""

    def work(session) -> None:
        lead = session.get_one(Lead, lead_id)
        lead.owner = Member(email=f"{lead_id}@example.com", created_at=MONDAY_MORNING)
        for name, value in known.items():
            setattr(lead, name, value)

    database.write(work)


def test_correcting_to_a_known_address_merges_both_leads(client, database, at):
    book(client, email="ada@example.org", company="")
    at(MONDAY_MORNING + timedelta(minutes=5))
    page = book(client, email="adda@example.org", company="ACME", utm_source="linkedin")
    own(database, 2, stage="contacted", next_action="Call", next_action_on=date(2026, 12, 1))
    client.post(page + "address", data={"email": "ada@example.org"})
    with database.read() as session:
        (lead,) = session.scalars(select(Lead)).all()
        kinds = [event.kind for event in lead.events]
        assert lead.owner and lead.owner.email == "2@example.com"
    assert lead.address == "ada@example.org"
    assert kinds == ["call_booked", "call_booked", "address_corrected"]
    assert count(database, Booking) == 2
    assert (lead.first_touch or {}).keys() == {"at"}
    assert (lead.last_touch or {})["utm_source"] == "linkedin"
    assert (lead.company, lead.stage, lead.next_action) == ("ACME", "contacted", "Call")


def test_a_lead_with_other_activity_keeps_its_address(client, database, at):
    book(client, email="ada@example.org", utm_source="linkedin")
    own(database, 1)
    at(MONDAY_MORNING + timedelta(minutes=5))
    page = book(client, email="ada@example.org", utm_source="newsletter")
    client.post(page + "address", data={"email": "bob@example.org"})
    with database.read() as session:
        ada, bob = session.scalars(select(Lead).order_by(Lead.id)).all()
        assert (ada.address, bob.address) == ("ada@example.org", "bob@example.org")
        assert [one.kind for one in ada.events] == ["call_booked"]
        assert [one.kind for one in bob.events] == ["call_booked", "address_corrected"]
        first, last = bob.first_touch or {}, bob.last_touch or {}
        assert (first["utm_source"], last["utm_source"]) == ("linkedin", "newsletter")
        assert (ada.owner_id, bob.owner_id) == (1, 1)
        # The desk shows that both were asked.
        assert len(ada.consents) == len(bob.consents) == 1


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_answers_that_were_emailed_move_with_a_corrected_address_until_it_is_confirmed(
    client, database, framework, at, is_confirmed
):
    result = assess(client, framework)
    client.post(result + "mail", data={"email": "adda@example.org", "may_contact": "y"})
    if is_confirmed:
        confirm_ticks(database)
    at(MONDAY_MORNING + timedelta(minutes=5))
    page = book(client, email="adda@example.org", assessment=result.split("/")[2])
    client.post(page + "address", data={"email": "ada@example.org"})
    with database.read() as session:
        answers, call = session.scalars(select(Assessment)).one(), session.get(Booking, 1)
        assert (session.get(Lead, answers.lead_id).address == "adda@example.org") == is_confirmed
        assert (call.assessment_id is None) == is_confirmed


def test_a_mistyped_mailbox_cannot_open_moved_answers(client, framework, mails, post, at):
    result = assess(client, framework)
    client.post(result + "mail", data={"email": "adda@example.org"})
    (email,) = [message for _, message in mails() if message.kind == "result"]
    shared, not_me = (
        re.search(rf"http://127\.0\.0\.1:8000(/assessment/{page}/[^/\s]+/)", email.text)[1]
        for page in ("shared", "not-me")
    )
    post()
    at(MONDAY_MORNING + timedelta(minutes=5))
    page = book(client, email="adda@example.org", assessment=result.split("/")[2])
    client.post(page + "address", data={"email": "ada@example.org"})
    assert client.get(shared).status_code == 200
    client.post(not_me)
    assert client.get(shared).status_code == 404


def test_an_address_can_be_corrected_three_times_only(client):
    page = book(client)
    for number in range(3):
        corrected = client.post(page + "address", data={"email": f"ada{number}@example.org"})
        assert corrected.status_code == 303
        page = corrected.location
    assert client.post(page + "address", data={"email": "x@example.org"}).status_code == 422


def test_a_hosts_address_cannot_book(client, database, settings):
    form = booking_form(client, open_starts(client)[0])
    for ours in ("Team@example.com", settings.mail_from):
        refused = client.post("/book/", data=form | {"email": ours})
        assert refused.status_code == 422 and "one of our own addresses" in refused.text
    assert count(database, Booking) == 0
    page = book(client)
    assert client.post(page + "address", data={"email": "team@example.com"}).status_code == 422
