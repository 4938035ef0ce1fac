"""Calls and hours at the desk by keyboard alone, with and without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import mailbox
from tests.support.browser.keyboard import Keyboard
from tests.support.browser.product import HOST
from tests.support.browser.visitor import WINDOWS, Visitor

NOTE = "A train was cancelled, and I am sorry."


@pytest.fixture
def member(visitor, product, javascript, width) -> Visitor:
    """The first of the team, who is an admin, signed in."""
    someone = visitor(width, javascript)
    someone.page.goto(product.sign_in_link(HOST))
    someone.press("Sign in")
    someone.sees("Leads")
    return someone


@pytest.mark.long
@WINDOWS
def test_a_call_is_moved_by_keyboard_and_its_visitor_reads_why(member, product, javascript, width):
    prospect = f"fay.{width}@example.com"
    product.book(name="Fay Example", email=prospect)
    # A move before the confirmation has left would replace it, and only one email would come.
    product.mails(mailbox.sent_to(prospect, "REQUEST"))
    member.page.goto("/desk/")
    member.follow("Fay Example")
    keys = Keyboard(member.page)
    member.page.get_by_role("rowheader").get_by_role("link").first.focus()
    keys.press("Enter")
    member.sees("Call with")
    keys.skip_to_text()
    keys.tab_to("Reschedule")
    keys.press("Enter")
    member.sees("Reschedule this call")
    keys.skip_to_text()
    keys.tab_to_choice()
    keys.press("ArrowDown", "Space")
    keys.tab_to("Note to the visitor")
    keys.type(NOTE)
    keys.tab_to("Reschedule the call")
    keys.press("Enter")
    expect(member.main.get_by_role("status")).to_contain_text("Rescheduled.")
    first, second = product.mails(mailbox.sent_to(prospect, "REQUEST"), 2)
    assert NOTE in mailbox.text(second)
    (_, booked), (_, moved) = mailbox.invitation(first), mailbox.invitation(second)
    assert moved["UID"] == booked["UID"]
    assert moved["SEQUENCE"] == booked["SEQUENCE"] + 1
    assert moved["DTSTART"].dt != booked["DTSTART"].dt


@pytest.mark.long
@WINDOWS
def test_hours_are_changed_by_keyboard_with_mistakes_reported_in_place(member, javascript, width):
    member.page.goto("/desk/availability/1/hours/")
    keys = Keyboard(member.page)
    sunday, until = (member.main.get_by_label(f"Sunday, hours 1: {end}") for end in ("From", "to"))
    sunday.focus()
    keys.type("10:00")
    keys.press("Tab")
    keys.type("10:00")
    keys.press("Enter")
    expect(member.main.get_by_role("alert")).to_be_focused()
    expect(sunday).to_have_value("10:00")
    expect(sunday).to_have_accessible_description(re.compile("end after it starts"))
    until.fill("10:30")
    keys.press("Enter")
    expect(member.main.get_by_role("status")).to_contain_text("Saved.")
    expect(member.main).to_contain_text("10:00 am to 10:30 am")
    member.page.goto("/desk/availability/1/hours/")
    sunday.fill("")
    until.fill("")
    member.press("Save")
    expect(member.main.get_by_role("status")).to_contain_text("Saved.")
