"""Act as a visitor in a browser, by the roles and labels that people use."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from lead_service.formats import zone_name
from tests.support.matching import match

ARTICLE = "/insights/why-most-ai-pilots-never-scale/"
TITLE = "Why Most AI Pilots Never Scale"
OWN_ZONE = "America/New_York"
STEPS = ("assess", "clarify", "transform", "implement", "organize", "nurture")
CLOCK_TIME = re.compile(r"^\d{1,2}:\d\d (am|pm)$")
WORST, NEARLY_BEST = 0, 2
# Windows: one with JavaScript, and with --all a narrow one without.
WINDOWS = pytest.mark.parametrize(
    ("javascript", "width"),
    [
        pytest.param(True, 1280, id="js-1280"),
        pytest.param(False, 360, id="no-js-360", marks=pytest.mark.long),
    ],
)
TOPIC = "The pilot worked & nobody funds the <rollout>."


@dataclass
class Visitor:
    """One person with one browser window; `zone` is the default zone of times."""

    page: Page
    zone: str
    email: str
    name: str = "Ada Example"
    phone: str = "+1 555 0100"
    company: str = "Example Works"

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def sees(self, heading: str) -> None:
        """Check the one main heading of the page, or a part of it."""
        expect(self.main.get_by_role("heading", level=1)).to_contain_text(heading)

    def press(self, name: str) -> None:
        self.main.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str | re.Pattern) -> None:
        self.main.get_by_role("link", name=name).first.click()

    def begin_at_article(self) -> None:
        """Answer the two questions at an article's end with the worst answers."""
        for question in self.main.get_by_role("group").all():
            question.get_by_role("radio").nth(WORST).check()
        self.press("Continue with the other ten")

    def assess(self, worst: str = "clarify") -> None:
        """Choose the phase and answer all steps, so that one is lowest.

        The phase words the questions of Clarify differently than the article.
        """
        expect(self.main).to_contain_text("Before you start")
        self.main.get_by_label("There is a pilot, but it is stuck.").check()
        self.press("Continue")
        for number, step in enumerate(STEPS, start=1):
            expect(self.main).to_contain_text(f"Step {number} of 6")
            for question in self.main.get_by_role("group").all():
                level = WORST if step == worst else NEARLY_BEST
                question.get_by_role("radio").nth(level).check()
            self.press("See the result" if number == len(STEPS) else "Continue")

    def sees_times(self) -> None:
        """Wait for the times in the visitor's zone: a script may have to ask for it first."""
        self.sees_times_in(self.zone)

    def sees_times_in(self, zone: str) -> None:
        """Wait for the times in a zone."""
        expect(self.main).to_contain_text(f"Times are in {zone_name(zone)}")

    def open_form(self, start: str | None = None) -> str:
        """Open the form of a start, the day's last one when none is given; return its path.

        A slow machine may take so long that the first one is too soon to book.
        """
        self.page.goto(start or "/book/")
        if start is None:
            self.sees_times()
            self.main.get_by_role("link", name=CLOCK_TIME).last.click()
        expect(self.main.get_by_label("Your name")).to_be_visible()
        return match(r"/book/\d{8}T\d{4}Z/", self.page.url)[0]

    def fields(self) -> dict[str, str]:
        """Return what the visitor types, by the field's label."""
        return {
            "Your name": self.name,
            "Work email": self.email,
            "Phone number": self.phone,
            "Company": self.company,
            "What would you like to talk about?": TOPIC,
        }

    def fill_in(self) -> None:
        for label, value in self.fields().items():
            self.main.get_by_label(label).fill(value)

    def book(self, start: str | None = None) -> str:
        """Book a start; return the path of the booking's page."""
        self.open_form(start)
        self.fill_in()
        self.press("Book this call")
        self.sees("Your call is booked")
        return self.path

    @property
    def path(self) -> str:
        """The path of the open page."""
        return re.sub(r"^https?://[^/]+|[?#].*", "", self.page.url)
