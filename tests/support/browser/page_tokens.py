"""What stands in the addresses of pages that somebody has brought about."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from tests.conftest import MILLISECONDS
from tests.support.browser import mailbox
from tests.support.browser.product import HOST, HOST_ZONE, Product
from tests.support.browser.visitor import CLOCK_TIME, Visitor


class Tokens(dict):
    """Tokens and paths by name, made by walking through the product once.

    `result`, `begun`, `booking`, `cancelled`, `held`, `link` are tokens; `start`, `lead`,
    `suspect`, `call`, `mail`, `shared`, `not_me` are paths; `cookies` make a browser a member's.
    """

    def __init__(self, browser: Browser, product: Product) -> None:
        context = browser.new_context(
            base_url=product.address, timezone_id=HOST_ZONE, java_script_enabled=False
        )
        context.set_default_timeout(MILLISECONDS)
        visitor = Visitor(context.new_page(), HOST_ZONE, "grete@example.com", name="Grete O'Neil")
        self._assess_and_book(visitor)
        self._share_and_mail(visitor, product)
        self._book_and_cancel(visitor)
        self._book_as_a_program(Visitor(visitor.page, HOST_ZONE, "bot@example.com", name="A Bot"))
        self["link"] = _token(product.command("desk", "link", HOST))
        self._sign_in(visitor, product.command("desk", "link", HOST))
        self.cookies = context.storage_state()
        context.close()

    def _assess_and_book(self, visitor: Visitor) -> None:
        visitor.page.goto("/assessment/")
        for _ in ("phase", "assess"):
            for question in visitor.main.get_by_role("group").all():
                question.get_by_role("radio").nth(1).check()
            visitor.press("Continue")
        visitor.page.wait_for_url("**/clarify/")
        self["begun"] = visitor.path.split("/")[2]
        visitor.page.goto("/assessment/")
        visitor.assess()
        visitor.page.wait_for_url("**/result/")
        self["result"] = visitor.path.split("/")[2]
        visitor.follow("Book a call")
        visitor.follow(CLOCK_TIME)
        visitor.fill_in()
        visitor.press("Book this call")
        visitor.sees("Your call is booked")
        self["booking"] = _token(visitor.path)

    def _share_and_mail(self, visitor: Visitor, product: Product) -> None:
        """Share the result, and have it mailed to an address that nothing else is sent to."""
        visitor.page.goto(f"/assessment/{self['result']}/result/save/")
        visitor.press("Create a link")
        visitor.main.get_by_role("button", name="Stop sharing").wait_for()
        self["shared"] = urlsplit(visitor.page.locator(".share-link").inner_text().strip()).path
        visitor.page.get_by_label("Email address").fill("mailed@example.com")
        visitor.press("Email me the result")
        visitor.page.wait_for_url("**/mailed/")
        (mail,) = product.mails(lambda one: one["to"] == "mailed@example.com")
        self["not_me"] = urlsplit(mailbox.link(mail, "/assessment/not-me/")).path

    def _book_and_cancel(self, visitor: Visitor) -> None:
        self["cancelled"] = _token(visitor.book())
        visitor.main.get_by_text("Cancel this call", exact=True).click()
        visitor.press("Cancel the call")
        visitor.sees("Your call has been canceled")

    def _book_as_a_program(self, visitor: Visitor) -> None:
        """Fill in the field, too, that people do not see."""
        visitor.open_form()
        visitor.fill_in()
        visitor.page.locator("[name=website]").evaluate("field => { field.value = 'x'; }")
        visitor.press("Book this call")
        visitor.page.wait_for_url("**/booking/**")
        self["held"] = _token(visitor.path)
        self["start"] = visitor.open_form()

    def _sign_in(self, visitor: Visitor, link: str) -> None:
        visitor.page.goto(link)
        visitor.press("Sign in")
        visitor.sees("Leads")
        self["lead"] = _href(visitor.page, visitor.name)
        self["suspect"] = _href(visitor.page, "A Bot")
        self._add_a_host(visitor)
        visitor.page.goto("/desk/calls/")
        self["call"] = (
            visitor.main.get_by_role("rowheader").get_by_role("link").first.get_attribute("href")
        )
        visitor.page.goto("/desk/outbox/")
        self["mail"] = (
            visitor.main.get_by_role("rowheader").get_by_role("link").first.get_attribute("href")
        )

    def _add_a_host(self, visitor: Visitor) -> None:
        """Add one without hours, who could only be given a call."""
        visitor.page.goto("/desk/availability/new/")
        for name, typed in (
            ("Name", "Ben"),
            ("Work email", "ben@example.com"),
            ("Time zone", "UTC"),
        ):
            visitor.main.get_by_label(name, exact=True).fill(typed)
        visitor.press("Add")
        visitor.sees("Weekly hours")


def _token(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def _href(page: Page, name: str) -> str:
    return page.get_by_role("link", name=name).first.get_attribute("href") or ""
