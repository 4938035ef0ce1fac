"""Hosts at the desk: editing hours, person and rules without losing anything."""

import re

from lead_service import clock
from lead_service.book.hosts import opening_hours, setup
from lead_service.book.hosts.models import Host
from tests.support.app.call_types import ANN, publish
from tests.support.app.desk_client import press
from tests.support.app.host_pages import HOST, PERSON, RULES, hours, send, starts_on, stored, weekly
from tests.support.app.hosts import add_host, changes
from tests.support.app.visitor_forms import hidden, open_starts

PRODUCTION = {"public_url": "https://advisory.example"}


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
    shown = re.findall(r'name="tuesday" value="([^"]*)"', page)
    assert shown == ["9:00 am", "12:00 pm", "1:00 pm", "5:00 pm", "", ""]
    assert re.findall(r'name="friday" value="([^"]*)"', page)[:2] == [
        "10:00 pm",
        "2:00 am the next day",
    ]
    assert changes(database, "host 1") == [("hours_changed", 1)]


def test_rows_can_be_copied_to_other_days_and_the_week_shown_before_it_is_saved(
    client, admin, database
):
    before, monday = weekly(database), ["9am", "noon", "1", "5pm", "", ""]
    rows = hours() | {"monday": monday}
    copied = send(client, HOST + "hours/", **rows, copy="monday weekdays")
    assert re.findall(r'name="friday" value="([^"]+)"', copied.text) == [
        *("9:00 am", "12:00 pm"),
        *("1:00 pm", "5:00 pm"),
    ]
    assert 'name="saturday" value="9' not in copied.text
    shown = send(client, HOST + "hours/", **rows, preview="1")
    assert (
        "9:00 am to 12:00 pm, 1:00 pm to 5:00 pm" in shown.text and "14 start times" in shown.text
    )
    assert weekly(database) == before
    assert send(client, HOST + "hours/", **rows).status_code == 303
    assert weekly(database) == [(0, 540, 720), (0, 780, 1020)]


def test_whole_ranges_can_be_typed_into_one_field_or_both(client, admin, database):
    form = hours() | {
        "monday": ["9am-5pm", ""],
        "tuesday": ["9 to 12, 13-17", ""],
        "wednesday": ["9-12", "13-17"],
    }
    assert send(client, HOST + "hours/", **form).status_code == 303
    lunch = [(day, *half) for day in (1, 2) for half in ((540, 720), (780, 1020))]
    assert weekly(database) == [(0, 540, 1020), *lunch]


def test_invalid_hours_leave_the_old_ones_and_keep_the_input(client, admin, database):
    before = weekly(database)
    for day, typed, told in [
        ("monday", "09:00-12:00, 11:00-13:00", "overlap"),
        ("monday", "17:00-09:00", "end after it starts"),
        ("monday", "09:00-17:03", "must end in 0 or 5"),
        ("sunday", "22:00-34:00", "runs into Monday"),
        ("friday", "x" * 201, "200 characters or fewer"),
    ]:
        sent = send(client, HOST + "hours/", **hours(monday="09:00-17:00") | {day: typed})
        assert sent.status_code == 422, (day, typed, told)
        field = re.search(rf'id="{day}-error">(.*?)</p>', sent.text, re.S)
        assert field and told in field[1]
        assert f'value="{opening_hours.rows(typed)[0][0]}"' in sent.text
        assert weekly(database) == before
        assert changes(database, "host 1") == []


# -- Two at once -----------------------------------------------------------------------------


def test_the_second_of_two_edits_of_a_host_shows_both_values(client, admin, database):
    seen = hidden(client.get(HOST + "hours/").text, "version")
    send(client, HOST + "hours/", **hours(monday="08:00-10:00"))
    mine = hours(monday="12:00-14:00")
    sent = press(client, HOST + "hours/", version=seen, **mine)
    assert sent.status_code == 409
    assert 'value="2:00 pm"' in sent.text
    assert re.search(r"Current value: <bdi>8:00 am to 10:00 am</bdi>", sent.text)
    assert weekly(database) == [(0, 480, 600)]
    again = press(client, HOST + "hours/", version=hidden(sent.text, "version"), **mine)
    assert again.status_code == 303
    assert weekly(database) == [(0, 720, 840)]


def test_an_invalid_form_keeps_its_version(client, admin, database):
    seen = hidden(client.get(HOST + "rules/").text, "version")
    send(client, HOST + "rules/", **RULES)
    wrong = press(client, HOST + "rules/", version=seen, **RULES | {"interval": "x"})
    assert hidden(wrong.text, "version") == seen


def test_a_form_without_its_version_overwrites_nothing(client, admin, database):
    fields = {"hours": hours(), "rules": RULES, "person": PERSON, "holidays": {"country": "US"}}
    for part, version in [("hours", ""), ("rules", "x"), ("person", "0"), ("holidays", "99")]:
        sent = press(client, HOST + f"{part}/", version=version, **fields[part])
        assert sent.status_code == 409, (part, version)
        assert "Someone else changed" in sent.text
        assert changes(database, "host 1") == []


# -- Person and rules ------------------------------------------------------------------------


def test_person_zone_and_link_are_stored(client, admin, database):
    assert send(client, HOST + "person/", **PERSON).status_code == 303
    host = stored(database)
    assert host.zone == "Europe/Berlin"
    told = {name: typed for name, typed in PERSON.items() if name != "city"}
    assert {name: getattr(host, name) for name in told} == told


def test_a_host_who_is_a_person_of_the_site_takes_calls_under_that_name(
    app, client, admin, database
):
    assert "Person on the site" not in client.get(HOST + "person/").text
    publish(app, people=(ANN,))
    page = client.get(HOST + "person/").text
    assert '<option value="ann-example">Ann Example</option>' in page
    asked = PERSON | {"name": "ACTION Advisory", "person": ANN.slug}
    assert send(client, HOST + "person/", **asked).status_code == 303
    assert (stored(database).person, stored(database).name) == (ANN.slug, ANN.name)
    assert "Ann Example, Partner</a>" in client.get(HOST).text
    assert send(client, HOST + "person/", **asked | {"person": "else"}).status_code == 422


def test_a_host_stops_and_starts_taking_calls(client, admin, database):
    stop = press(client, HOST, HOST + "stop")
    assert (stop.status_code, stored(database).is_active) == (303, False)
    assert open_starts(client) == []
    assert "Takes no calls" in client.get("/desk/availability/").text
    shown = client.get(HOST + "start/").text
    assert all(words in shown for words in ("UTC", "9:00 am to 5:00 pm", "every holiday"))
    seen = hidden(shown, "version")
    assert send(client, HOST + "start/").status_code == 303
    assert stored(database).is_active
    assert press(client, HOST + "start/", version=seen).status_code == 409
    assert changes(database, "host 1") == [("host_changed", 1)] * 2


def test_in_production_the_first_host_takes_no_calls_until_an_admin_has_checked_them(
    database, settings, client
):
    def seed(session) -> None:
        session.delete(session.get_one(Host, 1))
        session.flush()
        assert setup.create_first_host(session, settings.model_copy(update=PRODUCTION))
        session.flush()
        assert list(setup.problems(session, settings, None, clock.now())) == [setup.NOBODY]

    database.write(seed)
    assert open_starts(client) == []


def test_invalid_details_of_a_host_are_reported_beside_the_field(client, admin, database):
    add_host(database)
    for name, typed, told in [
        ("city", "Olympus Mons", "know this city"),
        ("city", "", "Enter a city"),
        ("email", "nobody", "@"),
        ("email", "Calls@example.test", "Invitations come from this address"),
        ("email", "ben@example.com", "Another host has this address"),
        ("email", "Ben@EXAMPLE.com", "Another host has this address"),
        ("name", "", "Enter the name"),
        ("meeting_link", "http://meet.example.com", "https://"),
        ("meeting_link", "https://", "https://"),
        ("meeting_link", "https://[meet", "https://"),
        ("meeting_link", "https://a b", "https://"),
        ("meeting_link", "https://host:port/", "https://"),
        ("meeting_link", "javascript:alert(1)", "https://"),
    ]:
        sent = send(client, HOST + "person/", **PERSON | {name: typed})
        assert sent.status_code == 422, (name, typed, told)
        assert told in re.search(rf'id="{name}-error">(.*?)</p>', sent.text, re.S)[1]
        assert f'value="{typed.strip()}"' in sent.text
        assert stored(database).zone == "UTC"


def test_a_new_host_takes_calls_once_they_have_hours(client, admin, database):
    sent = press(client, "/desk/availability/new/", **PERSON)
    assert sent.location == "/desk/availability/2/hours/"
    refused = send(client, "/desk/availability/2/start/")
    assert (refused.status_code, stored(database, 2).is_active) == (422, False)
    assert "Set weekly or special hours" in refused.text
    assert changes(database, "host 2") == [("host_added", 1)]
    again = press(client, "/desk/availability/new/", **PERSON)
    assert again.status_code == 422
    assert "Another host has this address" in again.text


def test_rules_are_stored_and_an_empty_limit_means_no_limit(client, admin, database):
    assert send(client, HOST + "rules/", **RULES).status_code == 303
    host = stored(database)
    assert {name: str(getattr(host, name)) for name in RULES} == RULES
    none = RULES | {"horizon_days": "", "daily_limit": ""}
    assert send(client, HOST + "rules/", **none).status_code == 303
    assert (stored(database).horizon_days, stored(database).daily_limit) == (None, None)


def test_invalid_rules_are_reported_beside_the_field(client, admin, database):
    for name, typed, told in [
        ("interval", "0", "from 5 to 1440"),
        ("interval", "7", "multiple of five"),
        ("interval", "", "Enter a number"),
        *((name, " \u3000", "Enter a number") for name in ("interval", "notice")),
        ("interval", "half an hour", "whole number"),
        ("buffer_before", "-5", "from 0"),
        ("buffer_after", "9" * 40, "from 0"),
        ("notice", "1.5", "whole number"),
        ("horizon_days", "400", "from 0 to 365"),
        ("daily_limit", "many", "whole number"),
    ]:
        sent = send(client, HOST + "rules/", **RULES | {name: typed})
        assert sent.status_code == 422, (name, typed, told)
        assert told in re.search(rf'id="{name}-error">(.*?)</p>', sent.text, re.S)[1]
        assert f'value="{typed.strip()}"' in sent.text
        assert stored(database).interval == 30
