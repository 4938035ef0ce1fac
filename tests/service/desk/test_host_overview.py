"""Availability at the desk: open times, reasons for closed ones, and time off."""

import re
from datetime import datetime

from lead_service.book.forms import start_text
from tests.support.app.desk_client import press
from tests.support.app.host_pages import HOST, starts_on, stored
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import book, hidden

# -- What visitors would see, and why not ------------------------------------------------------


def test_the_next_two_weeks_match_the_visitors_page(client, admin, database):
    book(client, "20261124T0900Z")
    page = client.get(HOST).text
    shown = re.findall(r'<li><time datetime="([^"]*)"', page)
    assert len(shown) == 10 + 9 * 16 - 1
    for day in ("2026-11-23", "2026-11-24", "2026-12-04"):
        of_day = [one for one in shown if one.startswith(day)]
        written = [start_text(datetime.fromisoformat(one)) for one in of_day]
        assert written == starts_on(client, day)


def test_why_not_names_and_links_the_conflicting_call(client, admin, database):
    book(client, "20261124T0900Z")
    answer = client.get(HOST + "why/?at=2026-11-24T09:00").text
    assert "The host has another call" in answer
    assert 'href="/desk/calls/1/"' in answer
    assert "Visitors can book it." in client.get(HOST + "why/?at=2026-11-24T09:30").text


def test_why_not_answers_for_a_gap_and_for_both_of_a_repeated_hour(client, admin, database):
    change_host(database, zone="Europe/Berlin", horizon_days=None)
    gap = client.get(HOST + "why/?at=2027-03-28T02:30").text
    assert "t have this time" in gap
    fold = client.get(HOST + "why/?at=2027-10-31T02:30").text
    assert "show this time twice" in fold
    assert fold.count("Outside the host\u2019s hours") == 2
    assert "UTC+02:00" in fold
    assert "UTC+01:00" in fold


def test_an_invalid_time_is_reported_beside_the_field(client, admin):
    for asked in ["soon", "2026-11-24T09:00Z", "9999-12-31T23:59"]:
        answer = client.get(HOST + "why/", query_string={"at": asked})
        assert answer.status_code == 422, asked
        assert 'id="at-error"' in answer.text


# -- Time off and the calls that it hits -------------------------------------------------------


def test_time_off_without_calls_is_saved_at_once(client, admin, database):
    page = HOST + "time-off/"
    typed = {"first_day": "2026-11-25", "last_day": "2026-11-27", "note": "Conference"}
    assert press(client, page, **typed).status_code == 303
    assert "20261126T0900Z" not in starts_on(client, "2026-11-26")
    assert "Conference" in client.get(HOST).text
    assert press(client, page, page + "1/remove").status_code == 303
    assert "20261126T0900Z" in starts_on(client, "2026-11-26")


def test_time_off_lists_conflicting_calls_before_and_after_saving(client, admin, database):
    book(client, "20261124T0900Z")
    page = HOST + "time-off/"
    typed = {"first_day": "2026-11-24", "last_day": "2026-11-24", "note": ""}
    asked = press(client, page, **typed)
    assert asked.status_code == 409
    assert stored(database).time_off == []
    for action in ("move", "give", "cancel"):
        assert f'href="/desk/calls/1/{action}/"' in asked.text
    assert 'value="2026-11-24"' in asked.text
    known = hidden(asked.text, "known")
    assert press(client, page, known=known, **typed).status_code == 303
    for shown in (client.get(page).text, client.get(HOST).text):
        assert 'href="/desk/calls/1/move/"' in shown


def test_a_call_booked_meanwhile_is_shown_before_anything_is_saved(client, admin, database):
    book(client, "20261124T0900Z")
    page = HOST + "time-off/"
    typed = {"first_day": "2026-11-24", "last_day": "2026-11-24", "note": ""}
    known = hidden(press(client, page, **typed).text, "known")
    book(client, "20261124T1000Z", email="second@example.com")
    again = press(client, page, known=known, **typed)
    assert again.status_code == 409
    assert 'href="/desk/calls/2/move/"' in again.text
    assert stored(database).time_off == []


def test_invalid_time_off_is_reported_beside_the_field(client, admin, database):
    for first, last, name in [
        ("", "2026-11-24", "first_day"),
        ("2026-11-24", "", "last_day"),
        ("2026-11-24", "2026-11-23", "last_day"),
        ("2026-11-24", "2028-11-24", "last_day"),
        ("9999-01-01", "9999-01-01", "first_day"),
    ]:
        sent = press(client, HOST + "time-off/", first_day=first, last_day=last, note="kept")
        assert sent.status_code == 422, (first, last, name)
        assert f'id="{name}-error"' in sent.text
        assert 'value="kept"' in sent.text
        assert stored(database).time_off == []


def test_a_date_lists_only_the_calls_outside_its_hours(client, admin, database):
    book(client, "20261124T0900Z")
    book(client, "20261124T1030Z", email="second@example.com")
    page = HOST + "dates/"
    assert press(client, page, day="2026-11-24", hours="10:00-11:00").status_code == 303
    for shown in (client.get(page).text, client.get(HOST).text):
        assert "A call is booked on Tue, Nov 24, 2026, outside these hours" in shown
        assert 'href="/desk/calls/1/move/"' in shown
        assert "/desk/calls/2/" not in shown
    press(client, page, page + "1/remove")
    press(client, page, day="2026-11-24", hours="")
    assert "Calls are booked on Tue, Nov 24, 2026" in client.get(page).text


def test_a_host_who_stopped_taking_calls_still_lists_booked_ones(client, admin, database):
    book(client, "20261124T0900Z")
    assert "/desk/calls/1/" not in client.get(HOST).text
    change_host(database, is_active=False)
    shown = client.get(HOST).text
    assert "A call is still booked" in shown
    assert 'href="/desk/calls/1/give/"' in shown
