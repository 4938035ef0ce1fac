"""Checks of every page of the site, the service and the desk.

Each page is opened once for all the claims about it, in a window that remembers no other page.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException

from lead_service import create_app
from lead_service.settings import load
from tests.support.browser import layout_checks, markup
from tests.support.browser.page_audit import Visit
from tests.support.browser.page_tokens import Tokens
from tests.support.browser.pages import PLACES
from tests.support.browser.product import HOST_ZONE
from tests.support.browser.visitor import Visitor
from tests.support.tools import MILLISECONDS

# The narrowest window and a usual one; with --all, others too.
WIDTHS, MORE_WIDTHS = (320, 1280), (360, 768, 2560, 3840)
# Opened with --all only: pages that share their template with another page.
TWINS = {
    *("result, no address", "shared result of nobody"),
    *("times, another zone", "times, no such zone", "times, a day that is not open"),
    *("booking form of a past start", "booking of nobody", "booking, no address"),
    *("move, another zone", "move, a past start", "desk, link of nobody"),
    *("desk, upcoming calls", "desk, calls to be marked"),
    *("desk, move a call nowhere", "desk, why not, no time", "desk, no date"),
    *("desk, mails of one state", "desk, funnel of no days", "desk, privacy, no address"),
    *("desk, no such lead", "desk, no address", "desk, nobody found", "desk, suspected lead"),
    *("desk, rules", "desk, no calendar", "desk, new host", "desk, nobody invited"),
    *("desk, nothing to look at", "questions half way", "the phase of a result"),
    *("result of nobody", "booking form from a result", "booking, moved", "booking, suspected"),
    *("move, taken", "move, cancelled", "contact, empty", "the phase, again"),
    *("times, looking for a zone", "booking form, taken", "result, shared"),
    *("desk, a view of many choices", "desk, lead, an action without a day"),
    *("site /privacy/", "site /accessibility/"),
}
for kind in ("site /insights/.+", "site /framework/.+", "questions of .+"):
    TWINS.update([name for name in PLACES if re.fullmatch(kind, name)][1:])
SCHEMES = (("light", 1280), ("dark", 320))
AXE = Path(AXE_FILE_PATH).read_text("utf-8")
# Without the report on elements that pass, which takes a fifth of the time, and
# without a rule that layout_checks.py has in a stricter form.
RUN_AXE = """async ([runOnly, contrast]) => {
    const found = await axe.run({
        runOnly, resultTypes: ["violations"], selectors: false, preload: false,
        rules: {"target-size": {enabled: false}, "color-contrast": {enabled: contrast}},
    });
    return found.violations.flatMap(({id, nodes}) =>
        nodes.map((one) => `${id}: ${one.html.slice(0, 160)} ${one.failureSummary}`));
}"""
# Bold or italic text in the serif.
MARKED = """[...document.querySelectorAll("body *")].filter((one) => {
    const {fontFamily, fontWeight, fontStyle} = getComputedStyle(one);
    return fontFamily.startsWith('"Source') && (fontWeight > 400 || fontStyle !== "normal")
        && [...one.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
}).map((one) => one.outerHTML.slice(0, 160))"""
FINGER = 44  # CSS pixels, in one direction at least
CONTROLS = "header a, footer a, button, .button, .choice, .ways label, .turn a"
SIZES = """all => all.filter(one => one.checkVisibility() && !one.matches(".skip"))
    .map(one => [one.outerHTML, one.getBoundingClientRect()])
    .map(([html, box]) => [html, Math.max(box.width, box.height)])"""
UNMARKED = """[...document.querySelectorAll("a, button, input")]
    .filter(one => one.type !== "hidden" && one.checkVisibility())
    .filter(one => {
        one.focus({focusVisible: true});
        const marked = [one, one.nextElementSibling, one.closest("label")].filter(Boolean);
        return marked.every(part => getComputedStyle(part).outlineStyle === "none");
    }).map(one => one.outerHTML)"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NO_PAGES = {
    "desk.leads_csv",
    "desk.lead_json",
    "desk.trail_csv",
    "desk.mail_html",
    "health.healthz",
    "health.readyz",
    "assess.result_pdf",
    "assess.example_pdf",
    "booking.invite",
    "agenda.calls",
}
HEADERS = {
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


def page_to_visit(name: str):
    return pytest.param(name, marks=[pytest.mark.long] if name in TWINS else [])


@pytest.fixture(scope="module")
def tokens(product) -> Tokens:
    return Tokens(product)


@pytest.fixture(scope="module")
def windows(browser, product, tokens) -> Iterator[dict[bool, Page]]:
    """A visitor's window and a member's: opening one takes longer than most pages."""
    # Resizing a window during a page's transition causes an error.
    options = {"base_url": product.url, "timezone_id": HOST_ZONE, "reduced_motion": "reduce"}
    visitors = browser.new_context(**options)
    members = browser.new_context(**options)
    members.add_cookies(tokens.cookies)
    for context in (visitors, members):
        context.set_default_timeout(MILLISECONDS)
    yield {False: visitors.new_page(), True: members.new_page()}
    visitors.close()
    members.close()


@pytest.fixture(
    scope="module",
    params=[page_to_visit(name) for name in PLACES],
)
def visit(request, windows, product, tokens) -> Iterator[Visit]:
    place = PLACES[request.param]
    page = windows[place.is_desk]
    layout_checks.resize(page, 1280)
    visit = Visit(page, place, product.url)
    with visit.listening():
        page.goto(place.path.format(**tokens), wait_until="load")
        place.act(Visitor(page, HOST_ZONE, "late@example.com"))
        yield visit
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    # Last, to record late errors too.
    assert visit.faults == [], "it asks another host, logs an error, or breaks the policy"


def test_every_page_has_the_security_headers(visit):
    assert visit.response.status == visit.place.status
    headers = visit.response.headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    kept = headers.get("cache-control", "")
    if visit.place.path == "/assessment/" and visit.place.status == 200:
        assert kept.startswith("private")  # only by a visitor who goes back
    elif not visit.place.is_published:
        assert "no-store" in kept
    else:
        assert "set-cookie" not in headers


def test_every_page_is_valid_html_with_a_heading_a_title_and_labels(visit):
    parsed = markup.parse(visit.response.text())
    assert parsed.get("lang") == "en"
    assert len(list(parsed.iter("h1"))) == 1
    (title,) = parsed.iterfind("head/title")
    assert title.text.strip()
    (description,) = parsed.iterfind("head/meta[@name='description']")
    assert description.get("content").strip()
    assert markup.unlabeled_fields(parsed) == []
    assert markup.repeated_ids(parsed) == []
    assert markup.dangling_references(parsed) == []
    assert markup.uneven_tables(parsed) == []


def test_the_service_uses_the_site_s_typeface(visit):
    if not visit.place.is_published:
        unfold(visit.page)
        assert visit.page.evaluate(MARKED) == []


@pytest.mark.parametrize(
    "visit", [page_to_visit(name) for name in PLACES if name.startswith("site /")], indirect=True
)
def test_controls_of_the_site_are_large_enough_to_hit_and_marked_when_they_have_the_focus(visit):
    layout_checks.resize(visit.page, 360)
    sizes = visit.page.locator(CONTROLS).evaluate_all(SIZES)
    assert len(sizes) > 8
    assert not [html for html, size in sizes if size < FINGER]
    assert visit.page.evaluate(UNMARKED) == []


def test_every_page_fits_its_window_and_has_large_targets(visit, pytestconfig):
    """Check with wide text spacing on one page in three, or with --all on every page."""
    unfold(visit.page)
    for width in WIDTHS + (MORE_WIDTHS if pytestconfig.option.all else ()):
        layout_checks.resize(visit.page, width)
        assert layout_checks.sticking_out(visit.page) == [], width
        assert layout_checks.too_small(visit.page) == [], width
    if not is_turn(visit, pytestconfig):
        return
    layout_checks.space_out(visit.page)
    for width in (320, 1280):
        layout_checks.resize(visit.page, width)
        assert layout_checks.sticking_out(visit.page) == [], f"{width}, with text spacing"


ROWS = ".desk :is(tbody tr, .desk-day li, .desk-rows li)"
LISTS = [
    *("desk, leads", "desk, upcoming calls", "desk, a view of many choices", "desk, search"),
    *("desk, calls", "desk, outbox", "desk, availability", "desk, team", "desk, audit trail"),
]


@pytest.mark.parametrize("visit", [page_to_visit(name) for name in LISTS], indirect=True)
def test_the_first_row_of_work_is_at_the_top_of_the_desk(visit):
    """With the alarm about emails, of which the longest takes one line, too."""
    visit.page.reload()  # without the spacing and the notice of an earlier test
    assert visit.page.locator(".desk-trouble").is_visible()
    rows = visit.page.locator(ROWS)
    for width in (320, 360, 768, 1280):
        layout_checks.resize(visit.page, width)
        assert rows.first.evaluate("row => row.getBoundingClientRect().y + scrollY") <= 200, width


@pytest.mark.parametrize("visit", ["result", "result, shared"], indirect=True)
def test_the_first_screen_of_a_phone_shows_headline_chart_and_book_a_call(visit):
    visit.page.set_viewport_size({"width": 360, "height": 640})
    visit.page.evaluate("scrollTo(0, 0)")
    main = visit.page.get_by_role("main")
    book = main.get_by_role("link", name="Book a call").first
    for shown in (main.get_by_role("heading", level=1), main.locator(".chart"), book):
        box = shown.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 640


def test_axe_finds_no_violation_of_wcag_2_2_aa(visit, pytestconfig):
    """Check every page in both schemes with --all, else one page in three in one of them.

    Contrast takes half of the time and waits for --all: tests/site/test_colors.py computes it for
    every pair of colors.
    """
    if not is_turn(visit, pytestconfig):
        return
    everything = pytestconfig.option.all
    visit.page.evaluate(AXE)
    for scheme, width in SCHEMES if everything else SCHEMES[number_of(visit) % 2 :][:1]:
        visit.page.emulate_media(color_scheme=scheme)
        layout_checks.resize(visit.page, width)
        unfold(visit.page)
        assert visit.page.evaluate(RUN_AXE, [WCAG, everything]) == []


def test_every_route_of_the_service_is_in_the_list_of_pages(product, tokens, tmp_path):
    assert set(PLACES) > TWINS
    app = create_app(load({"VAR_DIR": str(tmp_path), "SITE_DIR": str(product.site)}))
    routes = app.url_map.bind("127.0.0.1")
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    seen = set()
    for place in PLACES.values():
        try:
            seen.add(routes.match(urlsplit(place.path.format(**tokens)).path)[0])
        except HTTPException:
            assert place.is_published or place.status == 404
    assert pages - seen == NO_PAGES


def is_turn(visit: Visit, pytestconfig: pytest.Config) -> bool:
    """Say whether a page is in today's third; with --all, every page is."""
    return pytestconfig.option.all or (number_of(visit) + date.today().toordinal()) % 3 == 0


def number_of(visit: Visit) -> int:
    return list(PLACES.values()).index(visit.place)


def unfold(page: Page) -> None:
    """Unfold all content, so that it is checked too."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
