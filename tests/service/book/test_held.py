"""Calls that look automated: how many starts they may take, and for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from lead_service.book import bookings, held
from lead_service.book import routes as booking_routes
from lead_service.book.models import Booking, Status, TimeCell
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.call_types import KIND, publish
from tests.support.app.desk_client import sign_in
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import book, booking_form, open_starts
from tests.support.engines import only_postgresql

pytestmark = pytest.mark.both_engines


def robot(client, number: int, place: int = 0) -> int:
    """Book an open start as a robot does, by filling in the trap; return the status."""
    trap = {"email": f"robot{number}@example.com", "website": "https://spam.example"}
    form = booking_form(client, open_starts(client)[place], **trap)
    return client.post("/book/", data=form).status_code


def count(database, *where) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(Booking.id)).where(*where)) or 0


@pytest.fixture
def flooded(client, at) -> list:
    return [robot(client, number) for number in range(bookings.MOST_HELD + 3)]


def test_a_stranger_holds_a_few_starts_and_no_message_is_lost(client, database, flooded):
    assert flooded == [303] * bookings.MOST_HELD + [409] * 3
    assert count(database, Booking.quarantine) == bookings.MOST_HELD
    with database.read() as session:
        assert session.scalar(select(func.count(Lead.id))) == len(flooded)


def test_a_person_still_books(client, database, flooded):
    assert book(client, email="ada@example.com")
    assert count(database, Booking.quarantine.is_(False)) == 1


def test_a_held_start_is_free_again_after_hours(database, settings, flooded):
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


@only_postgresql
def test_a_call_that_the_team_releases_meanwhile_is_kept(
    client, database, settings, at, monkeypatch
):
    assert robot(client, 1, -1) == 303
    lock = bookings.lock_one

    def release_first(session, booking) -> None:
        given = update(Booking).values(quarantine=False)
        database.write(lambda session: session.execute(given) and None)
        lock(session, booking)

    monkeypatch.setattr(bookings, "lock_one", release_first)
    held.look_after(database, settings, MONDAY_MORNING + held.HELD_FOR)
    assert count(database, Booking.status == Status.CONFIRMED) == 1


def test_the_visitor_hears_nothing_and_the_host_once(post, database, settings, flooded):
    post()
    held.look_after(database, settings, MONDAY_MORNING + held.HELD_FOR)
    post()
    with database.read() as session:
        sent = session.scalars(select(OutboxMessage).where(OutboxMessage.state == "sent")).all()
    assert not any(email.address.startswith("robot") for email in sent)
    over = [email for email in sent if email.kind == "booking_cancelled_for_host"]
    assert len(over) == count(database, Booking.status == Status.CANCELLED)


def test_many_visitors_at_once_are_held_too(client, database, at, monkeypatch):
    monkeypatch.setattr(booking_routes, "BOOKINGS_OF_ALL", "2 per hour")
    for number in range(4):
        client.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        book(client, email=f"ada{number}@example.com")
    assert count(database, Booking.quarantine.is_(False)) == 2


def test_calls_that_nobody_confirms_are_listed_before_they_begin_and_told_of_when_they_do(
    app, client, database, settings, mails, at
):
    assert robot(client, 1) == 303
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
    waiting = inbox[inbox.index("Confirm these calls") : inbox.index('aria-label="Views"')]
    assert "Ada Example" in waiting and "Later Example" not in waiting
    begun = MONDAY_MORNING + timedelta(hours=5)
    at(begun)
    for _ in range(2):
        held.look_after(database, settings, begun)
    assert sum("was never told" in one.subject for _, one in mails()) == 2
    assert "has started" in client.get("/desk/").text
    (line,) = said(begun)
    assert line.startswith("Calls that started without confirmation: 2.")
    assert said(begun + timedelta(days=1)) == []
