"""Changes of a call: rescheduled, reassigned or canceled, and the emails about them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select, text

from lead_service.book import bookings
from lead_service.book.forms import parse_start
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking, TimeCell
from lead_service.leads.models import LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, count, give_to, move, only_call
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import book, open_starts
from tests.support.engines import only_postgresql
from tests.support.waiting import eventually

HOST_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
NOTE = "The train is late & <b>we</b> are sorry."


def event_of(message):
    calendar = Calendar.from_ical(message.attachments[0].content)
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), event["DTSTART"].dt


@pytest.fixture
def starts(client):
    return [parse_start(text) for text in open_starts(client)]


def test_a_call_can_move_to_a_time_that_overlaps_its_old_one(context, client):
    change_host(context.database, interval=10)
    book(client)
    start = only_call(context.database).starts_at
    assert move(context, start + timedelta(minutes=10))
    assert count(context.database, TimeCell) == 6


@pytest.mark.both_engines
def test_a_move_onto_another_call_changes_neither(client, context, starts, database):
    book(client, starts[1].strftime("%Y%m%dT%H%MZ"), email="bob@example.com")

    def clash(session):
        with pytest.raises(bookings.Taken):
            bookings.move(
                session,
                session.get_one(Booking, 2),
                context.published.calls,
                starts[1],
                MONDAY_MORNING,
                ignore_availability=True,
            )

    book(client)
    database.write(clash)
    with database.read() as session:
        first, second = session.scalars(select(Booking).order_by(Booking.id))
        assert (first.starts_at, second.starts_at) == (starts[1], starts[0])
        assert second.sequence == 0
    assert count(database, TimeCell) == 12


def test_the_team_may_move_a_call_past_notice_and_hours_but_not_into_the_past(client, context):
    book(client)
    assert move(context, MONDAY_MORNING + timedelta(minutes=30), ignore_availability=True)
    assert move(context, MONDAY_MORNING + timedelta(hours=12), ignore_availability=True)
    for minutes in (-30, 0, 7):
        with pytest.raises(bookings.NotOffered):
            move(context, MONDAY_MORNING + timedelta(minutes=minutes), ignore_availability=True)


def test_a_moved_call_stays_with_its_host_when_others_are_free(client, context, starts):
    book(client)
    add_host(context.database)
    move(context, starts[2])
    assert only_call(context.database).host_id == 1


def test_a_moved_call_gets_another_host_when_its_own_takes_no_more_calls(
    client, context, mails, starts
):
    book(client)
    ann = add_host(context.database, meeting_link="https://meet.example.com/ann")
    change_host(context.database, is_active=False)
    move(context, starts[2])
    call = only_call(context.database)
    assert (call.host_id, call.meeting_link) == (ann, "https://meet.example.com/ann")
    told = [one for _, one in mails() if one.kind == "booking_cancelled_for_host"]
    assert [one.to for one in told] == ["team@example.com"]
    assert "Call now with Ann Example" in told[0].html
    with context.database.read() as session:
        moved = session.scalars(select(LeadEvent).order_by(LeadEvent.id.desc())).first()
        assert (moved.detail["from_host"], moved.detail["to_host"]) == (1, ann)


def test_a_note_of_the_team_reaches_both_sides_verbatim_and_escaped(client, context, mails, post):
    book(client)
    post()
    give_to(context, add_host(context.database), note=NOTE, member_id=1)
    told = [one for row, one in mails() if row.state == "pending" and "reminder" not in one.kind]
    assert len(told) == 3
    for one in told:
        assert NOTE in one.text
        assert "The train is late &amp; &lt;b&gt;we&lt;/b&gt; are sorry." in one.html
    with context.database.read() as session:
        detail = session.scalars(select(LeadEvent).order_by(LeadEvent.id.desc())).first().detail
    assert (detail["member"], detail["note"]) == (1, NOTE)


def test_a_move_before_the_invitation_was_sent_sends_only_one(client, context, mails, starts):
    book(client)
    move(context, starts[2])
    assert sorted(row.kind for row, _ in mails()) == [
        "booking_changed",
        "booking_for_host",
        "booking_reminder",
    ]


def test_an_invitation_to_a_mistyped_address_is_withdrawn(client, context, mails, post, starts):
    page = book(client, email="adda@example.org")
    post()
    move(context, starts[2])  # this email is not sent in time
    client.post(page + "address", data={"email": "ada@example.org"})
    move(context, starts[3])
    change_host(context.database, name="Ben Example")
    sent = {one.kind: one for _, one in mails() if one.to == "adda@example.org"}
    assert event_of(sent["booking_withdrawn"])[3] == starts[0]  # a stranger learns nothing newer
    assert b"Ben" not in sent["booking_withdrawn"].attachments[0].content


def test_correcting_an_address_back_does_not_count_as_a_move(client, mails, post):
    page = book(client)
    post()
    for email in ("adda@example.org", "ada@example.com"):
        page = client.post(page + "address", data={"email": email}).location
    client.post(page + "cancel")
    (canceled,) = (one for _, one in mails() if one.kind == "booking_cancelled")
    assert "rescheduled" not in canceled.text


def test_moving_a_held_call_sends_no_further_email(client, context, mails, starts):
    book(client, website="spam")
    move(context, starts[2])
    states = {row.kind: row.state for row, _ in mails()}
    assert states == {
        "booking_changed": "held",
        "booking_reminder": "held",
        "booking_for_host": "held",
        "new_lead": "pending",  # of the booking
    }
    assert len([1 for _, one in mails() if one.kind == "new_lead"]) == 1


@only_postgresql
def test_a_change_builds_on_concurrent_changes_of_the_host(client, context):
    """The cache of hosts is invalidated by this count."""
    book(client)

    def change_and_cancel(session) -> int:
        booking = session.scalars(select(Booking)).one()
        host, before = booking.host, booking.host.calls_version
        change_host(context.database, calls_version=before + 1)
        assert bookings.cancel(session, booking, MONDAY_MORNING)
        return host.calls_version - before

    assert context.database.write(change_and_cancel) == 2


@only_postgresql
def test_hosts_are_locked_in_order_when_the_calls_own_takes_no_more_calls(client, context, starts):
    book(client)
    ann = add_host(context.database)
    change_host(context.database, is_active=False)
    with context.database.read() as session, ThreadPoolExecutor() as pool:
        session.get_one(Host, 1, with_for_update=True)
        moved = pool.submit(move, context, starts[3])
        assert eventually(lambda: session.scalar(text(HOST_WAITS)))
        assert session.get_one(Host, ann, with_for_update={"nowait": True})
        session.rollback()
        assert moved.result()
    assert only_call(context.database).host_id == ann


@only_postgresql
def test_a_call_reassigned_meanwhile_moves_with_its_new_host(client, context, starts):
    book(client)
    ann = add_host(context.database)

    def give_and_move(session) -> None:
        booking = session.scalars(select(Booking)).one()
        assert booking.host and give_to(context, ann)
        calls = context.published.calls
        assert bookings.move(session, booking, calls, starts[3], MONDAY_MORNING)

    context.database.write(give_and_move)
    assert only_call(context.database).host_id == ann
