"""Held calls, which look automated: how many starts they may take, and for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from lead_service.book import bookings, held
from lead_service.book import routes as booking_routes
from lead_service.book.availability import host_cache
from lead_service.book.models import Booking, Status, TimeCell
from lead_service.emails.models import EmailState, OutboxMessage
from lead_service.emails.status import health
from lead_service.leads.models import Lead, Stage
from lead_service.ops.metrics import DatabaseCollector
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.call_types import KIND, publish
from tests.support.app.desk_client import press, sign_in
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import VISITOR, book, booking_form, hidden, open_starts
from tests.support.engines import only_postgresql


def robot(client, number: int, place: int = 0) -> str:
    """Book an open start with the honeypot filled in; return the redirect."""
    trap = {"email": f"robot{number}@example.com", "website": "https://spam.example"}
    form = booking_form(client, open_starts(client)[place], **trap)
    return client.post("/book/", data=form).headers["Location"].strip("/").split("/")[0]


def count(database, *where) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(Booking.id)).where(*where)) or 0


@pytest.fixture
def flooded(client, at, monkeypatch) -> list:
    monkeypatch.setattr(bookings, "MOST_HELD", 2)
    return [robot(client, number) for number in range(4)]


def test_a_client_can_hold_only_a_few_starts_and_every_message_is_kept(client, database, flooded):
    assert flooded == ["booking"] * 2 + ["contact"] * 2
    assert count(database, Booking.quarantine) == 2
    with database.read() as session:
        assert session.scalar(select(func.count(Lead.id))) == len(flooded)


def test_a_person_can_book_while_calls_are_held(client, database, flooded):
    assert book(client, email="ada@example.com")
    assert count(database, Booking.quarantine.is_(False)) == 1


def test_a_held_start_is_freed_after_four_hours(database, settings, flooded):
    over = MONDAY_MORNING + held.HELD_FOR
    to_come = (Booking.status == Status.CONFIRMED, Booking.starts_at > over)
    held.look_after(database, settings, over - timedelta(minutes=1))
    assert (waiting := count(database, *to_come))
    held.look_after(database, settings, over)
    assert count(database, *to_come) == 0
    canceled = Booking.status == Status.CANCELLED
    assert count(database, canceled) == waiting
    with database.read() as session:
        left = select(func.count(TimeCell.id)).join(Booking, Booking.id == TimeCell.booking_id)
        assert session.scalar(left.where(canceled)) == 0


@pytest.mark.both_engines
@only_postgresql
def test_a_call_that_the_team_releases_meanwhile_is_kept(
    client, database, settings, at, monkeypatch
):
    assert robot(client, 1, -1) == "booking"
    lock = bookings.lock_one

    def release_first(session, booking) -> None:
        given = update(Booking).values(quarantine=False)
        database.write(lambda session: session.execute(given) and None)
        lock(session, booking)

    monkeypatch.setattr(bookings, "lock_one", release_first)
    held.look_after(database, settings, MONDAY_MORNING + held.HELD_FOR)
    assert count(database, Booking.status == Status.CONFIRMED) == 1


def test_a_held_call_is_emailed_to_the_team_only_once(post, database, settings, flooded):
    post()
    over = MONDAY_MORNING + held.HELD_FOR
    held.look_after(database, settings, over)
    begun = count(database, Booking.starts_at <= over)  # a call that was not confirmed in time
    post()
    with database.read() as session:
        sent = session.scalars(select(OutboxMessage).where(OutboxMessage.state == "sent")).all()
    assert {email.kind for email in sent} == {"new_lead"}
    assert len(sent) == len(flooded) + begun


def test_one_client_holds_fewer_starts_than_all_may(client, database, at, monkeypatch):
    client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    codes = [robot(client, number) for number in range(bookings.MOST_HELD_BY_ONE + 1)]
    assert codes == ["booking"] * bookings.MOST_HELD_BY_ONE + ["contact"]
    monkeypatch.setattr(bookings, "MOST_HELD", bookings.MOST_HELD_BY_ONE)
    client.environ_base["REMOTE_ADDR"] = "203.0.113.10"  # a first call
    assert [robot(client, number) for number in (8, 9)] == ["booking", "contact"]


def test_bookings_by_strangers_neither_block_nor_reveal_an_addresss_calls(
    environment, request, database, at
):
    environment["BOOKINGS_PER_ADDRESS"] = "1"
    client = request.getfixturevalue("client")
    for _ in range(2):
        book(client)
    assert count(database, Booking.quarantine.is_(False)) == 2
    database.write(lambda session: session.execute(update(Booking).values(is_proved=True)) and None)
    page = client.get(book(client, email="ada+x@example.com")).text  # the same mailbox
    assert count(database, Booking.quarantine) == 1
    assert "We have your request" in page and "coming up" not in page


@pytest.fixture
def many_messages(client, at) -> None:
    """Nine messages of one client: the last four are suspected."""
    client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for number in range(9):
        token = hidden(client.get("/contact/").text, "submission")
        form = VISITOR | {"email": f"ada{number}@example.com", "submission": token}
        assert client.post("/contact/", data=form).status_code == 303


def test_the_team_gets_one_email_per_hour_about_many_suspected_calls(
    mails, database, many_messages
):
    kinds = [one.kind for _, one in mails()]
    assert (kinds.count("new_lead"), kinds.count("flood")) == (5, 1)
    (flood,) = [one for _, one in mails() if one.kind == "flood"]
    assert "Leads to check: 4" in flood.text
    with database.read() as session:
        assert session.scalar(select(func.count(Lead.id))) == 9
        assert any("burst of" in one for one in health(session, MONDAY_MORNING).troubles)


@pytest.mark.both_engines
def test_many_visitors_at_once_are_held_too(client, database, at, monkeypatch):
    monkeypatch.setattr(booking_routes, "BOOKINGS_OF_ALL", "1 per day")
    monkeypatch.setattr(booking_routes, "FIRST_OF_ALL", "3 per day")
    for number, confirmed in ((1, 1), (1, 2), (1, 2), (2, 3), (2, 3), (3, 4), (4, 4)):
        client.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        book(client, email="ada@example.com")
        assert count(database, Booking.quarantine.is_(False)) == confirmed


def test_unconfirmed_calls_are_listed_before_they_begin_and_reported_when_they_do(
    app, client, database, settings, mails, at
):
    assert robot(client, 1) == "booking"
    publish(app, replace(KIND, confirm_first=True))
    change_host(database, notice=60)
    assert book(client, "20261123T0930Z", name="Ada Example")
    assert book(client, "20261126T0900Z", email="later@example.com", name="Later Example")

    def said(now) -> list[str]:
        with database.read() as session:
            return list(held.problems(session, now))

    (line,) = said(MONDAY_MORNING)
    assert line.startswith("Calls that start soon and need confirmation: 2.")
    sign_in(client, database, settings)
    inbox = client.get("/desk/").text
    waiting = inbox.partition("Confirm these calls")[2].partition("</section>")[0]
    assert "Ada Example" in waiting and "Later Example" not in waiting
    begun = MONDAY_MORNING + timedelta(hours=5)
    at(begun)
    for _ in range(2):
        held.look_after(database, settings, begun)
    assert sum("not told" in one.subject for _, one in mails()) == 2
    assert "has started" in client.get("/desk/").text
    (line,) = said(begun)
    assert line.startswith("Calls that started without confirmation: 2.")
    assert said(begun + timedelta(days=1)) == []


def test_one_button_clears_many_suspected_calls_without_emails(
    client, database, settings, at, post, mails, monkeypatch
):
    client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    cleared = [book(client, email=f"ada{number}@example.com") for number in range(9)]
    assert count(database, Booking.quarantine.is_(False)) == 3
    client.environ_base["REMOTE_ADDR"] = "203.0.113.10"
    kept = book(client, email="grace@example.com")
    at(MONDAY_MORNING + timedelta(hours=1))
    sign_in(client, database, settings)
    page = client.get("/desk/calls/floods/").text
    assert "6 calls from one network" in page
    assert "7 calls in one hour" not in page
    monkeypatch.setattr(held, "MANY", 7)
    assert "7 calls in one hour" in client.get("/desk/calls/floods/").text
    press(client, "/desk/calls/floods/", flood=hidden(page, "flood"))
    assert count(database, Booking.status == Status.CONFIRMED) == 1
    assert client.get(kept).status_code == 200
    assert "emailing you" not in client.get(cleared[0]).text
    post()
    assert {row.address for row, _ in mails() if row.state == "sent"} >= {"grace@example.com"}
    assert not any(row.address.startswith("ada") for row, _ in mails() if row.state == "sent")
    database.write(lambda session: held.forget_clients(session, MONDAY_MORNING + held.RECENT))
    assert count(database, Booking.client.is_not(None)) == 0


def test_one_click_closes_the_suspected_leads_of_an_hour_except_chosen_ones(
    client, database, settings, post, mails, many_messages
):
    sign_in(client, database, settings)
    page = client.get("/desk/calls/floods/").text
    assert "4 leads in one hour" in page
    press(client, "/desk/calls/floods/", flood=hidden(page, "flood"), keep="9")
    suspected = client.get("/desk/?view=suspected").text
    assert "ada8@example.com" in suspected and "ada7@example.com" not in suspected
    press(client, "/desk/leads/9/", "/desk/leads/9/release")
    with database.read() as session:
        assert not any("burst of" in one for one in health(session, MONDAY_MORNING).troubles)
    assert "No leads are possible spam." in client.get("/desk/?view=suspected").text
    assert "No bursts of possible spam." in client.get("/desk/calls/floods/").text
    with database.read() as session:
        new = select(func.count(Lead.id)).where(Lead.stage == Stage.NEW)
        assert session.scalar(new) == 6
    assert not any(row.state == EmailState.HELD for row, _ in mails())
    post()
    written = {row.address for row, _ in mails() if row.state == EmailState.SENT}
    assert {"ada0@example.com", "ada8@example.com"} <= written
    assert "ada7@example.com" not in written


def test_unproved_calls_raise_an_alarm_when_they_hold_a_tenth_of_the_starts(
    app, client, database, at, monkeypatch
):
    calls = app.extensions["lead_service"].published.calls

    def rings() -> bool:
        with database.read() as session:
            return bool(held.too_large_a_share(session, calls, MONDAY_MORNING))

    for number in range(4):
        book(client, email=f"ada{number}@example.com")
    assert not rings()
    monkeypatch.setattr(held, "MANY", 3)
    monkeypatch.setattr(host_cache.HostSnapshot, "open_starts", lambda *_: range(36))
    assert not rings()
    monkeypatch.setattr(host_cache.HostSnapshot, "open_starts", lambda *_: range(35))
    assert rings()
    counted = {one.name: one.samples[0].value for one in DatabaseCollector(database).collect()}
    assert counted["lead_service_calls_unproved"] == 4
