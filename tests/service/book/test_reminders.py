"""Reminders: planned ahead, moved with the call, and canceled with it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lead_service.book.forms import parse_start
from lead_service.book.models import Booking
from lead_service.emails import outbox
from lead_service.emails.models import OutboxMessage
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, give_to, move, only_call
from tests.support.app.visitor_forms import book, open_starts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def waiting(database, *states: str) -> list[OutboxMessage]:
    """Return the waiting reminders, the next one first."""
    wanted = OutboxMessage.state.in_(states or ("pending",))
    query = select(OutboxMessage).where(OutboxMessage.kind == "booking_reminder", wanted)
    with database.read() as session:
        return list(session.scalars(query.order_by(OutboxMessage.due_at)))


def later(client, days: int) -> str:
    """Return the first start of the date that many days ahead."""
    return open_starts(client, day=str((MONDAY_MORNING + days * DAY).date()))[0]


@pytest.fixture
def far(client) -> str:
    return later(client, 3)


def due(database, *states: str) -> list:
    return [row.due_at for row in waiting(database, *states)]


def test_reminders_are_sent_a_day_and_an_hour_before(client, database, far):
    book(client, far)
    start = parse_start(far)
    first, second = waiting(database)
    assert (first.due_at, second.due_at) == (start - DAY, start - HOUR)
    assert (first.useless_after, second.useless_after) == (start - HOUR, start)


def test_a_call_booked_for_today_has_no_past_reminder(client, database):
    start = parse_start(open_starts(client)[0])
    book(client)
    assert due(database) == [start - HOUR]


def test_reminders_are_sent_at_their_time(client, database, far, at, post, mails):
    book(client, far)
    start = parse_start(far)
    for instant, sent in ((start - DAY - HOUR, 0), (start - DAY, 1), (start - HOUR, 2)):
        at(instant)
        post()
        assert len(waiting(database, "sent")) == sent
    text = next(one.text for row, one in mails() if one.kind == "booking_reminder")
    assert "coming up" in text and "/booking/" in text


@pytest.mark.parametrize(("is_proved", "state"), [(True, "sent"), (False, "cancelled")])
def test_a_mailbox_at_its_daily_limit_gets_reminders_of_confirmed_calls_only(
    client, database, at, post, monkeypatch, is_proved, state
):
    monkeypatch.setattr(outbox, "EMAILS_A_DAY", 1)
    start = open_starts(client)[0]
    book(client, start)
    proved = update(Booking).values(is_proved=is_proved)
    database.write(lambda session: session.execute(proved) and None)
    for instant in (MONDAY_MORNING, parse_start(start) - HOUR):
        at(instant)
        post()
    assert len(waiting(database, state)) == 1


def test_after_an_outage_no_reminder_is_sent_twice_or_after_the_call(
    client, database, far, at, post
):
    book(client, far)
    at(parse_start(far) - HOUR)
    post()
    assert len(waiting(database, "sent")) == 1
    assert len(waiting(database, "expired")) == 1


def test_a_move_after_the_first_reminder_plans_it_again(client, context, database, far, at, post):
    book(client, far)
    at(parse_start(far) - DAY)
    post()
    other = parse_start(later(client, 8))
    move(context, other)
    assert due(database) == [other - DAY, other - HOUR]


def test_a_canceled_call_has_no_reminder(client, database, far):
    client.post(book(client, far) + "cancel")
    assert waiting(database) == []


def test_a_corrected_address_gets_reminders_with_the_new_link(client, database, far, mails):
    corrected = client.post(book(client, far) + "address", data={"email": "ada@example.org"})
    rows = waiting(database)
    assert [row.address for row in rows] == ["ada@example.org"] * 2
    told = [one.text for row, one in mails() if row.kind == "booking_reminder"]
    assert len(told) == 2 and all(corrected.location in text for text in told)


def test_reminders_name_the_new_host(client, context, database, far, mails):
    book(client, far)
    give_to(context, add_host(database))
    told = [one.text for row, one in mails() if row.kind == "booking_reminder"]
    assert len(told) == 2 and all("Ann Example" in text for text in told)


def test_reminders_of_a_held_call_wait_for_its_release(client, database, far):
    book(client, far, website="spam")
    start = parse_start(far)
    assert waiting(database) == []
    assert len(waiting(database, "held")) == 2
    lead_id = only_call(database).lead_id
    database.write(lambda session: outbox.release(session, lead_id, MONDAY_MORNING))
    assert [row.next_at for row in waiting(database)] == [start - DAY, start - HOUR]


@pytest.mark.parametrize(("hours", "ahead"), [("none", []), ("48, 2,2", [48, 2])])
def test_the_hours_of_reminders_are_a_setting(environment, request, hours, ahead):
    environment["REMINDERS"] = hours
    client, database = (request.getfixturevalue(name) for name in ("client", "database"))
    start = later(client, 3)
    book(client, start)
    assert due(database) == [parse_start(start) - one * HOUR for one in ahead]
    with database.read() as session:
        assert session.scalars(select(Booking)).one()
