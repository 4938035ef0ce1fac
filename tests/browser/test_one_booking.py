"""Double clicks, reloads and races book once, and every visitor has a way on."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser.visitor import CLOCK_TIME

ONCE = {"bookings": 1, "leads": 1, "mails": 3}  # invitation, brief for the host, email to the team
BOTH = pytest.mark.parametrize(
    "javascript",
    [
        pytest.param(True, id="js", marks=pytest.mark.long),
        pytest.param(False, id="no-js"),
    ],
)


@BOTH
def test_a_double_click_books_once(visitor, product, javascript):
    someone = visitor(360, javascript)
    someone.open_form()
    someone.fill_in()
    sent = keep_waiting_for_the_first_post(someone.page)
    button = someone.main.get_by_role("button", name="Book this call")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    with someone.page.expect_request(lambda request: request.method == "POST"):
        someone.page.mouse.click(*middle)  # unlike a locator's, it does not wait
    someone.page.mouse.click(*middle)
    someone.sees("Your call is booked")
    assert len(sent) == 2
    assert product.stored(someone.email) == ONCE


def keep_waiting_for_the_first_post(page: Page) -> list[str]:
    """Delay the response to the first POST until a second click."""
    sent = []

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.url)
            if len(sent) == 1:
                route.fetch(max_redirects=0)
                return
        route.continue_()

    page.route("**/book/", answer)
    return sent


@pytest.mark.long
@BOTH
def test_reload_and_back_create_no_second_booking(visitor, product, javascript):
    someone = visitor(1280, javascript)
    where = someone.book()
    someone.page.reload()
    someone.sees("Your call is booked")
    assert someone.path == where
    someone.page.go_back()
    expect(someone.main.get_by_role("link", name=CLOCK_TIME).first).to_be_visible()
    assert product.stored(someone.email) == ONCE


@BOTH
def test_a_form_is_kept_when_its_start_is_taken_and_books_another(visitor, product, javascript):
    late, quick = visitor(360, javascript), f"quick.{javascript}@example.com"
    start = late.open_form()
    late.fill_in()
    product.book(start.split("/")[2], email=quick)
    late.press("Book this call")
    late.sees("That time is no longer available")
    for label, value in late.fields().items():
        expect(late.main.get_by_label(label)).to_have_value(value)
    late.main.get_by_role("radio", name=re.compile(r"\d:\d\d (am|pm)")).first.check()
    late.press("Book this call")
    late.sees("Your call is booked")
    expect(late.main).to_contain_text(late.email)
    assert product.stored(late.email)["bookings"] == 1
    assert product.stored(quick) == ONCE
