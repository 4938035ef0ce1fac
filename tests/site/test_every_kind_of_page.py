"""One page of each kind in a real browser: target sizes and visible focus.

What holds of the pages of site, service and desk alike is in tests/browser/test_every_page.py.
"""

import pytest

ARTICLE = "/insights/why-most-ai-pilots-never-scale/"
KINDS = (
    *("/", "/insights/", ARTICLE, "/framework/", "/framework/clarify/", "/services/"),
    *("/about/", "/privacy/", "/accessibility/", "/404.html", "/503.html"),
)
FINGER = 44  # CSS pixels, in one direction at least
CONTROLS = "header a, footer a, button, .button, .choice, .ways label, .turn a"


@pytest.fixture(scope="module")
def tab(browser):
    """One tab for all of these tests, because opening one takes longer than most of them."""
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=KINDS)
def page(tab, address, request):
    """A page in a window of 360 pixels."""
    tab.set_viewport_size({"width": 360, "height": 800})
    tab.goto(address + request.param)
    return tab


def test_controls_are_large_enough_to_hit(page):
    sizes = page.locator(CONTROLS).evaluate_all(
        """all => all.filter(e => e.checkVisibility() && !e.matches(".skip"))
            .map(e => [e.outerHTML, e.getBoundingClientRect()])
            .map(([html, box]) => [html, Math.max(box.width, box.height)])"""
    )
    assert len(sizes) > 8
    assert not [html for html, size in sizes if size < FINGER]


def test_every_stop_of_the_keyboard_is_marked(page):
    unmarked = page.evaluate("""[...document.querySelectorAll("a, button, input")]
        .filter(e => e.type !== "hidden" && e.checkVisibility())
        .filter(e => {
            e.focus({focusVisible: true});
            const marked = [e, e.nextElementSibling, e.closest("label")].filter(Boolean);
            return marked.every(one => getComputedStyle(one).outlineStyle === "none");
        }).map(e => e.outerHTML)""")
    assert unmarked == []
