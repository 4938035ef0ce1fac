"""Hosts at the desk: hours, rules, days and calendars are edited there, and nothing is lost."""

import re
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from lead_service.book.forms import start_text
from lead_service.book.host_models import CalendarFeed, Host, TimeOff
from lead_service.members import Member

from .conftest import MONDAY_MORNING
from .desk import press, sign_in
from .hosts import add_host, change_host, changes
from .journeys import book, hidden, open_starts

HOST = "/desk/availability/1/"
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERSON = {
    "name": "Ann Example",
    "email": "ann@example.com",
    "zone": "Europe/Berlin",
    "meeting_link": "https://meet.example.com/ann",
    "is_active": "y",
}
RULES = {"duration": "45", "interval": "15", "buffer_before": "5", "buffer_after": "10"}
RULES |= {"notice": "1440", "horizon_days": "30", "daily_limit": "4"}


@pytest.fixture
def admin(client, database, settings, at) -> None:
    """An admin who is signed in, on a Monday morning."""
    sign_in(client, database, settings)


def stored(database, id: int = 1) -> Host:
    with database.read() as session:
        host = session.get_one(Host, id)
        assert all(one.windows is not None for one in host.overrides)
        assert None not in (host.hours, host.time_off, host.feeds)
        return host


def send(client, page: str, **fields: str):
    """Open a form, fill it in and send it, with the version that it was opened at."""
    seen = hidden(client.get(page).text, "version")
    return press(client, page, **{"version": seen} | fields)


def hours(**days: str) -> dict[str, str]:
    return dict.fromkeys(WEEK, "") | days


def starts_on(client, day: str) -> list[str]:
    """Return what visitors are offered on a date, in UTC."""
    return open_starts(client, zone="UTC", day=day)


def weekly(database) -> list[tuple[int, int, int]]:
    return [(one.weekday, one.opens, one.closes) for one in stored(database).hours]


# -- Weekly hours ----------------------------------------------------------------------------


def test_several_windows_a_day_and_past_midnight_are_stored_and_offered(client, admin, database):
    typed = hours(tuesday="9-12, 13:00-17:00", friday="22:00-26:00")
    sent = send(client, HOST + "hours/", **typed)
    assert (sent.status_code, sent.location) == (303, HOST)
    assert weekly(database) == [(1, 540, 720), (1, 780, 1020), (4, 1320, 1560)]
    starts = starts_on(client, "2026-11-24")
    assert "20261124T1230Z" not in starts
    assert "20261124T1300Z" in starts
    page = client.get(HOST + "hours/").text
    assert 'value="09:00-12:00, 13:00-17:00"' in page
    assert 'value="22:00-26:00"' in page
    assert changes(database, "host 1") == [("hours_changed", 1)]


@pytest.mark.parametrize(
    ("day", "typed", "told"),
    [
        ("monday", "09:00-12:00, 11:00-13:00", "overlap"),
        ("monday", "17:00-09:00", "ends before it starts"),
        ("monday", "09:00-17:03", "multiple of five"),
        ("sunday", "22:00-34:00", "runs into Monday"),
        ("friday", "x" * 201, "under 200"),
    ],
)
def test_hours_that_cannot_be_leave_the_old_ones_and_what_was_typed(
    client, admin, database, day, typed, told
):
    before = weekly(database)
    sent = send(client, HOST + "hours/", **hours(monday="09:00-17:00") | {day: typed})
    assert sent.status_code == 422
    field = re.search(rf'id="{day}-error">(.*?)</p>', sent.text, re.S)
    assert field and told in field[1]
    assert f'value="{typed}"' in sent.text
    assert weekly(database) == before
    assert changes(database, "host 1") == []


# -- Two at once -----------------------------------------------------------------------------


def test_of_two_who_edit_one_host_the_second_sees_both_texts_and_decides(client, admin, database):
    seen = hidden(client.get(HOST + "hours/").text, "version")
    send(client, HOST + "hours/", **hours(monday="08:00-10:00"))
    mine = hours(monday="12:00-14:00")
    sent = press(client, HOST + "hours/", version=seen, **mine)
    assert sent.status_code == 409
    assert 'value="12:00-14:00"' in sent.text
    assert re.search(r"Stored now: <bdi>08:00-10:00</bdi>", sent.text)
    assert weekly(database) == [(0, 480, 600)]
    again = press(client, HOST + "hours/", version=hidden(sent.text, "version"), **mine)
    assert again.status_code == 303
    assert weekly(database) == [(0, 720, 840)]


def test_a_mistake_does_not_make_an_old_form_a_new_one(client, admin, database):
    seen = hidden(client.get(HOST + "rules/").text, "version")
    send(client, HOST + "rules/", **RULES)
    wrong = press(client, HOST + "rules/", version=seen, **RULES | {"duration": "x"})
    assert hidden(wrong.text, "version") == seen


@pytest.mark.parametrize("part", ["hours", "rules", "person", "holidays"])
@pytest.mark.parametrize("version", ["", "x", "0", "99"])
def test_a_form_without_its_version_overwrites_nothing(client, admin, database, part, version):
    fields = {"hours": hours(), "rules": RULES, "person": PERSON, "holidays": {"country": "US"}}
    sent = press(client, HOST + f"{part}/", version=version, **fields[part])
    assert sent.status_code == 409
    assert "Somebody else has changed" in sent.text
    assert changes(database, "host 1") == []


# -- Person and rules ------------------------------------------------------------------------


def test_person_zone_link_and_activity_are_stored(client, admin, database):
    assert send(client, HOST + "person/", **PERSON).status_code == 303
    host = stored(database)
    assert {name: getattr(host, name) for name in PERSON} == PERSON | {"is_active": True}
    assert send(client, HOST + "person/", **PERSON | {"is_active": ""}).status_code == 303
    inactive = {name: value for name, value in PERSON.items() if name != "is_active"}
    assert send(client, HOST + "person/", **inactive).status_code == 303
    assert not stored(database).is_active
    assert open_starts(client) == []
    assert "Takes no calls" in client.get("/desk/availability/").text


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("zone", "Mars/Olympus", "Choose a time zone"),
        ("zone", "", "Choose a time zone"),
        ("zone", "localtime", "Choose a time zone"),
        ("email", "nobody", "@"),
        ("email", "ben@example.com", "Another host has this address"),
        ("email", "Ben@EXAMPLE.com", "Another host has this address"),
        ("name", "", "Type the name"),
        ("meeting_link", "http://meet.example.com", "https://"),
        ("meeting_link", "https://", "https://"),
        ("meeting_link", "https://[meet", "https://"),
        ("meeting_link", "javascript:alert(1)", "https://"),
    ],
)
def test_what_a_host_cannot_be_is_said_beside_the_field(client, admin, database, name, typed, told):
    add_host(database)
    sent = send(client, HOST + "person/", **PERSON | {name: typed})
    assert sent.status_code == 422
    assert told in re.search(rf'id="{name}-error">(.*?)</p>', sent.text, re.S)[1]
    assert f'value="{typed}"' in sent.text
    assert stored(database).zone == "UTC"


def test_a_new_host_offers_nothing_until_they_have_hours(client, admin, database):
    sent = press(client, "/desk/availability/new/", **PERSON)
    assert sent.location == "/desk/availability/2/hours/"
    assert "There are no opening hours." in client.get("/desk/availability/2/").text
    assert changes(database, "host 2") == [("host_added", 1)]
    again = press(client, "/desk/availability/new/", **PERSON)
    assert again.status_code == 422
    assert "Another host has this address" in again.text


def test_rules_are_stored_and_an_empty_limit_is_none(client, admin, database):
    assert send(client, HOST + "rules/", **RULES).status_code == 303
    host = stored(database)
    assert {name: str(getattr(host, name)) for name in RULES} == RULES
    none = RULES | {"horizon_days": "", "daily_limit": ""}
    assert send(client, HOST + "rules/", **none).status_code == 303
    assert (stored(database).horizon_days, stored(database).daily_limit) == (None, None)


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("duration", "0", "from 5 to 480"),
        ("duration", "7", "multiple of five"),
        ("duration", "", "Type a number"),
        ("interval", "half an hour", "whole number"),
        ("buffer_before", "-5", "from 0"),
        ("buffer_after", "9" * 40, "from 0"),
        ("notice", "1.5", "whole number"),
        ("horizon_days", "400", "from 0 to 365"),
        ("daily_limit", "many", "whole number"),
    ],
)
def test_rules_that_cannot_be_are_said_beside_the_field(client, admin, database, name, typed, told):
    sent = send(client, HOST + "rules/", **RULES | {name: typed})
    assert sent.status_code == 422
    assert told in re.search(rf'id="{name}-error">(.*?)</p>', sent.text, re.S)[1]
    assert f'value="{typed}"' in sent.text
    assert stored(database).duration == 30


# -- Days that differ ------------------------------------------------------------------------


def test_a_date_has_hours_of_its_own_until_they_are_removed(client, admin, database):
    dates = HOST + "dates/"
    assert press(client, dates, day="2026-11-24", hours="06:00-07:00").status_code == 303
    assert press(client, dates, day="2026-11-25", hours="").status_code == 303
    assert "20261124T0600Z" in starts_on(client, "2026-11-24")
    page = client.get(HOST).text
    assert "6:00 am to 7:00 am" in page
    assert "Day off" in page
    twice = press(client, dates, day="2026-11-24", hours="08:00-09:00")
    assert twice.status_code == 422
    assert "has hours of its own already" in twice.text
    assert [len(one.windows) for one in stored(database).overrides] == [1, 0]
    assert press(client, dates, dates + "1/remove").status_code == 303
    assert "20261124T0900Z" in starts_on(client, "2026-11-24")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ({"day": "", "hours": ""}, "day"),
        ({"day": "tomorrow", "hours": ""}, "day"),
        ({"day": "0001-01-01", "hours": ""}, "day"),
        ({"day": "2026-11-24", "hours": "9 to 5 or so"}, "hours"),
    ],
)
def test_a_date_that_cannot_be_is_said_beside_the_field(client, admin, database, typed, name):
    sent = press(client, HOST + "dates/", **typed)
    assert sent.status_code == 422
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


@pytest.mark.parametrize(
    ("country", "region"), [("XX", ""), ("US", "BY"), ("", "CA"), ("x" * 5000, "")]
)
def test_a_country_or_region_that_is_none_changes_nothing(client, admin, database, country, region):
    sent = send(client, HOST + "holidays/", country=country, region=region)
    assert sent.status_code == 422
    assert 'id="country-error"' in sent.text
    assert stored(database).country == ""


# -- Calendars -------------------------------------------------------------------------------

SECRET = "https://calendar.example.com/private-f00d/basic.ics"


def test_a_calendar_shows_its_server_and_never_its_address(client, admin, database):
    page = HOST + "calendars/"
    assert press(client, page, label="Work", url=SECRET).status_code == 303
    for shown in (client.get(page).text, client.get(HOST).text):
        assert "calendar.example.com" in shown
        assert "f00d" not in shown
        assert "was not read yet" in shown
    assert open_starts(client) == []
    twice = press(client, page, label="Work", url=SECRET)
    assert twice.status_code == 422
    assert "is called so" in twice.text
    assert press(client, page, page + "1/remove").status_code == 303
    assert open_starts(client) != []
    assert [what for what, _ in changes(database, "host 1")] == [
        "calendar_added",
        "calendar_removed",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://calendar.example.com/basic.ics",
        "file:///etc/passwd",
        "https://",
        "https://localhost/basic.ics",
        "https://127.0.0.1/basic.ics",
        "https://10.0.0.8/basic.ics",
        "https://169.254.169.254/latest",
        "https://[::1]/basic.ics",
        "https://[::ffff:10.0.0.1]/basic.ics",
        "https://printer.local/basic.ics",
        "https://intranet/basic.ics",
        "https://ann:pass@calendar.example.com/basic.ics",
        "https://calendar.example.com:port/",
        "not an address",
        "",
    ],
)
def test_an_address_that_must_not_be_asked_is_refused_and_kept_on_the_page(
    client, admin, database, url
):
    sent = press(client, HOST + "calendars/", label="Work", url=url)
    assert sent.status_code == 422
    assert 'id="url-error"' in sent.text
    assert f'value="{url}"' in unescape(sent.text)
    assert stored(database).feeds == []


def test_webcal_is_another_word_for_https(client, admin, database):
    press(client, HOST + "calendars/", label="Work", url="webcal://calendar.example.com/a.ics")
    assert stored(database).feeds[0].url == "https://calendar.example.com/a.ics"


def test_how_a_calendar_stands_is_said_in_words(client, admin, database):
    def set_up(succeeded_hours_ago: int, fault: str = "", zone: str = "UTC") -> str:
        at = MONDAY_MORNING - timedelta(hours=succeeded_hours_ago)
        feed = CalendarFeed(url=SECRET, label="Work", fault=fault, zone=zone)
        feed.fetched_at, feed.succeeded_at = MONDAY_MORNING, at
        change_host(database, feeds=[])
        change_host(database, feeds=[feed])
        return client.get(HOST).text

    assert "Read Mon, Nov 23, 7:00 am." in set_up(1)
    failed = set_up(2, "did not answer in time")
    assert "The latest try failed: did not answer in time." in failed
    assert "good until Tue, Nov 24, 6:00 am" in failed
    stale = set_up(25)
    assert "too long ago to be believed" in stale
    assert "A calendar is not read" in stale
    assert "Nothing left" not in stale
    assert "Mail is in trouble" not in stale
    assert "by the clocks of another zone" in set_up(1, zone="Europe/Berlin")


def agenda_of(client) -> str:
    """Return the path of the feed of calls, as the page shows it."""
    shown = client.get(HOST + "calendars/").text
    return re.search(r"<code[^>]*>http://127.0.0.1:8000(/calendar/[^<]+)</code>", shown)[1]


def test_a_new_link_to_the_feed_of_calls_makes_the_old_one_worthless(client, admin, database):
    page = HOST + "calendars/"
    old = agenda_of(client)
    assert client.get(old).status_code == 200
    assert press(client, page, page + "new-link").status_code == 303
    new = agenda_of(client)
    assert [client.get(link).status_code for link in (old, new)] == [404, 200]
    assert "/calendar/" not in client.get(HOST).text
    assert changes(database, "host 1") == [("feed_link_changed", 1)]


# -- What visitors would see, and why not ------------------------------------------------------


def test_the_next_two_weeks_are_what_visitors_see(client, admin, database):
    book(client, "20261124T0900Z")
    page = client.get(HOST).text
    shown = re.findall(r'<li><time datetime="([^"]*)"', page)
    assert len(shown) == 10 + 9 * 16 - 1
    for day in ("2026-11-23", "2026-11-24", "2026-12-04"):
        of_day = [one for one in shown if one.startswith(day)]
        written = [start_text(datetime.fromisoformat(one)) for one in of_day]
        assert written == starts_on(client, day)


def test_why_not_names_the_call_in_the_way_and_leads_to_it(client, admin, database):
    book(client, "20261124T0900Z")
    answer = client.get(HOST + "why/?at=2026-11-24T09:00").text
    assert "Another call is in the way" in answer
    assert 'href="/desk/calls/1/"' in answer
    assert "It is offered." in client.get(HOST + "why/?at=2026-11-24T09:30").text


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("2026-11-23T07:00", "It is past."),
        ("2026-11-23T09:00", "It is too soon"),
        ("2027-11-23T09:00", "It is too far ahead"),
        ("2026-11-24T18:00", "outside the opening hours"),
        ("2026-11-24T09:10", "between two starts"),
    ],
)
def test_why_not_names_the_rule(client, admin, asked, told):
    assert told in client.get(HOST + f"why/?at={asked}").text


def test_why_not_answers_for_a_gap_and_for_both_of_a_repeated_hour(client, admin, database):
    change_host(database, zone="Europe/Berlin", horizon_days=None)
    gap = client.get(HOST + "why/?at=2027-03-28T02:30").text
    assert "has no such time" in gap
    fold = client.get(HOST + "why/?at=2027-10-31T02:30").text
    assert "show this time twice" in fold
    assert fold.count("outside the opening hours") == 2
    assert "UTC+02:00" in fold
    assert "UTC+01:00" in fold


@pytest.mark.parametrize("asked", ["soon", "2026-11-24T09:00Z", "9999-12-31T23:59"])
def test_what_is_no_time_is_said_beside_the_field(client, admin, asked):
    answer = client.get(HOST + "why/", query_string={"at": asked})
    assert answer.status_code == 422
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


def test_time_off_lists_the_calls_that_it_hits_before_and_after_saving(client, admin, database):
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


def test_a_call_that_came_meanwhile_is_shown_before_anything_is_saved(client, admin, database):
    book(client, "20261124T0900Z")
    page = HOST + "time-off/"
    typed = {"first_day": "2026-11-24", "last_day": "2026-11-24", "note": ""}
    known = hidden(press(client, page, **typed).text, "known")
    book(client, "20261124T1000Z", email="second@example.com")
    again = press(client, page, known=known, **typed)
    assert again.status_code == 409
    assert 'href="/desk/calls/2/move/"' in again.text
    assert stored(database).time_off == []


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("", "2026-11-24", "first_day"),
        ("2026-11-24", "", "last_day"),
        ("2026-11-24", "2026-11-23", "last_day"),
        ("2026-11-24", "2028-11-24", "last_day"),
        ("9999-01-01", "9999-01-01", "first_day"),
    ],
)
def test_time_off_that_cannot_be_is_said_beside_the_field(
    client, admin, database, first, last, name
):
    sent = press(client, HOST + "time-off/", first_day=first, last_day=last, note="kept")
    assert sent.status_code == 422
    assert f'id="{name}-error"' in sent.text
    assert 'value="kept"' in sent.text
    assert stored(database).time_off == []


# -- Who may -----------------------------------------------------------------------------------


def test_a_member_reads_availability_and_changes_none_of_it(client, admin, database):
    def demote(session) -> None:
        session.scalars(select(Member)).one().role = "member"

    database.write(demote)
    page = client.get(HOST).text
    assert "Admins change what is here." in page
    assert "/hours/" not in page
    assert "Add a host" not in client.get("/desk/availability/").text
    sent = press(client, "/desk/team/", HOST + "hours/", **hours())
    assert sent.status_code == 403
    assert weekly(database) != []


@pytest.mark.parametrize("page", ["7/", "7/hours/", "99999999999999999999/", "1/nonsense/"])
def test_what_does_not_exist_is_a_404(client, admin, page):
    assert client.get(f"/desk/availability/{page}").status_code == 404
