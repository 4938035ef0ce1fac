"""Calls at the desk: canceled, rescheduled, reassigned and marked, with emails and audit log."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lead_service.accounts.members import Member
from lead_service.book.forms import start_text
from lead_service.book.models import Booking, TimeCell
from lead_service.leads.models import LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.hosts import add_host, add_past_call, change_host, changes
from tests.support.app.visitor_forms import book, hidden

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOTE = "Sorry, a flight was cancelled."


@pytest.fixture
def call(client, member) -> str:
    """The page of a call that a visitor has booked."""
    book(client, "20261124T0900Z")
    return "/desk/calls/1/"


def stored(database, id: int = 1) -> Booking:
    with database.read() as session:
        call = session.get_one(Booking, id)
        assert call.host
        return call


def kinds(database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(LeadEvent.kind).order_by(LeadEvent.id)))


def notes_in(mails) -> set[tuple[str, str]]:
    """Return (kind, address) of the emails with the note."""
    return {(row.kind, row.address) for row, message in mails() if NOTE in message.text}


# -- Cancelling -----------------------------------------------------------------------------


def test_a_cancelled_call_frees_its_time_and_tells_both_sides_with_the_note(
    client, mails, call, database
):
    assert "Cancel this call?" in client.get(call + "cancel/").text
    assert stored(database).is_live
    sent = press(client, call + "cancel/", note=NOTE)
    assert (sent.status_code, sent.location) == (303, call)
    assert not stored(database).is_live
    with database.read() as session:
        assert session.scalars(select(TimeCell)).all() == []
    assert ("booking_cancelled", "ada@example.com") in notes_in(mails)
    assert ("booking_cancelled_for_host", "team@example.com") in notes_in(mails)
    assert kinds(database)[-1] == "call_cancelled"
    assert changes(database, "call 1") == [("call_cancelled", 1)]
    assert NOTE in client.get("/desk/leads/1/").text


def test_a_second_click_on_cancel_says_that_it_is_too_late(client, mails, call, database):
    page = client.get(call + "cancel/").text
    press(client, call + "cancel/")
    written = len(mails())
    assert client.get(call + "cancel/").location == call
    again = press(client, "/desk/calls/", call + "cancel/")
    assert again.status_code == 409
    assert "change it anymore" in again.text
    assert len(mails()) == written
    assert "Cancel the call" in page


def test_a_note_that_is_too_long_is_refused_and_kept(client, call, database):
    sent = press(client, call + "cancel/", note="x" * 1001)
    assert sent.status_code == 422
    assert "x" * 1001 in sent.text
    assert stored(database).is_live


# -- Moving ---------------------------------------------------------------------------------


def test_a_moved_call_keeps_its_uid_and_tells_both_sides_with_the_note(
    client, mails, call, database, settings, at
):
    before = stored(database)
    page = client.get(call + "move/?day=2026-11-24").text
    assert f'value="{start_text(NOON)}"' in page
    assert 'value="20261124T0900Z"' not in page  # its own
    sent = press(client, call + "move/", start=start_text(NOON), note=NOTE)
    assert (sent.status_code, sent.location) == (303, call)
    after = stored(database)
    assert (after.starts_at, after.uid) == (NOON, before.uid)
    assert after.sequence == before.sequence + 1
    assert ("booking_changed", "ada@example.com") in notes_in(mails)
    assert kinds(database)[-1] == "call_moved"
    assert changes(database, "call 1") == [("call_moved", 1)]
    for minutes, can_begin in ((-5, True), (29, True), (30, False)):
        at(NOON + timedelta(minutes=minutes))
        sign_in(client, database, settings)
        assert ("desk-begin" in client.get(call).text) == can_begin


def test_a_form_older_than_a_change_does_not_revert_it(client, call, database):
    ben = add_host(database)
    moved = {"start": start_text(NOON), "seen": hidden(client.get(call + "move/").text, "seen")}
    given = {"host": str(ben), "seen": hidden(client.get(call + "give/").text, "seen")}
    own = {"host": "1", "seen": given["seen"]}
    canceled = {"seen": hidden(client.get(call + "cancel/").text, "seen")}
    assert press(client, call + "give/", **given).status_code == 303
    stale = (("move/", moved), ("give/", own), ("cancel/", canceled), ("give/", given))
    for action, old in stale:
        refused = press(client, call + action, note=NOTE, **old)
        is_same = action == "give/" and old == given
        assert refused.status_code == (422 if is_same else 409)
        assert is_same or "has changed since you opened this page" in refused.text
        assert NOTE in refused.text
    assert stored(database).host_id == ben and stored(database).is_live
    again = press(client, call + "move/", **moved | {"seen": hidden(refused.text, "seen")})
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("other", "limit", "told"),
    [
        ("20261125T1200Z", None, "Advisory has another call then. Choose another time."),
        ("20261125T1000Z", 1, "Advisory takes no more calls on that day. Choose another time."),
    ],
)
def test_a_move_to_a_time_that_was_just_taken_says_why_and_keeps_the_note(
    client, call, database, other, limit, told
):
    change_host(database, daily_limit=limit)
    book(client, other, email="second@example.com")
    sent = press(client, call + "move/", start="20261125T1200Z", note=NOTE)
    assert sent.status_code == 409
    assert told in sent.text
    assert NOTE in sent.text
    assert stored(database).starts_at == datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_a_member_can_agree_on_an_unavailable_time(client, call, database):
    sent = press(client, call + "move/", at="2026-11-28T06:15")
    assert sent.status_code == 303
    assert stored(database).starts_at == datetime(2026, 11, 28, 6, 15, tzinfo=UTC)


def test_an_impossible_agreed_time_is_refused_with_the_reason(client, call, database):
    for chosen, why in [
        ({}, "Choose a time."),
        ({"start": start_text(NOON), "at": "2026-11-24T12:00"}, "Choose a time."),
        ({"at": "soon"}, "must be a real date and time"),
        ({"at": "2026-13-24T12:00"}, "must be a real date and time"),
        ({"at": "2026-11-24T09:00"}, "already at that time"),
        ({"at": "2026-11-24T12:03"}, "minutes must end in 0 or 5"),
        ({"at": "2026-11-22T12:00"}, "That time has passed"),
        ({"start": "20200101T0900Z"}, "That time has passed"),
        ({"start": "20261124T0300Z"}, "Nothing"),
        ({"start": "20261124T0907Z"}, "Nothing"),
        ({"at": "2028-01-03T12:00"}, "more than 400 days ahead"),
    ]:
        sent = press(client, call + "move/", **chosen)
        assert sent.status_code == 422, chosen
        assert why in sent.text and "Nothing was changed" in sent.text, chosen
        assert stored(database).sequence == 0


@pytest.mark.parametrize(
    ("typed", "told"),
    [("2027-03-28T02:30", "skip this one on that day"), ("2027-10-31T02:30", "twice")],
)
def test_an_ambiguous_or_nonexistent_time_is_refused(client, member, database, typed, told):
    change_host(database, zone="Europe/Berlin")
    book(client, "20261124T0900Z")
    sent = press(client, "/desk/calls/1/move/", at=typed)
    assert sent.status_code == 422
    assert told in sent.text


def test_a_call_that_has_begun_cannot_be_changed(client, member, database):
    id = add_past_call(database)
    page = f"/desk/calls/{id}/"
    for action in ("move/", "give/", "cancel/"):
        assert client.get(page + action).location == page
        sent = press(client, "/desk/calls/", page + action, start=start_text(NOON), host="2")
        assert sent.status_code in {409, 422}
    assert stored(database, id).is_live


# -- Giving to another host ------------------------------------------------------------------


def test_a_call_given_to_another_host_tells_the_visitor_and_both_hosts(
    client, mails, call, database
):
    ben = add_host(database, meeting_link="https://meet.example.com/ben")
    page = client.get(call + "give/").text
    assert "Ben Example" in page
    assert "Available." in page
    sent = press(client, call + "give/", host=str(ben), note=NOTE)
    assert (sent.status_code, sent.location) == (303, call)
    after = stored(database)
    assert (after.host_id, after.meeting_link) == (ben, "https://meet.example.com/ben")
    told = {address for _, address in notes_in(mails)}
    assert told == {"ada@example.com", "ben@example.com", "team@example.com"}
    assert kinds(database)[-1] == "call_reassigned"
    assert changes(database, "call 1") == [("call_reassigned", 1)]
    assert "The call was reassigned to Ben Example" in client.get("/desk/leads/1/").text


@pytest.mark.both_engines
def test_a_busy_host_cannot_be_chosen_and_a_race_for_one_is_a_409(client, call, database):
    ben = add_host(database)
    book(client, "20261124T0900Z", email="second@example.com")
    page = client.get(call + "give/").text
    assert "Has another call at that time." in page
    sent = press(client, call + "give/", host=str(ben), note=NOTE)
    assert sent.status_code == 409
    assert "Ben Example has another call then." in sent.text
    assert NOTE in sent.text
    assert stored(database).host_id == 1


def test_objections_to_a_host_are_shown_and_can_be_overruled(client, call, database):
    ben = add_host(database)
    change_host(database, ben, hours=[])
    assert "Outside the host\u2019s hours" in client.get(call + "give/").text
    assert press(client, call + "give/", host=str(ben)).status_code == 303
    assert stored(database).host_id == ben


def test_a_call_is_given_only_to_another_who_takes_calls(client, call, database):
    add_host(database, is_active=False)
    for host in ["", "x", "1", "2", "99", "-1", "9" * 30]:
        assert press(client, "/desk/calls/", call + "give/", host=host).status_code == 422, host
        assert stored(database).host_id == 1


# -- Marking --------------------------------------------------------------------------------


def test_an_outcome_can_be_set_corrected_and_undone(client, member, database):
    id = add_past_call(database)
    page = f"/desk/calls/{id}/"
    assert press(client, page, page + "result", result="nonsense").status_code == 422
    marks = ("held", "no_show", "no_show", "")
    for mark in marks:
        assert press(client, page, page + "result", result=mark).location == page
        assert stored(database, id).outcome == (mark or None)
        assert bool(stored(database, id).outcome_at) == bool(mark)
    words = ["call_held", "call_missed", "call_unmarked"]
    assert kinds(database) == words
    assert changes(database, f"call {id}") == [(word, 1) for word in words]
    seen = hidden(client.get(page).text, "seen")
    press(client, page, page + "result", result="no_show", seen=seen)
    for mark, status in (("no_show", 303), ("held", 409)):  # a second click, and an older page
        assert press(client, page, page + "result", result=mark, seen=seen).status_code == status
        assert stored(database, id).outcome == "no_show"


def test_an_upcoming_or_canceled_call_has_no_outcome(client, call, database, settings, at):
    sent = press(client, "/desk/calls/", call + "result", result="held")
    assert sent.status_code == 409
    press(client, call + "cancel/")
    at(MONDAY_MORNING + timedelta(days=2))
    sign_in(client, database, settings)
    sent = press(client, "/desk/calls/", call + "result", result="held")
    assert sent.status_code == 409
    assert stored(database).outcome is None


def test_every_time_is_by_the_viewers_clock_with_the_hosts_and_visitors_beside(
    client, call, database
):
    def move_away(session) -> None:
        session.get_one(Booking, 1).host_zone = "Pacific/Auckland"
        session.get_one(Member, 1).zone = "America/New_York"

    database.write(move_away)
    for page in (call, "/desk/leads/1/", "/desk/calls/", "/desk/"):
        shown = client.get(page).text
        assert "Tue, Nov 24, 4:00 am" in shown, page
        assert "10:00 pm Auckland time" in shown, page
        assert "10:00 am Berlin time" in shown, page
        assert shown.count("New York time") == 1, page
    press(client, call + "cancel/")
    assert client.get(call).text.count("Mon, Nov 23, 3:00 am") == 2  # booked and canceled


# -- The lists ------------------------------------------------------------------------------


def test_each_call_is_in_its_view(client, call, database):
    past = add_past_call(database)
    marked = add_past_call(database, days_ago=2)
    press(client, f"/desk/calls/{marked}/", f"/desk/calls/{marked}/result", result="held")
    views = {"": {1}, "?view=past": {past, marked}, "?view=unmarked": {past}}
    for view, expected in (views | {"?view=cancelled": set()}).items():
        page = client.get(f"/desk/calls/{view}").text
        shown = {id for id in (1, past, marked) if f'"/desk/calls/{id}/"' in page}
        assert shown == expected, view
    press(client, call + "cancel/")
    assert '"/desk/calls/1/"' in client.get("/desk/calls/?view=cancelled").text
