"""The sales team: in by a link, the lead with all that the call needs, and out again."""

import pytest
from playwright.sync_api import expect

from lead_service.action_framework.loading import load
from tests.support.browser.product import HOST, TEAM, Product
from tests.support.browser.visitor import ARTICLE, CLOCK_TIME, TOPIC, WINDOWS, WORST, Visitor


@pytest.fixture
def link(product) -> str:
    """A link that signs a member in."""
    return product.command("desk", "link", HOST)


def test_the_link_that_the_start_prints_opens_the_desk(visitor, built_site, tmp_path):
    product = Product(built_site, tmp_path)  # a new one: its link lives for fifteen minutes
    sign_in(visitor(at=product), product.printed_link)
    assert product.stop() == 0


@WINDOWS
def test_the_sales_team_has_the_lead_with_all_that_the_call_needs(
    visitor, link, built_site, javascript, width
):
    prospect, member = visitor(width, javascript), visitor(width, javascript)
    book_after_assessing(prospect)
    sign_in(member, link)
    member.page.get_by_label("Name, company or address").fill(prospect.email)
    member.press("Show")
    expect(member.main.get_by_role("row")).to_have_count(2)  # the heading row is one
    expect(member.main).to_contain_text("Clarify")
    member.follow(prospect.name)
    member.sees(f"{prospect.name}, {prospect.company}")
    clarify = load((built_site / "framework.yml").read_text("utf-8")).step("clarify")
    answers = [question.answers[WORST].text for question in clarify.questions]
    for text in (prospect.email, TOPIC, f"Begin with {clarify.name}.", *answers):
        expect(member.main).to_contain_text(text)
    expect(member.main.get_by_role("link", name="Why Most AI Pilots Never Scale")).to_be_visible()


@WINDOWS
def test_signing_out_closes_the_desk(visitor, link, javascript, width):
    prospect, member = visitor(width, javascript), visitor(width, javascript)
    prospect.book()
    sign_in(member, link)
    member.follow(prospect.name)
    lead = member.path
    member.press("Sign out")
    member.sees("Sign in")
    for closed in (lead, "/desk/", "/desk/outbox/"):
        member.page.goto(closed)
        assert_closed(member, prospect)
    member.page.goto("/")
    for _ in range(3):
        member.page.go_back()
        assert_closed(member, prospect)


def test_a_link_lets_in_once(visitor, product):
    link = product.command("desk", "link", "--new", TEAM)
    sign_in(visitor(), link)
    stranger = visitor()
    stranger.page.goto(link)
    stranger.sees("This link no longer works")
    stranger.page.goto("/desk/")
    assert_closed(stranger)


def book_after_assessing(prospect: Visitor) -> None:
    prospect.page.goto(ARTICLE)
    prospect.begin_at_article()
    prospect.assess(done="clarify")
    prospect.follow("Book a call")
    prospect.sees_times()
    prospect.follow(CLOCK_TIME)
    prospect.fill_in()
    prospect.press("Book this call")
    prospect.sees("Your call is booked")


def sign_in(member: Visitor, link: str) -> None:
    """Open the link, which uses nothing up, and press its button."""
    member.page.goto(link)
    member.press("Sign in")
    member.sees("Leads")


def assert_closed(member: Visitor, prospect: Visitor | None = None) -> None:
    member.sees("Sign in")
    if prospect:
        expect(member.main).not_to_contain_text(prospect.email)
