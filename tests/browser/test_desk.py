"""The sales team: in by a link, the lead with all that the call needs, and out again."""

import pytest
from playwright.sync_api import expect

from tests.support.app.visitor_forms import PHASE, VISITOR, answers
from tests.support.browser.product import HOST, Product
from tests.support.browser.visitor import (
    NEARLY_BEST,
    SLUG,
    TITLE,
    TOPIC,
    WINDOWS,
    WORST,
    Visitor,
)

PROSPECT = "Dana Example"


@pytest.fixture
def link(product) -> str:
    """A link that signs a member in."""
    return product.sign_in_link(HOST)


@pytest.mark.long
def test_the_link_that_the_start_prints_opens_the_desk(visitor, built_site, tmp_path):
    product = Product(built_site, tmp_path)  # a new one: its link lives for fifteen minutes
    sign_in(visitor(at=product), product.printed_link)
    assert product.stop() == 0


@pytest.mark.long
@WINDOWS
def test_the_sales_team_has_the_lead_with_all_that_the_call_needs(
    visitor, link, product, javascript, width
):
    member, prospect = visitor(width, javascript), f"dana.{width}@example.com"
    book_after_assessing(product, prospect)
    sign_in(member, link)
    member.page.get_by_label("Search leads, calls and emails").fill(prospect)
    member.page.keyboard.press("Enter")
    expect(member.main).to_contain_text("Clarify")
    member.follow(PROSPECT)
    member.sees(f"{PROSPECT}, {VISITOR['company']}")
    clarify = product.context.published.framework.step("clarify")
    answers = [question.answers[WORST].text for question in clarify.questions]
    for text in (prospect, TOPIC, f"Begin with {clarify.name}.", *answers):
        expect(member.main).to_contain_text(text)
    expect(member.main.get_by_role("link", name=TITLE)).to_be_visible()


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


def test_keys_go_from_row_to_row_and_to_the_search(visitor, link, product):
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
    keys.type("kay@example.com?")  # a key that is typed is no key
    keys.press("Enter")
    member.sees("Search: kay@example.com?")
    member.page.locator("h1").click()
    keys.press("?")
    member.sees("Keyboard shortcuts")


def book_after_assessing(product: Product, email: str) -> None:
    """Begin at an article, answer everything, and book from the result."""
    client, framework = product.client, product.context.published.framework
    begun = {"step": "clarify", "from": SLUG} | answers(framework, "clarify", WORST)
    where = client.post("/assessment/", data=begun).location
    where = client.post(where, data={"phase": PHASE}).location
    while not where.endswith("/result/"):
        slug = where.split("/")[3]
        level = WORST if slug == "clarify" else NEARLY_BEST
        where = client.post(where, data=answers(framework, slug, level)).location
    product.book(name=PROSPECT, email=email, topic=TOPIC, assessment=where.split("/")[2])


def sign_in(member: Visitor, link: str) -> None:
    """Open the link, which uses nothing up, and press its button."""
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
