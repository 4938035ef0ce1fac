"""Rescheduling by the visitor: two pages to view, and one button."""

import re
from datetime import timedelta

from lead_service.book import reschedule
from lead_service.book.forms import parse_start, start_text
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import move, only_call
from tests.support.app.visitor_forms import book, hidden, open_starts


def offered(client, page: str) -> list[str]:
    """Return the addresses of the starts that a call can move to."""
    return re.findall(rf'href="({page}move/\d{{8}}T\d{{4}}Z/)', client.get(page + "move/").text)


def start_of(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def move_form(page: str) -> dict[str, str]:
    return {name: hidden(page, name) for name in ("start", "seen", "terms")}


def test_a_call_moves_by_one_button_and_no_reason(client, database, mails, post):
    page = book(client)
    post()
    old = start_text(only_call(database).starts_at)
    assert page + "move/" in client.get(page).text
    wanted = offered(client, page)[2]
    shown = client.get(wanted).text
    assert "Reschedule the call" in shown
    moved = client.post(page + "move/", data={"start": hidden(shown, "start")})
    assert moved.status_code == 303
    assert "Your call has been rescheduled" in client.get(moved.location).text
    assert only_call(database).starts_at == parse_start(start_of(wanted))
    assert old in open_starts(client)
    assert {one.kind for row, one in mails() if one.attachments and row.state == "pending"} == {
        "booking_changed",
        "booking_for_host",
    }


def test_times_that_overlap_the_call_are_offered_but_not_its_own(client, context, database):
    database.write(lambda session: setattr(session.get_one(Host, 1), "interval", 10))
    page = book(client)
    start = only_call(database).starts_at
    starts = [parse_start(start_of(address)) for address in offered(client, page)]
    assert start not in starts
    assert start + timedelta(minutes=10) in starts


def test_the_page_opens_on_the_day_of_the_call(client):
    page = book(client, "20261202T1000Z")
    assert "Wednesday, <span>December 2" in client.get(page + "move/?zone=UTC").text


def test_sending_a_move_twice_moves_once(client, database, mails):
    page = book(client)
    form = {"start": start_of(offered(client, page)[2])}
    first, second = (client.post(page + "move/", data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert only_call(database).sequence == 1
    assert len([row for row, _ in mails() if row.kind == "booking_changed"]) == 1


def test_a_form_from_before_a_move_does_not_move_the_call_back(client, context, database):
    page = book(client)
    paths = offered(client, page)
    old = move_form(client.get(paths[2]).text)
    client.post(page + "move/", data=move_form(client.get(paths[2]).text))
    client.post(page + "move/", data=move_form(client.get(paths[3]).text))
    refused = client.post(page + "move/", data=old)
    assert refused.status_code == 409 and "since you opened this page" in refused.text
    assert start_text(only_call(database).starts_at) == start_of(paths[3])
    assert client.post(page + "move/", data=move_form(refused.text)).status_code == 303


def test_a_time_that_was_just_taken_leaves_the_call_and_offers_the_nearest(client, database):
    page = book(client)
    wanted = start_of(offered(client, page)[2])
    book(client, wanted, email="bob@example.com")
    refused = client.post(page + "move/", data={"start": wanted})
    assert refused.status_code == 409
    assert "already booked" in refused.text
    assert "stays on" in refused.text
    near = re.findall(r'name="start" value="(\d{8}T\d{4}Z)"', refused.text)
    assert len(near) == 6
    assert wanted not in near
    with database.read() as session:
        assert session.get_one(Booking, 1).sequence == 0
    assert client.post(page + "move/", data={"start": near[0]}).status_code == 303


def test_an_unavailable_time_is_refused_and_open_ones_are_offered(client, database):
    page = book(client)
    for start in ["20261124T0907Z", "20261122T0900Z", "20991124T0900Z", "x", ""]:
        refused = client.post(page + "move/", data={"start": start})
        assert refused.status_code == 422, start
        assert re.search(r"\d{8}T\d{4}Z", refused.text.replace(start or "-", ""))
        assert only_call(database).sequence == 0
        if start:
            assert client.get(f"{page}move/{start}/").status_code == 404


def test_a_past_call_cannot_be_moved(client, database, at):
    page = book(client)
    form = {"start": start_of(offered(client, page)[2])}
    at(MONDAY_MORNING + timedelta(hours=4))
    for answer in (client.get(page + "move/"), client.post(page + "move/", data=form)):
        assert answer.status_code == 409
        assert "reschedule this call anymore" in answer.text
        assert 'href="/book/' in answer.text
    at(MONDAY_MORNING)
    client.post(page + "cancel")
    refused = client.post(page + "move/", data=form)
    assert refused.status_code == 409
    assert "It was canceled" in refused.text
    assert only_call(database).sequence == 1


def test_the_number_of_moves_is_limited(client, context, database):
    page = book(client)
    wanted = [parse_start(text) for text in open_starts(client)[:2]]
    for number in range(reschedule.MOST_MOVES):
        assert move(context, wanted[number % 2])
    refused = client.post(page + "move/", data={"start": start_text(wanted[0])})
    assert refused.status_code == 409
    assert "Write to us" in refused.text
    assert only_call(database).sequence == reschedule.MOST_MOVES


def test_changes_by_the_team_do_not_count_as_the_visitors_moves(client, context, database):
    page = book(client)
    wanted = [parse_start(text) for text in open_starts(client)[:2]]
    for number in range(reschedule.MOST_MOVES + 1):
        assert move(context, wanted[number % 2], member_id=1)
    assert client.get(page + "move/").status_code == 200


def test_a_move_in_another_zone_stores_the_zone(client, database):
    page = book(client)
    times = client.get(page + "move/?zone=Asia/Calcutta").text
    assert "Times are in <strong>Kolkata time (IST)</strong>" in times
    wanted = start_of(offered(client, page)[2])
    shown = client.get(f"{page}move/{wanted}/?zone=Asia/Kolkata").text
    form = {"start": wanted, "zone": hidden(shown, "zone")}
    client.post(page + "move/", data=form)
    assert only_call(database).visitor_zone == "Asia/Kolkata"
