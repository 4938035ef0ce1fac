"""The link in every email to a visitor: consent, confirmation and erasure by its owner."""

import re

from sqlalchemy import func, select, update

from lead_service.book import bookings
from lead_service.book.models import Booking
from lead_service.leads.consent import agreed
from lead_service.leads.models import EventKind, Lead, LeadEvent
from tests.support.app.visitor_forms import VISITOR, assess, book, hidden, open_starts

ADA = VISITOR["email"]


def choices(mails) -> str:
    """Return the path of the link in the newest email to the visitor."""
    text = [one.text for _, one in mails() if one.to.lower() == ADA][-1]
    return re.findall(r"http://127.0.0.1:8000(/email/\S+)", text)[-1]


def may_write(database) -> bool:
    with database.read() as session:
        return bool(agreed(session, 1).topics)


def leads(database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(Lead.id)))


def test_a_consent_counts_from_its_confirmation_by_email_until_its_withdrawal(
    client, database, mails, framework
):
    book(client, may_contact="y")
    assert not may_write(database)
    page = choices(mails)
    assert client.get(page).status_code == 200
    assert not may_write(database)  # a GET changes nothing
    shown = client.get(page).text
    assert "Yes, you may email me" in shown
    assert "With your permission, we may email you about our services." in shown
    client.post(page, data={"choice": "confirm"})
    assert may_write(database)
    shown = client.get(page).text
    assert "You confirmed this address. We may email you about our services." in shown
    assert "Yes, you may email me" not in shown
    told = [one for _, one in mails() if "you may email them" in one.subject]
    assert told and all(
        "agreed that we may email them about our services" in one.text for one in told
    )
    client.post(assess(client, framework) + "mail", data={"email": ADA})
    assert choices(mails) == page  # of every kind of email
    client.post(page, data={"choice": "withdraw"})
    assert not may_write(database)
    shown = client.get(page).text
    assert "We stopped emails about our services" in shown and "Stop these emails" not in shown
    (told,) = [one for row, one in mails() if row.state == "pending" and "consent" in one.subject]
    assert "withdrew their consent to our emails." in told.text and "you may" not in told.text
    with database.read() as session:
        told = session.scalars(select(LeadEvent.kind)).all()
    assert {EventKind.ADDRESS_CONFIRMED, EventKind.CONSENT_WITHDRAWN} <= set(told)
    assert client.get("/email/1-" + "0" * 32 + "/").status_code == 404
    assert client.post(page, data={"choice": "x"}).status_code == 422


def test_a_call_that_came_with_too_many_others_is_confirmed_from_the_mailbox(
    client, database, mails, settings, environment, monkeypatch
):
    client.application.extensions["lead_service"].settings.__dict__["limit_bookings"] = "1 per day"
    client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    book(client, email="grace@example.com")
    book(client)
    states = {one.kind: row.state for row, one in mails() if one.to == ADA}
    assert states["booking_requested"] == "pending" and states["booking_confirmed"] == "held"
    asked = next(one for _, one in mails() if one.to == ADA and one.kind == "booking_requested")
    assert "Please confirm that this is your address" in asked.text
    assert "Confirm my address" in asked.html
    assert not asked.attachments  # a calendar would keep it if the call is never confirmed
    with monkeypatch.context() as patched:
        patched.setattr(bookings, "MOST_OF_CLIENT", 1)
        assert "several calls" in client.get(choices(mails)).text
        client.post(choices(mails), data={"choice": "confirm"})
        assert "held" in {row.state for row, _ in mails()}
    client.post(choices(mails), data={"choice": "confirm"})
    assert "held" not in {row.state for row, _ in mails()}
    with database.read() as session:
        call = session.scalars(select(Booking).order_by(Booking.id.desc())).first()
        assert (call.quarantine, call.is_proved) == (False, True)


def test_a_held_call_is_confirmed_from_its_corrected_address(client, mails):
    client.application.extensions["lead_service"].settings.__dict__["limit_bookings"] = "1 per day"
    client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    book(client, email="grace@example.com")
    page = book(client, email="mistyped@example.com")
    page = client.post(page + "address", data={"email": ADA}).location
    other = open_starts(client, day="2026-11-25")[0]
    assert client.post(page + "move/", data={"start": other}).status_code == 303
    (asked,) = [one for row, one in mails() if one.to == ADA and row.state == "pending"]
    assert asked.subject.startswith("Please confirm your call: Wed, Nov 25")
    client.post(choices(mails), data={"choice": "confirm"})
    assert "held" not in {row.state for row, _ in mails()}


def test_calls_confirmed_from_the_mailbox_are_announced_while_another_waits_for_the_team(
    client, mails
):
    settings = client.application.extensions["lead_service"].settings.__dict__
    settings |= {"limit_bookings": "1 per day", "bookings_per_address": 1}
    client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    book(client, email="grace@example.com")
    book(client), book(client)
    client.post(choices(mails), data={"choice": "confirm"})
    states = {(row.booking_id, row.state) for row, one in mails() if one.kind == "booking_for_host"}
    assert states == {(1, "pending"), (2, "pending"), (3, "held")}


def test_a_trap_s_visitor_gets_no_email_to_confirm_by(client, mails):
    book(client, website="spam")
    assert {row.state for row, one in mails() if one.to == ADA} == {"held"}


def test_disowning_a_call_cancels_it_and_then_allows_an_erasure(client, database, mails):
    book(client)
    page = choices(mails)
    assert "Stop these emails" in client.get(page).text  # though they never agreed to any
    client.post(page, data={"choice": "withdraw"})
    with database.read() as session:
        assert session.scalars(select(Booking)).one().is_live
    client.post(page, data={"choice": "not-me"})
    with database.read() as session:
        assert not session.scalars(select(Booking)).one().is_live
    told = {row.address: one.kind for row, one in mails() if row.state == "pending"}
    assert ADA not in told and "booking_cancelled_for_host" in told.values()
    for row, one in mails():
        if row.state == "pending":
            assert "The owner of this address says" in one.text[:300] and not one.reply_to
    assert client.post(page, data={"choice": "not-me"}).location == page  # a repeat erases nothing
    shown = client.get(page).text
    assert "You told us that someone else used this address." in shown
    assert "if someone enters it again, we\u2019ll email you without checking" in shown
    assert "This was not me" not in shown and "Stop these emails" not in shown
    assert client.post(page, data={"choice": "erase"}).location == "/email/erased/"
    assert leads(database) == 0
    assert client.get(page).status_code == 404


def test_nothing_is_sent_to_a_mailbox_that_its_owner_disowned(client, mails, framework):
    book(client)
    link = choices(mails)
    client.post(link, data={"choice": "not-me"})
    for start, email in ((3, ADA), (4, "ada+x@example.com")):
        book(client, open_starts(client)[start], email=email)
        client.post(assess(client, framework) + "mail", data={"email": email})
        message = {"email": email, "submission": hidden(client.get("/contact/").text, "submission")}
        client.post("/contact/", data=VISITOR | message)
    assert {row.state for row, one in mails() if row.mailbox == ADA} == {"held"}
    to_team = [one for _, one in mails() if one.kind == "new_lead"]
    assert to_team and not any(one.reply_to == ADA for one in to_team)
    client.post(link, data={"choice": "confirm"})
    assert "pending" in {row.state for row, one in mails() if row.mailbox == ADA}


def test_confirmed_data_is_not_erased_by_a_forwarded_link(client, database, mails):
    book(client)
    page = choices(mails)
    proved = update(Booking).values(is_proved=True)
    database.write(lambda session: session.execute(proved) and None)
    client.post(page, data={"choice": "not-me"})
    with database.read() as session:
        assert session.scalars(select(Booking)).one().is_live
    assert leads(database) == 1
    assert client.post(page, data={"choice": "erase"}).location == page
