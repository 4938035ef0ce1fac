"""Check a page's layout in a window: overflow and the size of targets."""

from playwright.sync_api import Page

# The elements that overflow to the right, innermost last, when the page scrolls sideways.
STICKING_OUT = """() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    return [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1)
        .map((one) => one.outerHTML.slice(0, 120));
}"""

# WCAG 2.2, 2.5.8: 24 pixels, but for links in a sentence; buttons, by the design, 44. A choice
# is as large as its label.
TOO_SMALL = """() => {
    const isButton = (one) => one.matches("button, [type=submit], .button");
    const isInSentence = (one) => one.matches("a") && getComputedStyle(one).display === "inline"
        && one.parentElement.textContent.trim() !== one.textContent.trim();
    const size = (one) => {
        const parts = [one, ...(one.matches("[type=radio], [type=checkbox]") ? one.labels : [])]
            .map((part) => part.getBoundingClientRect());
        return [Math.max(...parts.map((box) => box.width)),
            Math.max(...parts.map((box) => box.height))];
    };
    return [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
        .filter((one) => one.checkVisibility({visibilityProperty: true}))
        .filter((one) => !one.closest("[aria-hidden=true]") && !isInSentence(one))
        .map((one) => [one, size(one), isButton(one) ? 44 : 24])
        .filter(([, [width, height], least]) => Math.min(width, height) < least - 0.5)
        .map(([one, [width, height]]) =>
            `${width.toFixed(1)} x ${height.toFixed(1)}: ${one.outerHTML.slice(0, 160)}`);
}"""

# WCAG 2.2, 1.4.12: text spacing that readers may set.
SPACED = """*, *::before, *::after { line-height: 1.5 !important; letter-spacing: .12em !important;
    word-spacing: .16em !important } p { margin-bottom: 2em !important }"""
SPACE_OUT = """(style) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    document.adoptedStyleSheets = [sheet];
}"""


def space_out(page: Page) -> None:
    """Apply the widest text spacing that readers may set."""
    page.evaluate(SPACE_OUT, SPACED)


def resize(page: Page, width: int) -> None:
    """Make the window `width` CSS pixels wide."""
    page.set_viewport_size({"width": width, "height": 800})


def sticking_out(page: Page) -> list[str]:
    """Return the elements that make a page scroll sideways."""
    return page.evaluate(STICKING_OUT)


def too_small(page: Page) -> list[str]:
    """Return the targets that are too small, with their sizes."""
    return page.evaluate(TOO_SMALL)
