"""The page of open times: month, day, time zone and host, all in the address."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import html5lib
import pytest
from sqlalchemy import select

from lead_service.book.forms import parse_start
from lead_service.book.hosts import setup
from lead_service.book.hosts.models import TimeOff
from lead_service.book.models import Booking
from lead_service.book.visitor import times_page
from lead_service.formats import clock_time
from lead_service.ops.serving import _warm_up
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, count, only_call
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import assess, book, booking_form, hidden, open_starts


def links(page: str) -> dict[str, str]:
    """Return the addresses of a page's links by their accessible text."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return {
        " ".join("".join(link.itertext()).split()): link.get("href")
        for link in tree.iter("a")
        if link.get("href")
    }


def heard(page: str) -> str:
    """Return the text of a page that screen readers announce."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    for parent in list(tree.iter()):
        for child in [one for one in parent if one.get("aria-hidden") == "true"]:
            parent.remove(child)
    return " ".join("".join(tree.find(".//main").itertext()).split())


def test_the_first_open_day_is_chosen_and_the_others_are_links(client):
    page = client.get("/book/").text
    assert "Monday, <span>November 23" in page
    days = [words for words in links(page) if words.endswith(" times")]
    assert days[:2] == ["Monday, November 23, 10 times", "Tuesday, November 24, 16 times"]
    assert len(days) == 20  # four weeks, though the month ends on Monday
    second = client.get(links(page)[days[1]].partition("#")[0]).text
    assert "Tuesday, <span>November 24" in second
    assert [parse_start(text).day for text in re.findall(r"/book/(\w+Z)/", second)] == [24] * 16


def test_screen_readers_announce_open_days_only(client):
    page = heard(client.get("/book/").text)
    assert "Tuesday, November 24, 16 times" in page
    assert not re.search(r"\b(21|22|28|29)\b", page.replace("2026", ""))
    assert "Sun Mon" not in page


def test_months_can_be_turned_while_they_have_open_times(client):
    first = client.get("/book/").text
    assert "October" not in links(first)
    second = client.get(links(first)["December"]).text
    assert "December 2026" in second
    third = client.get(links(second)["January"]).text
    assert "January 2027" in third
    assert "February" not in links(third)
    assert "November" in links(second)


def test_a_made_up_month_or_day_leads_to_open_times(client):
    for month, day in [
        ("1999-01", "0001-01-01"),
        ("9999-12", "9999-12-31"),
        ("2026-13", "2026-02-30"),
        ("soon", "x"),
        ("", "x"),
        ("2026-11-24", ""),
    ]:
        page = client.get("/book/", query_string={"month": month, "day": day})
        assert page.status_code == 200, (month, day)
        assert re.search(r"/book/\d{8}T\d{4}Z/", page.text)


def test_a_day_that_has_filled_up_says_so_and_shows_another(client, database):
    change_host(database, daily_limit=1)
    book(client, open_starts(client, day="2026-11-25")[0])
    page = client.get("/book/?day=2026-11-25").text
    assert "No times are available on Wednesday, November 25." in page
    assert open_starts(client, day="2026-11-25")


def test_a_month_without_an_open_day_links_to_one_with_some(client, database):
    holidays = TimeOff(host_id=1, first_day=date(2026, 12, 1), last_day=date(2026, 12, 31))
    database.write(lambda session: session.add(holidays))
    page = client.get("/book/?month=2026-12").text
    assert "No times are available in December" in page
    on = links(page)["Go to Friday, January 1"]
    assert "Friday, <span>January 1" in client.get(on.partition("#")[0]).text


@pytest.mark.parametrize(
    ("language", "first", "time"), [("en-US", "Sun", "1:00 pm"), ("de-DE,de;q=0.9", "Mon", "13:00")]
)
def test_clock_and_week_follow_the_browser_s_language(client, language, first, time):
    for _ in range(2):  # the second answer may be a cached one
        page = client.get("/book/?zone=UTC", headers={"Accept-Language": language})
        assert re.search(r'class="weekdays"[^>]*><span>(\w+)', page.text)[1] == first
        assert f">{time}</time>" in page.text
        assert "Accept-Language" in page.headers["Vary"]
    start = open_starts(client)[2]
    form = client.get(f"/book/{start}/?zone=UTC", headers={"Accept-Language": language}).text
    assert time in form.replace("\u00a0", " ")


def test_early_and_late_times_are_folded(client):
    page = client.get("/book/?zone=Asia/Tokyo&day=2026-11-24").text  # 9 to 5 is 6 pm to 2 am there
    shown, _, folded = page.partition('<details class="odd-times">')
    assert "Earlier and later times (10)" in folded
    assert "6:00 pm</time>" in shown and "9:00 pm</time>" in folded
    night = client.get("/book/?zone=Pacific/Honolulu&day=2026-11-25").text  # 11 pm to 7 am
    assert '<details class="odd-times" open>' in night


def test_the_page_that_search_engines_see_is_indexed(client):
    for query, robots in [
        ("", "index"),
        ("?zone=Asia/Tokyo", "index"),
        ("?month=2026-12", "noindex"),
    ]:
        assert f'name="robots" content="{robots}"' in client.get(f"/book/{query}").text, (
            query,
            robots,
        )


def test_a_meeting_link_can_name_a_room_for_each_call(client, database):
    change_host(database, meeting_link="https://meet.example.com/{room}/x")
    for _ in range(2):
        book(client)
    with database.read() as session:
        rooms = set(session.scalars(select(Booking.meeting_link)))
    assert len(rooms) == 2
    assert all(re.fullmatch(r"https://meet.example.com/[0-9a-f]{12}/x", one) for one in rooms)


def test_choosing_another_time_goes_back_to_the_same_day(client):
    page = client.get("/book/20261130T1600Z/?zone=Asia/Tokyo").text
    back = links(page)["Choose another time"]
    assert "day=2026-12-01" in back  # already, in Tokyo
    assert "Tuesday, <span>December 1" in client.get(back.partition("#")[0]).text


# -- Zones ------------------------------------------------------------------------------------


def test_a_zone_is_found_by_a_city_and_chosen_by_a_link(client):
    page = client.get("/book/?find=osaka&day=2026-11-24").text
    words = next(words for words in links(page) if words.startswith("Tokyo"))
    assert words == "Tokyo Japan; 5:00 pm now"
    chosen = client.get(links(page)[words]).text
    assert "Times are in <strong>Tokyo time (JST)</strong>. It\u2019s 5:00\u00a0pm now." in chosen
    assert "The host is in UTC." in chosen
    assert "Tuesday, <span>November 24" in chosen
    assert all("zone=Asia/Tokyo" in unescape(one) for one in links(chosen).values() if "Z/" in one)


def test_a_search_without_a_match_suggests_what_to_type(client):
    page = client.get("/book/", query_string={"find": "<b>Atlantis"}).text
    assert "find that time zone" in page
    assert 'value="&lt;b&gt;Atlantis"' in page


def test_an_alias_is_shown_and_stored_under_its_present_name(client, database):
    page = client.get("/book/?zone=Asia/Calcutta").text
    assert "Times are in <strong>Kolkata time (IST)</strong>" in page
    assert "Calcutta" not in page
    book(client, zone="Asia/Calcutta")
    assert only_call(database).visitor_zone == "Asia/Kolkata"


def test_carried_parameters_stay_through_the_search_for_a_zone(client, framework):
    token = assess(client, framework, 0).split("/")[2]
    page = client.get(f"/book/?assessment={token}&from=about-clarify&find=tokyo").text
    answers = hidden(page, "assessment")  # instead of the secret token
    assert token not in page
    address = next(link for words, link in links(page).items() if words.startswith("Tokyo"))
    assert f"assessment={answers}" in address
    assert "from=about-clarify" in address


# -- Several hosts ----------------------------------------------------------------------------


def test_a_chosen_host_gets_the_call(client, database):
    ann = add_host(database)
    page = client.get("/book/").text
    assert {"Any of us", "Ann Example"} <= set(links(page))
    assert '?host=1"' not in page  # the host who is named after the practice
    only = client.get(links(page)["Ann Example"]).text
    assert all(f"host={ann}" in link for link in links(only).values() if "Z/" in link)
    start = open_starts(client)[0]
    form = client.get(f"/book/{start}/?host={ann}").text
    assert hidden(form, "host") == str(ann)
    book(client, start, host=str(ann))
    assert only_call(database).host_id == ann


def test_a_chosen_hosts_times_leave_out_those_of_others(client, database):
    ann = add_host(database)
    start = open_starts(client)[0]
    book(client, start, host=str(ann))
    assert start in open_starts(client)
    assert start not in open_starts(client, host=str(ann))
    late = booking_form(client, start, email="bob@example.com") | {"host": str(ann)}
    refused = client.post("/book/", data=late)
    assert refused.status_code == 409
    assert hidden(refused.text, "host") == str(ann)
    assert count(database, Booking) == 1


def test_an_unknown_host_cannot_be_chosen(client, database):
    for host in ["999", "x", "-1", "1e9", "2147483648999"]:
        form = booking_form(client, open_starts(client)[0]) | {"host": host}
        assert client.post("/book/", data=form).status_code == 422, host
        assert client.get("/book/", query_string={"host": host}).status_code == 200
        assert count(database, Booking) == 0


def test_a_start_of_another_host_is_refused(client, database):
    ann = add_host(database)
    change_host(database, notice=0)
    early = (MONDAY_MORNING + timedelta(hours=1)).strftime("%Y%m%dT%H%MZ")
    form = booking_form(client, early) | {"host": str(ann)}
    assert client.post("/book/", data=form).status_code == 422
    assert count(database, Booking) == 0


# -- Clock changes ----------------------------------------------------------------------------

CHANGES = {
    "Europe/London": ((2026, 10, 25), (2027, 3, 28)),
    "Australia/Lord_Howe": ((2026, 10, 4), (2027, 4, 4)),
    "America/Santiago": ((2026, 9, 6), (2027, 4, 4)),
}


@pytest.mark.parametrize("zone", CHANGES)
def test_times_are_right_on_days_on_which_clocks_change(client, database, at, zone):
    change_host(database, notice=0, hours=setup.weekly_hours(["00:00-24:00"] * 7))
    for day in (date(*parts) for parts in CHANGES[zone]):
        at(datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3))
        page = client.get("/book/", query_string={"zone": zone, "day": day}).text
        shown = re.findall(r'<time datetime="([^"]+)">([^<]+)</time>', page)
        starts = [datetime.fromisoformat(instant) for instant, _ in shown]
        assert [text for _, text in shown] == [clock_time(start, zone) for start in starts]
        assert {start.astimezone(ZoneInfo(zone)).date() for start in starts} == {day}
        texts = [text for _, text in shown]
        assert len(texts) == len(set(texts)) in range(44, 53)  # a day of 23 to 25 hours


# -- Times that cannot be booked ---------------------------------------------------------------


def test_a_start_that_is_not_available_says_why(client, database):
    book(client, "20261124T0900Z")
    change_host(database, daily_limit=1, version=2)
    for start, why in (
        ("20261123T0700Z", "That time has passed."),
        ("20261123T0900Z", "we need more notice"),
        ("20291123T0900Z", "too far ahead"),
        ("20261124T0907Z", "take calls at that time"),
        ("20261128T0900Z", "take calls at that time"),
        ("20261124T1000Z", "No more calls are available on that day"),
    ):
        page = client.get(f"/book/{start}/")
        assert page.status_code == 404
        assert why in page.text and "available now" in page.text
    change_host(database, daily_limit=None, version=3)
    assert "already booked. If you booked it" in client.get("/book/20261124T0900Z/").text
    for path in ("x", "20261124", "20261324T0900Z", "review/20261124T0900Z"):
        page = client.get(f"/book/{path}/")
        assert page.status_code == 404 and "find that page" in page.text


def test_without_a_host_every_page_says_that_no_one_takes_calls(client, database):
    form = booking_form(client, "20261124T0900Z")
    change_host(database, is_active=False, version=2)
    shown = client.get("/book/").text
    assert "No times are available" in shown
    assert "Choose a time" not in shown and "time zone" not in shown
    assert "/contact/" in links(shown).values()
    for answer in (client.get("/book/20261124T0900Z/"), client.post("/book/", data=form)):
        assert "No one is taking these calls right now." in answer.text
    assert 'value="ada@example.com"' in answer.text
    assert f'value="{form["phone"]}"' in answer.text


def test_the_page_of_times_is_rendered_in_advance(app):
    times_page._laid_out.cache_clear()
    _warm_up(app)
    assert times_page._laid_out.cache_info().currsize == 1


def test_a_process_starts_without_a_database(app, caplog, monkeypatch):
    monkeypatch.setattr(times_page, "snapshot", lambda _session: 1 / 0)
    _warm_up(app)
    assert "could not render" in caplog.text
