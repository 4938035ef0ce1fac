"""Time zones: the browser's own by script, or the one that a visitor chooses."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from lead_service.formats import clock_time, zone_name
from tests.support.browser.visitor import CLOCK_TIME, Visitor

CHOSEN = "Australia/Sydney"
ZONES = ("Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland")


@pytest.mark.long
@pytest.mark.parametrize("zone", ZONES[1:])
def test_with_javascript_times_are_in_the_browsers_zone(visitor, zone):
    someone = visitor(360, timezone_id=zone)
    someone.page.goto("/book/")
    form = someone.main.get_by_role("link", name=CLOCK_TIME).first.get_attribute("href")
    assert_times_are_in(someone, zone)
    someone.page.goto(form.partition("?")[0])  # as a link without a zone opens it
    expect(someone.main).to_contain_text(zone_name(zone))


@pytest.mark.long
def test_a_chosen_zone_overrides_the_browsers_and_is_kept(visitor):
    someone = visitor(1280, timezone_id=ZONES[0])
    someone.page.goto("/book/")
    assert_times_are_in(someone, ZONES[0])
    choose_by_hand(someone)
    assert_times_are_in(someone, CHOSEN)
    someone.page.reload()
    assert_times_are_in(someone, CHOSEN)
    time = someone.main.get_by_role("link", name=CLOCK_TIME).first.inner_text()
    someone.follow(CLOCK_TIME)
    someone.sees(time)
    expect(someone.main).to_contain_text(zone_name(CHOSEN))
    someone.fill_in()
    someone.press("Book this call")
    someone.sees("Your call is booked")
    expect(someone.main).to_contain_text(time)
    expect(someone.main).to_contain_text(zone_name(CHOSEN))


def test_the_detection_of_a_zone_adds_no_history_entry(visitor):
    someone = visitor(timezone_id=ZONES[0])
    someone.page.goto("/services/")
    someone.page.goto("/book/")
    assert_times_are_in(someone, ZONES[0])
    someone.page.go_back()
    expect(someone.page).to_have_url("/services/")


def test_an_old_zone_name_of_a_browser_is_shown_by_its_present_name(visitor):
    someone = visitor(timezone_id="Asia/Calcutta")
    someone.page.goto("/book/")
    assert_times_are_in(someone, "Asia/Kolkata")


def choose_by_hand(someone: Visitor) -> None:
    """Search for the zone by a city, and choose the first result."""
    someone.main.get_by_text("Change the time zone").click()
    someone.main.get_by_label("City, country or zone").fill("canberra")
    someone.press("Search")
    someone.follow(re.compile("^Sydney"))


def assert_times_are_in(someone: Visitor, zone: str) -> None:
    """Check the page's zone, and each time on it by its instant."""
    someone.sees_times_in(zone)
    shown = someone.main.locator("a time").evaluate_all(
        "times => times.map(one => [one.dateTime, one.textContent])"
    )
    assert shown
    starts = [(datetime.fromisoformat(instant), text) for instant, text in shown]
    assert [text for _, text in starts] == [clock_time(start, zone) for start, _ in starts]
    days = {f"{start.astimezone(ZoneInfo(zone)):%A, %B %-d}" for start, _ in starts}
    assert {someone.main.locator("#times").inner_text()} == days
