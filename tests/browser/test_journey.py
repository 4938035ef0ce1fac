"""The whole funnel in a browser: read, assess, book, reschedule and cancel."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lead_service.action_framework.loading import load
from tests.support.browser import mailbox
from tests.support.browser.product import HOST, TEAM, Product
from tests.support.browser.visitor import ARTICLE, CLOCK_TIME, TITLE, TOPIC, WORST, Visitor

KINDS = [
    # With JavaScript, the tests of keyboard and deployment cover this journey.
    pytest.param("product", False, 1280, id="sqlite-no-js-1280"),
    pytest.param("product", True, 360, id="sqlite-js-360", marks=pytest.mark.long),
    pytest.param("product", True, 1280, id="sqlite-js-1280", marks=pytest.mark.long),
    pytest.param("product", False, 360, id="sqlite-no-js-360", marks=pytest.mark.long),
    pytest.param(
        "product_on_postgresql", True, 1280, id="postgresql-js-1280", marks=pytest.mark.long
    ),
]


@pytest.fixture(scope="module")
def product_on_postgresql(postgresql_server, built_site, tmp_path_factory):
    postgresql_server.empty()
    product = Product(built_site, tmp_path_factory.mktemp("product"), postgresql_server.url)
    yield product
    assert product.stop() == 0


@pytest.fixture
def walker(request, visitor, name, javascript, width):
    """A visitor with or without JavaScript, and the product."""
    product = request.getfixturevalue(name)
    return visitor(width, javascript, at=product), product


@pytest.mark.parametrize(("name", "javascript", "width"), KINDS)
def test_a_prospect_reads_assesses_books_reschedules_and_cancels(walker, built_site):
    visitor, product = walker
    read_assess_and_book(visitor)
    brief = the_hosts_brief(product, visitor.email)
    assert all(text in brief for text in what_the_host_must_know(built_site))
    (word,) = product.mails(mailbox.about(visitor.email, None))
    assert TEAM in word["To"]
    uid, sequence, link = the_visitors_invitation(product, visitor.email)
    move(visitor, link)
    assert_everybody_has(product, visitor.email, "REQUEST", uid, sequence + 1, count=2)
    cancel(visitor, link)
    assert_everybody_has(product, visitor.email, "CANCEL", uid, sequence + 2)
    assert_the_log_names_nobody(product, visitor, link)


def assert_everybody_has(
    product: Product, email: str, method: str, uid: str, sequence: int, count: int = 1
) -> None:
    """Wait until visitor and host have `count` invitations of a method; check the last ones."""
    for mails in (mailbox.sent_to(email, method), mailbox.about(email, method)):
        *_, mail = product.mails(mails, count)
        _, event = mailbox.invitation(mail)
        assert (event["UID"], event["SEQUENCE"]) == (uid, sequence)


def read_assess_and_book(visitor: Visitor) -> None:
    visitor.page.goto(ARTICLE)
    visitor.sees(TITLE)
    visitor.begin_at_article()
    visitor.assess()
    visitor.sees("Begin with Clarify.")
    expect(visitor.main).to_contain_text("out of 100")
    visitor.follow("Book a call")
    visitor.sees_times()
    visitor.follow(CLOCK_TIME)
    visitor.fill_in()
    visitor.press("Book this call")
    visitor.sees("Your call is booked")
    expect(visitor.main).to_contain_text(visitor.email)


def what_the_host_must_know(site: Path) -> list[str]:
    """Check the brief: their text, source, first step and answers."""
    framework = load((site / "framework.yml").read_text("utf-8"))
    clarify = framework.step("clarify")
    answers = [question.answers[WORST].text for question in clarify.questions]
    return [TOPIC, TITLE, f"Begin with {clarify.name}.", *answers]


def the_hosts_brief(product: Product, email: str) -> str:
    (mail,) = product.mails(mailbox.about(email, "REQUEST"))
    assert HOST in mail["To"]
    return mailbox.text(mail)


def the_visitors_invitation(product: Product, email: str) -> tuple[str, int, str]:
    """Return the UID and SEQUENCE of the invitation, and the link that manages the booking."""
    (mail,) = product.mails(mailbox.sent_to(email, "REQUEST"))
    _, event = mailbox.invitation(mail)
    assert TOPIC not in mailbox.text(mail)
    return event["UID"], event["SEQUENCE"], mailbox.link(mail, "/booking/")


def move(visitor: Visitor, link: str) -> None:
    """Reschedule to the day's last time, by the link in the email."""
    visitor.page.goto(link)
    visitor.follow("Reschedule this call")
    times = visitor.main.get_by_role("link", name=CLOCK_TIME)
    time = times.last.inner_text()
    times.last.click()
    visitor.sees(time)
    visitor.press("Reschedule the call")
    visitor.sees("Your call has been rescheduled")
    expect(visitor.main).to_contain_text(time)


def cancel(visitor: Visitor, link: str) -> None:
    """Cancel by the link in the email; opening it changes nothing."""
    visitor.page.goto(link)
    visitor.sees("Your call is booked")
    visitor.main.get_by_text("Cancel this call", exact=True).click()
    visitor.press("Cancel the call")
    visitor.sees("Your call has been canceled")


def assert_the_log_names_nobody(product: Product, visitor: Visitor, link: str) -> None:
    token = link.rstrip("/").rpartition("/")[2]
    for personal in (visitor.name, visitor.email, visitor.phone, visitor.company, TOPIC, token):
        assert personal not in product.log.read_text()
    assert not re.search(r'"level": "(ERROR|CRITICAL)"', product.log.read_text())
