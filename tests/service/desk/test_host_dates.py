"""Hosts at the desk: dates with special hours, holidays, and calendars."""

import re
from datetime import date, timedelta
from html import unescape

from lead_service.book.hosts.models import CalendarFeed, TimeOff
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press
from tests.support.app.host_pages import HOST, send, starts_on, stored
from tests.support.app.hosts import add_host, change_host, changes
from tests.support.app.visitor_forms import open_starts

# -- Days that differ ------------------------------------------------------------------------


def test_a_date_has_its_own_hours_until_they_are_removed(client, admin, database):
    dates = HOST + "dates/"
    assert press(client, dates, day="2026-11-24", hours="06:00-07:00").status_code == 303
    assert press(client, dates, day="2026-11-25", hours="").status_code == 303
    assert "20261124T0600Z" in starts_on(client, "2026-11-24")
    page = client.get(HOST).text
    assert "6:00 am to 7:00 am" in page
    assert "Day off" in page
    twice = press(client, dates, day="2026-11-24", hours="08:00-09:00")
    assert twice.status_code == 422
    assert "already has special hours" in twice.text
    assert [len(one.windows) for one in stored(database).overrides] == [1, 0]
    assert press(client, dates, dates + "1/remove").status_code == 303
    assert "20261124T0900Z" in starts_on(client, "2026-11-24")


def test_an_invalid_date_is_reported_beside_the_field(client, admin, database):
    for typed, name in [
        ({"day": "", "hours": ""}, "day"),
        ({"day": "tomorrow", "hours": ""}, "day"),
        ({"day": "0001-01-01", "hours": ""}, "day"),
        ({"day": "2026-11-24", "hours": "9 to 5 or so"}, "hours"),
    ]:
        sent = press(client, HOST + "dates/", **typed)
        assert sent.status_code == 422, (typed, name)
        assert f'id="{name}-error"' in sent.text
        assert stored(database).overrides == []


def test_days_of_another_host_are_not_removed_through_this_one(client, admin, database):
    ben = add_host(database, time_off=[TimeOff(first_day=date.max, last_day=date.max)])
    sent = press(client, HOST + "time-off/", HOST + "time-off/1/remove")
    assert sent.status_code == 404
    assert len(stored(database, ben).time_off) == 1


def test_a_countrys_holidays_are_shown_and_then_kept(client, admin, database):
    page = client.get(HOST + "holidays/?country=US&region=CA").text
    assert "Thanksgiving" in page
    assert "California" in page
    assert stored(database).country == ""
    sent = send(client, HOST + "holidays/", country="US", region="CA")
    assert sent.status_code == 303
    assert (stored(database).country, stored(database).region) == ("US", "CA")
    assert "20261126T0900Z" not in starts_on(client, "2026-11-26")
    assert re.search(r"Thu, Nov 26.*?Thanksgiving", client.get(HOST).text, re.S)


def test_an_unknown_country_or_region_changes_nothing(client, admin, database):
    for country, region in [("XX", ""), ("US", "BY"), ("", "CA"), ("x" * 5000, "")]:
        sent = send(client, HOST + "holidays/", country=country, region=region)
        assert sent.status_code == 422, (country, region)
        assert 'id="country-error"' in sent.text
        assert stored(database).country == ""


# -- Calendars -------------------------------------------------------------------------------

SECRET = "https://calendar.ada.net/private-f00d/basic.ics"


def test_a_calendar_shows_its_server_and_never_its_address(client, admin, database):
    page = HOST + "calendars/"
    assert press(client, page, label="Work", url=SECRET).status_code == 303
    for shown in (client.get(page).text, client.get(HOST).text):
        assert "calendar.ada.net" in shown
        assert "f00d" not in shown
        assert "We haven\u2019t read the calendar" in shown
    assert open_starts(client) == []
    twice = press(client, page, label="Work", url=SECRET)
    assert twice.status_code == 422
    assert "has that name" in twice.text
    assert press(client, page, page + "1/remove").status_code == 303
    assert open_starts(client) != []
    assert [what for what, _ in changes(database, "host 1")] == [
        "calendar_added",
        "calendar_removed",
    ]


def test_a_forbidden_address_is_refused_and_kept_on_the_page(client, admin, database):
    for url in ["http://calendar.ada.net/basic.ics", "https://[::ffff:10.0.0.1]/basic.ics", ""]:
        sent = press(client, HOST + "calendars/", label="Work", url=url)
        assert sent.status_code == 422, url
        assert 'id="url-error"' in sent.text
        assert f'value="{url}"' in unescape(sent.text)
        assert stored(database).feeds == []


def test_the_state_of_a_calendar_is_described_in_words(client, admin, database):
    def set_up(succeeded_hours_ago: int, fault: str = "", zone: str = "UTC") -> str:
        at = MONDAY_MORNING - timedelta(hours=succeeded_hours_ago)
        feed = CalendarFeed(url=SECRET, label="Work", fault=fault, zone=zone)
        feed.fetched_at, feed.succeeded_at = MONDAY_MORNING, at
        change_host(database, feeds=[])
        change_host(database, feeds=[feed])
        return client.get(HOST).text

    assert "Read Mon, Nov 23, 7:00 am." in set_up(1)
    failed = set_up(2, "it did not answer in time")
    assert "The last attempt failed: it did not answer in time." in failed
    assert "times we read until Tue, Nov 24, 6:00 am" in failed
    stale = set_up(25)
    assert "which is too long ago" in stale
    assert "Calendar not up to date" in stale
    assert "Nothing left" not in stale
    assert "Email needs attention" not in stale
    assert "in another time zone" in set_up(1, zone="Europe/Berlin")
    feed = CalendarFeed(url=SECRET, label="Work", widened="A <b>reason</b>.\nAnd another.")
    change_host(database, feeds=[])
    change_host(database, feeds=[feed])
    page = client.get(HOST + "calendars/").text
    assert "blocks more time than it should" in page
    assert "<li>A &lt;b&gt;reason&lt;/b&gt;.</li><li>And another.</li>" in page


def agenda_of(client) -> str:
    """Return the path of the calendar feed on the page."""
    shown = client.get(HOST + "calendars/").text
    return re.search(r"<code[^>]*>http://127.0.0.1:8000(/calendar/[^<]+)</code>", shown)[1]


def test_a_new_feed_link_replaces_the_old_one(client, admin, database):
    page = HOST + "calendars/"
    old = agenda_of(client)
    assert client.get(old).status_code == 200
    assert press(client, page, page + "new-link").status_code == 303
    new = agenda_of(client)
    assert [client.get(link).status_code for link in (old, new)] == [404, 200]
    assert "/calendar/" not in client.get(HOST).text
    assert changes(database, "host 1") == [("feed_link_changed", 1)]
