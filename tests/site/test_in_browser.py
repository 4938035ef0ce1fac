"""The built site in a real browser: narrow, dark, without JavaScript, by keyboard, under axe."""

import functools
import http.server
import shutil
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ARTICLE = "/insights/why-most-ai-pilots-never-scale/"
KINDS = (
    *("/", "/insights/", ARTICLE, "/framework/", "/framework/clarify/", "/services/"),
    *("/about/", "/privacy/", "/accessibility/", "/404.html"),
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(site):
    """The address of a plain file server for the built site, on a free port."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Open a page in a browser of the given kind; width in CSS pixels."""
    contexts = []

    def open_page(path, width=1280, **kind):
        context = browser.new_context(viewport={"width": width, "height": 800}, **kind)
        contexts.append(context)
        page = context.new_page()
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", KINDS)
def test_axe_finds_nothing_against_wcag_2_2_aa(visit, path, scheme):
    page = visit(path, color_scheme=scheme)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": tags})
    assert found.response["violations"] == []


@pytest.mark.parametrize("path", KINDS)
def test_no_page_is_scrolled_sideways_at_320_pixels(visit, path):
    page = visit(path, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("path", KINDS)
def test_controls_are_large_enough_to_hit(visit, path):
    page = visit(path, width=360)
    for control in page.locator("header a, footer a, button, .button").all():
        if control.is_visible() and "skip" not in (control.get_attribute("class") or ""):
            box = control.bounding_box()
            assert box["height"] >= 44 or box["width"] >= 44, control.evaluate("e => e.outerHTML")


def test_reading_and_navigating_need_no_javascript(visit):
    page = visit("/", java_script_enabled=False)
    page.get_by_role("link", name="Search").click()
    assert page.url.endswith("/insights/")
    page.get_by_role("link", name="Why Most AI Pilots Never Scale").click()
    assert page.url.endswith(ARTICLE)
    assert page.locator(".scheme").is_hidden()


def test_the_first_stop_of_the_keyboard_skips_to_the_text(visit):
    page = visit("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the text")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_chosen_scheme_is_kept_from_page_to_page(visit):
    page = visit("/", color_scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark colors").click()
    dark = page.evaluate(background)
    page.get_by_role("link", name="Services", exact=True).click()
    page.wait_for_url("**/services/")
    assert page.evaluate(background) == dark != light


def test_nothing_of_search_is_loaded_before_it_is_opened(visit):
    page = visit("/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload(wait_until="networkidle")
    assert not [url for url in asked if "search" in url]
    page.get_by_role("link", name="Search").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if url.endswith("/search.json")]


def test_search_is_complete_by_keyboard(visit):
    page = visit("/about/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search the site")).to_be_focused()
    page.keyboard.type("pilot scales")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("1 page")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ARTICLE}")


def test_search_says_when_nothing_is_found_and_gives_the_focus_back(visit):
    page = visit("/about/")
    opener = page.get_by_role("link", name="Search")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search the site")).to_be_focused()
    page.keyboard.type("zzzz")
    expect(page.get_by_role("status")).to_contain_text("Nothing")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_nothing_moves_when_the_typeface_arrives(visit, address):
    page = visit("/")
    page.route("**/*.woff2", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.goto(address + ARTICLE)
    page.evaluate("document.fonts.ready")
    shift = page.evaluate("""new Promise(done => {
        let total = 0;
        new PerformanceObserver(list => { for (const e of list.getEntries()) total += e.value; })
            .observe({type: "layout-shift", buffered: true});
        setTimeout(() => done(total), 300);
    })""")
    assert shift < 0.02


def test_a_dark_page_prints_as_ink_on_paper(visit):
    page = visit(ARTICLE, color_scheme="dark")
    page.get_by_role("button", name="Light colors").click()
    page.get_by_role("button", name="Dark colors").click()
    page.emulate_media(media="print")
    style = page.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])"
        "(getComputedStyle(document.documentElement))"
    )
    assert style == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.locator("header nav, .next").filter(visible=True).count() == 0
