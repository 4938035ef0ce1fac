"""The desk in a browser: signing in and out, passkeys, and the keyboard."""

import pytest
from playwright.sync_api import expect

from tests.support.browser.product import HOST
from tests.support.browser.visitor import (
    WINDOWS,
    Visitor,
)


@pytest.fixture
def link(product) -> str:
    """A member's sign-in link."""
    return product.sign_in_link(HOST)


@pytest.mark.long
@WINDOWS
def test_signing_out_closes_the_desk(visitor, link, product, javascript, width):
    member, prospect = visitor(width, javascript), f"eve.{width}@example.com"
    product.book(name="Eve Example", email=prospect)
    sign_in(member, link)
    member.follow("Eve Example")
    lead = member.path
    sign_out(member)
    member.sees("Sign in")
    for closed in (lead, "/desk/", "/desk/outbox/"):
        member.page.goto(closed)
        assert_closed(member, prospect)
    member.page.goto("/")
    for _ in range(3):
        member.page.go_back()
        assert_closed(member, prospect)


def test_a_passkey_signs_a_member_in_without_an_email(visitor, link):
    member = visitor()
    devices = member.page.context.new_cdp_session(member.page)
    devices.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    device |= {"hasUserVerification": True, "isUserVerified": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    sign_in(member, link)
    member.page.goto("/desk/team/")
    member.page.get_by_label("Name of the passkey").fill("Blue key")
    member.press("Add a passkey")
    expect(member.page.get_by_role("status").first).to_contain_text("Added.")
    member.press("Add a passkey")  # the browser asks for a name first
    member.page.get_by_label("Name of the passkey").fill("Twice")
    member.press("Add a passkey")
    expect(member.main).to_contain_text("already has a passkey")
    sign_out(member)
    member.press("Use a passkey")
    member.sees("Leads")
    member.page.goto("/desk/team/")
    member.page.get_by_text("Remove Blue key", exact=True).click()
    member.press("Yes, remove Blue key")
    expect(member.main).to_contain_text("Removed.")
    sign_out(member)
    member.press("Use a passkey")
    expect(member.main).to_contain_text("That passkey didn\u2019t sign you in.")


def test_keyboard_shortcuts_select_rows_and_focus_the_search(visitor, link, product):
    member = visitor()
    product.book(name="Kay Example", email="kay@example.com")
    sign_in(member, link)
    keys = member.page.keyboard
    member.page.wait_for_load_state("load")
    keys.press("j")
    expect(member.main.locator(":focus")).to_have_count(1)
    keys.press("/")
    expect(member.page.get_by_label("Search leads, calls and emails")).to_be_focused()
    keys.press("Escape")
    expect(member.page.get_by_label("Search leads, calls and emails")).not_to_be_focused()
    keys.press("/")
    keys.type("kay@example.com?")  # a typed letter is no shortcut
    keys.press("Enter")
    member.sees("Search: kay@example.com?")
    member.page.locator("h1").click()
    keys.press("?")
    member.sees("Keyboard shortcuts")


def sign_in(member: Visitor, link: str) -> None:
    """Open the link, which doesn't use it, and click its button."""
    member.page.goto(link)
    member.press("Sign in")
    member.sees("Leads")


def sign_out(member: Visitor) -> None:
    menu = member.page.get_by_role("button", name="Menu", exact=True)
    own = member.page.locator(".desk-me-open")
    (menu if menu.is_visible() else own).click()
    member.page.get_by_role("button", name="Sign out", exact=True).click()


def assert_closed(member: Visitor, prospect: str) -> None:
    member.sees("Sign in")
    expect(member.main).not_to_contain_text(prospect)
