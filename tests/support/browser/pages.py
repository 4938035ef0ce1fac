"""List every page of the product, with the steps that show it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.browser.product import HOST_ZONE
from tests.support.browser.visitor import CLOCK_TIME, STEPS, Visitor
from tests.support.matching import match

DOCS = Path(__file__).resolve().parents[3] / "docs"
HOST = "/desk/availability/1/"
WITHOUT_CHECKS = "document.querySelectorAll('form').forEach((form) => { form.noValidate = true; })"


@dataclass(frozen=True)
class Place:
    """A page: its path, with names of `Tokens` in braces, and actions after opening it."""

    path: str
    act: Callable[[Visitor], None] = lambda visitor: None
    status: int = 200
    is_desk: bool = False
    is_published: bool = False  # by the site, so that it is anyone's


def send_nothing(button: str) -> Callable[[Visitor], None]:
    """Send an empty form without the browser's own validation."""

    def act(visitor: Visitor) -> None:
        visitor.page.evaluate(WITHOUT_CHECKS)
        visitor.press(button)

    return act


def correct_nothing(visitor: Visitor) -> None:
    """Send the form for a corrected address without one."""
    visitor.main.get_by_text("Is the address wrong?").click()
    send_nothing("Send the invitation to this address")(visitor)


def act_without_a_day(visitor: Visitor) -> None:
    """Enter a next action without a date."""
    visitor.page.get_by_label("Next action").fill("Send the summary")
    send_nothing("Save")(visitor)


def look_somebody_up(visitor: Visitor) -> None:
    """Show the data about an address."""
    visitor.page.get_by_label("Their email address").fill("grete@example.com")
    visitor.press("Find their data")
    visitor.sees("Data we hold")


def lose_the_race(visitor: Visitor) -> None:
    """Fill in the form of a start that another visitor then takes."""
    visitor.main.get_by_role("link", name=CLOCK_TIME).last.click()
    visitor.fill_in()
    rival = Visitor(visitor.page.context.new_page(), HOST_ZONE, "rival@example.com")
    rival.book(visitor.path)
    rival.page.close()
    visitor.press("Book this call")
    visitor.sees("That time is no longer available")


def choose_another_time(visitor: Visitor) -> None:
    """Go from the month to the page that has the button."""
    visitor.main.get_by_role("link", name=CLOCK_TIME).last.click()
    visitor.main.get_by_role("button", name="Reschedule the call").wait_for()


def move_too_late(visitor: Visitor) -> None:
    """Choose another time, which another visitor then books."""
    choose_another_time(visitor)
    start = match(r"\d{8}T\d{4}Z", visitor.path)[0]
    rival = Visitor(visitor.page.context.new_page(), HOST_ZONE, "second.rival@example.com")
    rival.book(f"/book/{start}/")
    rival.page.close()
    visitor.press("Reschedule the call")
    visitor.sees("That time is no longer available")


def search(visitor: Visitor) -> None:
    visitor.page.keyboard.press("/")
    visitor.page.get_by_label("Search the site").fill("pilot")
    visitor.page.get_by_role("dialog").get_by_role("link").first.wait_for()


def published() -> dict[str, Place]:
    """Every page in docs/ except drafts, and the imprint, which needs settings."""
    found = {}
    unpublished = {DOCS / "imprint.md", *(DOCS / "includes").iterdir()}
    for source in sorted(set(DOCS.rglob("*.md")) - unpublished):
        if not re.search(r"^draft: *true", source.read_text("utf-8"), re.MULTILINE):
            path = source.relative_to(DOCS).with_suffix("").as_posix() + "/"
            path = "/" + re.sub(r"(^|/)index/$", r"\1", path)
            found[f"site {path}"] = Place(path, is_published=True)
    return found


PLACES = published() | {
    "site, no such page": Place("/no/such/page/", status=404),
    "site, search": Place("/about/", search, is_published=True),
    "the phase": Place("/assessment/"),
    "the phase, unanswered": Place("/assessment/", send_nothing("Continue"), 422),
    **{f"questions of {step}": Place(f"/assessment/{{result}}/{step}/") for step in STEPS},
    "questions half way": Place("/assessment/{begun}/"),
    "the phase of a result": Place("/assessment/{result}/phase/"),
    "the phase, again": Place("/assessment/{result}/again/"),
    "result": Place("/assessment/{result}/result/"),
    "result, save": Place("/assessment/{result}/result/save/"),
    "result, no address": Place(
        "/assessment/{result}/result/save/", send_nothing("Email me the result"), 422
    ),
    "result, mailed": Place("/assessment/{result}/result/mailed/"),
    "result of nobody": Place("/assessment/no-such-token/result/", status=404),
    "result, shared": Place("{shared}"),
    "shared result of nobody": Place("/assessment/shared/no-such-token/", status=404),
    "result, an example": Place("/assessment/example/"),
    "result, deleted": Place("/assessment/deleted/"),
    "result, not me": Place("{not_me}"),
    "choices of a mailbox": Place("{choices}"),
    "choices, erased": Place("/email/erased/"),
    "times": Place("/book/"),
    "times, another zone": Place("/book/?zone=Asia/Kathmandu&from=nothing"),
    "times, looking for a zone": Place("/book/?find=new"),
    "times, no such zone": Place("/book/?find=Atlantis"),
    "times, a day that is not open": Place("/book/?day=2020-01-01"),
    "booking form": Place("{start}"),
    "booking form from a result": Place("{start}?assessment={result}"),
    "booking form, empty": Place("{start}", send_nothing("Book this call"), 422),
    "booking form, taken": Place("/book/", lose_the_race, 409),
    "booking form of a past start": Place("/book/20200101T0900Z/", status=404),
    "booking": Place("/booking/{booking}/"),
    "booking, no address": Place("/booking/{booking}/", correct_nothing, 422),
    "booking, moved": Place("/booking/{booking}/?changed=moved"),
    "move": Place("/booking/{booking}/move/"),
    "move, another zone": Place("/booking/{booking}/move/?zone=Asia/Kathmandu&find=new"),
    "move, a time chosen": Place("/booking/{booking}/move/", choose_another_time),
    "move, taken": Place("/booking/{booking}/move/", move_too_late, 409),
    "move, a past start": Place("/booking/{booking}/move/20200101T0900Z/", status=404),
    "move, cancelled": Place("/booking/{cancelled}/move/", status=409),
    "booking, suspected": Place("/booking/{held}/"),
    "booking, cancelled": Place("/booking/{cancelled}/"),
    "booking of nobody": Place("/booking/no-such-token/", status=404),
    "contact": Place("/contact/"),
    "contact, empty": Place("/contact/", send_nothing("Send"), 422),
    "contact, sent": Place("/contact/thanks/"),
    "desk, sign in": Place("/desk/sign-in/"),
    "desk, no address": Place("/desk/sign-in/", send_nothing("Email me a link"), 422),
    "desk, link asked for": Place("/desk/sign-in/sent/"),
    "desk, link": Place("/desk/sign-in/{link}/"),
    "desk, link of nobody": Place("/desk/sign-in/no-such-token/", status=404),
    "desk, leads": Place("/desk/", is_desk=True),
    "desk, nobody found": Place("/desk/?q=nobody-at-all", is_desk=True),
    "desk, upcoming calls": Place("/desk/?view=calls", is_desk=True),
    "desk, a view of many choices": Place(
        "/desk/?view=unowned&stage=new&owner=none&sort=name&q=example", is_desk=True
    ),
    "desk, search": Place("/desk/search/?q=grete", is_desk=True),
    "desk, keys": Place("/desk/keys/", is_desk=True),
    "desk, new lead": Place("/desk/leads/new/", send_nothing("Add the lead"), 422, is_desk=True),
    "desk, mark as spam": Place("/desk/leads/spam/?lead=1", is_desk=True),
    "desk, book a call": Place("{lead}book/", is_desk=True),
    "desk, correct an email": Place("{lead}email/", is_desk=True),
    "desk, invite again": Place("{missed}again/", is_desk=True),
    "desk, lead": Place("{lead}", is_desk=True),
    "desk, lead, an action without a day": Place("{lead}", act_without_a_day, 422, is_desk=True),
    "desk, suspected lead": Place("{suspect}", is_desk=True),
    "desk, calls": Place("/desk/calls/", is_desk=True),
    "desk, calls to be marked": Place("/desk/calls/?view=unmarked", is_desk=True),
    "desk, floods": Place("/desk/calls/floods/", is_desk=True),
    "desk, call": Place("{call}", is_desk=True),
    "desk, cancel a call": Place("{call}cancel/", is_desk=True),
    "desk, move a call": Place("{call}move/", is_desk=True),
    "desk, move a call nowhere": Place(
        "{call}move/", send_nothing("Reschedule the call"), 422, is_desk=True
    ),
    "desk, give a call away": Place("{call}give/", is_desk=True),
    "desk, availability": Place("/desk/availability/", is_desk=True),
    "desk, host": Place(HOST, is_desk=True),
    "desk, why not": Place(f"{HOST}why/?at=2027-01-01T03:00", is_desk=True),
    "desk, why not, no time": Place(f"{HOST}why/?at=soon", status=422, is_desk=True),
    "desk, start taking calls": Place(f"{HOST}start/", is_desk=True),
    "desk, person": Place(f"{HOST}person/", is_desk=True),
    "desk, hours": Place(f"{HOST}hours/", is_desk=True),
    "desk, rules": Place(f"{HOST}rules/", is_desk=True),
    "desk, dates": Place(f"{HOST}dates/", is_desk=True),
    "desk, no date": Place(f"{HOST}dates/", send_nothing("Add"), 422, is_desk=True),
    "desk, time off": Place(f"{HOST}time-off/", is_desk=True),
    "desk, holidays": Place(f"{HOST}holidays/?country=US&region=CA", is_desk=True),
    "desk, calendars": Place(f"{HOST}calendars/", is_desk=True),
    "desk, no calendar": Place(f"{HOST}calendars/", send_nothing("Add"), 422, is_desk=True),
    "desk, new host": Place("/desk/availability/new/", is_desk=True),
    "desk, outbox": Place("/desk/outbox/", is_desk=True),
    "desk, mails of one state": Place("/desk/outbox/?state=pending", is_desk=True),
    "desk, nothing to look at": Place("/desk/outbox/?state=attention", is_desk=True),
    "desk, funnel": Place("/desk/funnel/", is_desk=True),
    "desk, funnel of no days": Place("/desk/funnel/?from=soon", status=422, is_desk=True),
    "desk, mail": Place("{mail}", is_desk=True),
    "desk, team": Place("/desk/team/", is_desk=True),
    "desk, nobody invited": Place("/desk/team/", send_nothing("Invite"), 422, is_desk=True),
    "desk, privacy": Place("/desk/privacy/", is_desk=True),
    "desk, privacy, no address": Place(
        "/desk/privacy/", send_nothing("Find their data"), 422, is_desk=True
    ),
    "desk, privacy, what is held": Place("/desk/privacy/", look_somebody_up, is_desk=True),
    "desk, audit trail": Place("/desk/trail/", is_desk=True),
    "desk, no such lead": Place("/desk/leads/999999/", status=404, is_desk=True),
}
