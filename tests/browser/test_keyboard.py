"""The whole funnel by keyboard only, with a visible focus at every stop."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import mailbox
from tests.support.browser.keyboard import Keyboard
from tests.support.browser.visitor import ARTICLE, CLOCK_TIME, STEPS, WINDOWS, Visitor


@pytest.mark.long
@WINDOWS
def test_the_whole_journey_works_by_keyboard_only(visitor, product, javascript, width):
    someone = visitor(width, javascript)
    keys = Keyboard(someone.page)
    read_and_assess(someone, keys)
    choose_a_time(someone, keys)
    fill_in_and_book(someone, keys)
    (mail,) = product.mails(mailbox.sent_to(someone.email, "REQUEST"))
    someone.page.goto(mailbox.link(mail, "/booking/"))
    keys.skip_to_text()
    keys.tab_to("Cancel this call")
    keys.press("Enter")
    keys.tab_to("Cancel the call")
    keys.press("Space")
    someone.sees("Your call has been canceled")


def read_and_assess(someone: Visitor, keys: Keyboard) -> None:
    someone.page.goto(ARTICLE)
    keys.skip_to_text()
    answer_both(someone, keys)
    keys.tab_to("Continue with the other ten")
    keys.press("Enter")
    expect(someone.main).to_contain_text("Before you start")
    keys.skip_to_text()
    keys.tab_to_choice()
    keys.press("Space", "ArrowDown")
    keys.tab_to("Continue")
    keys.press("Enter")
    for number, step in enumerate(STEPS, start=1):
        if step == "clarify":  # the article's own
            continue
        expect(someone.main).to_contain_text(f"Step {number} of 6")
        keys.skip_to_text()
        answer_both(someone, keys)
        keys.tab_to("See the result" if number == len(STEPS) else "Continue")
        keys.press("Enter")
    expect(someone.main).to_contain_text("out of 100")


def answer_both(someone: Visitor, keys: Keyboard) -> None:
    """Take the first answer with Space and the third with the arrows."""
    first = keys.tab_to_choice()
    keys.press("Space")
    second = keys.tab_to_choice()
    keys.press("ArrowDown", "ArrowDown")
    for group, place in ((first, 0), (second, 2)):
        expect(someone.page.locator(f"input[name={group}]").nth(place)).to_be_checked()


def choose_a_time(someone: Visitor, keys: Keyboard) -> None:
    keys.skip_to_text()
    keys.tab_to("Book a call")
    keys.press("Enter")
    someone.sees_times()
    keys.skip_to_text()
    keys.tab_to(CLOCK_TIME)
    keys.press("Enter")


def fill_in_and_book(someone: Visitor, keys: Keyboard) -> None:
    expect(someone.main.get_by_label("Your name")).to_be_visible()
    keys.skip_to_text()
    for label, value in someone.fields().items():
        keys.tab_to(label)
        keys.type(value)
    keys.tab_to("You may also email me")
    keys.press("Space")
    expect(someone.main.get_by_label("You may also email me")).to_be_checked()
    keys.tab_to("Book this call")
    keys.press("Enter")
    someone.sees("Your call is booked")


def test_an_error_summary_gets_the_focus_and_links_to_its_field(visitor):
    someone = visitor()
    keys = Keyboard(someone.page)
    someone.page.goto("/assessment/")
    someone.press("Continue")
    expect(someone.page.get_by_role("alert")).to_be_focused()
    keys.tab()
    keys.press("Enter")
    keys.press("Space")
    chosen = someone.main.get_by_role("group").first.get_by_role("radio").first
    expect(chosen).to_be_checked()
