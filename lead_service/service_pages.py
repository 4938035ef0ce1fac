"""The service's public pages, which the site links to and its search finds."""

from typing import NamedTuple

from .call_types import CallTypes

BOOK = "/book/"


class ServicePage(NamedTuple):
    """A page's entry in search, with other words by which visitors look for it."""

    url: str
    title: str
    description: str  # may contain the placeholders of the framework's counts
    keywords: tuple[str, ...] = ()


PAGES = (
    ServicePage(
        "/assessment/",
        "Self-assessment",
        "Answer {questions} questions in about {minutes}, without an account. See where to begin,"
        " and what would have to be true to scale.",
        ("AI readiness", "maturity", "test", "quiz", "questionnaire", "scorecard", "check"),
    ),
    ServicePage(
        "/assessment/example/",
        "An example of an AI readiness result",
        "What you get from the self-assessment: where to begin, what would have to be true to"
        " scale, and the first moves. With made-up answers.",
        ("sample", "report", "PDF"),
    ),
    ServicePage(
        "/contact/",
        "Contact",
        "Write to us. Your message goes straight to our team.",
        ("contact us", "email", "phone number", "telephone", "address", "message", "talk to us"),
    ),
)
BOOKING = ("discovery call", "appointment", "schedule", "meeting", "available times", "talk")
ADDRESSES = (*(page.url for page in PAGES), BOOK)


def service_pages(calls: CallTypes) -> tuple[ServicePage, ...]:
    """Return all of them. Of the kinds of call, the build lists only the default one:
    the desk decides whether any host takes the others.
    """
    call = calls.default
    description = f"{call.name}, {call.minutes} minutes. {call.description}"
    return (*PAGES, ServicePage(BOOK, "Book a call", description, BOOKING))
