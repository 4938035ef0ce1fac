"""Act as a visitor through forms, for tests of every part."""

import re
import secrets
from html import unescape

from flask.testing import FlaskClient

from lead_service import clock
from lead_service.book.availability import host_cache
from lead_service.book.forms import start_text
from lead_service.book.terms import Terms
from lead_service.call_types import PHONE, VIDEO
from lead_service.web.context import Context

BEST, WORST = 3, 0


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found, f"no field {name}"
    return unescape(found[1])


def answers(framework, slug: str, level: int) -> dict[str, str]:
    """Return one step's answers, all at one level."""
    return {one.id: one.answers[level].id for one in framework.step(slug).questions}


PHASE = "pilot-stuck"


def begin_phase(client: FlaskClient, phase: str = PHASE, **more: str) -> str:
    """Answer the first question; return the path of the first step."""
    sent = client.post("/assessment/", data={"phase": phase} | more)
    assert sent.status_code == 303, sent.text
    return sent.location


def assess(
    client: FlaskClient, framework, levels: dict[str, int] | int = WORST, phase: str = PHASE
) -> str:
    """Take the whole assessment; return the path of the result page."""
    return answer_all(client, framework, begin_phase(client, phase), levels)


def again(
    client: FlaskClient, framework, page: str, levels: dict[str, int] | int, phase: str = PHASE
) -> str:
    """Follow the link to answer again, and answer everything; return the path of the result."""
    link = re.search(r'href="([^"]+/again/[^"]*)"', client.get(page).text)
    assert link
    first = client.get(unescape(link[1])).text
    assert '<meta name="robots" content="noindex">' in first
    action = re.search(r'method="post" action="([^"]+)"', first)
    assert action
    given = {"phase": phase, "submission": hidden(first, "submission")}
    where = client.post(unescape(action[1]), data=given).location
    return answer_all(client, framework, where, levels)


def answer_all(client: FlaskClient, framework, where: str, levels: dict[str, int] | int) -> str:
    """Answer every step, from the page of the first; return the path of the result page."""
    for step in framework.steps:
        level = levels if isinstance(levels, int) else levels.get(step.slug, BEST)
        sent = client.post(where, data=answers(framework, step.slug, level))
        assert sent.status_code == 303, sent.text
        where = sent.location
    return where


def begin(client: FlaskClient, framework, level: int = WORST) -> str:
    """Answer the first step; return the address that resumes the assessment."""
    sent = client.post(begin_phase(client), data=answers(framework, framework.steps[0].slug, level))
    assert sent.status_code == 303, sent.text
    return "/".join(sent.location.split("/")[:3]) + "/"


def reference(client: FlaskClient, result: str) -> str:
    """Return the reference by which a result page attaches answers to a call."""
    found = re.search(r'href="/book/\?assessment=([^"&]+)', client.get(result).text)
    assert found
    return found[1]


def open_starts(client: FlaskClient, **query: str) -> list[str]:
    """Return the starts that the page offers, in the form of its addresses."""
    page = client.get("/book/", query_string=query).text
    return re.findall(r'href="/book/(\d{8}T\d{4}Z)/', page)


VISITOR = {
    "name": "Ada Example",
    "email": "ada@example.com",
    "company": "Example Works",
    "phone": "+1 555 0100",
    "topic": "The pilot worked and nobody funds the rollout.",
}


def booking_form(client: FlaskClient, start: str, **changes: str) -> dict[str, str]:
    """Open the form for a start and fill it in."""
    page = client.get(f"/book/{start}/").text
    shown = {name: hidden(page, name) for name in ("submission", "terms")}
    return {"start": start, "zone": "Europe/Berlin"} | shown | VISITOR | changes


def book(client: FlaskClient, start: str | None = None, **changes: str) -> str:
    """Book a start, the first open one when none is given; return the path of its page.

    No page is opened first, which takes as long as booking: what they hold is computed.
    """
    context: Context = client.application.extensions["lead_service"]
    calls = context.published.calls
    kind = calls.find(changes.get("kind", "")) or calls.default
    terms = str(Terms(kind.minutes, frozenset({PHONE, VIDEO}), kind.price))
    if start is None:
        with context.database.read() as session:
            hosts = host_cache.snapshot(session)
            first, *_ = hosts.open_starts(session, hosts.hosts, kind, clock.now())
        start = start_text(first)
    form = {"start": start, "zone": "Europe/Berlin", "terms": terms}
    form |= {"submission": secrets.token_urlsafe()} | VISITOR | changes
    sent = client.post("/book/", data=form)
    assert sent.status_code == 303, sent.text
    return sent.location
