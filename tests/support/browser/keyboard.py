"""Use a page by keyboard only, and check that the focus is always visible."""

import re

from playwright.sync_api import Page, expect

MOST_STOPS = 60

# The accessible name, the part of the page, and whether the focus is visible: a ring on
# the element or on the label around it, inside the window.
FOCUSED = """() => {
    const it = document.activeElement;
    const label = it.labels?.[0];
    const rung = [it, it.closest("label")].filter(Boolean).find((one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const box = (rung ?? it).getBoundingClientRect();
    return {
        name: it.getAttribute("aria-label") ?? (label ?? it).textContent.trim(),
        kind: it.type ?? it.localName,
        group: it.name ?? "",
        isInMain: Boolean(it.closest("main")),
        isSeen: Boolean(rung) && box.width > 0 && box.height > 0
            && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        source: it.outerHTML.slice(0, 200),
    };
}"""


class Keyboard:
    """Tab, arrows, Space, Enter and letters."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.focused: dict = {}

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def tab(self) -> None:
        """Go to the next tab stop, which must become visible; a busy machine draws it late."""
        self.press("Tab")
        for _ in range(20):
            self.focused = self.page.evaluate(FOCUSED)
            if self.focused["isSeen"]:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError((self.page.url, self.focused))

    def skip_to_text(self) -> None:
        """Use the skip link of a new page."""
        self.tab()
        assert self.focused["name"] == "Skip to main content", self.focused
        self.press("Enter")
        expect(self.page.get_by_role("main")).to_be_focused()

    def tab_to(self, name: str | re.Pattern) -> None:
        """Tab to the element with that name, or one that begins with it, in the main part."""
        pattern = name if isinstance(name, re.Pattern) else re.compile(re.escape(name))
        for _ in range(MOST_STOPS):
            self.tab()
            if self.focused["isInMain"] and pattern.match(self.focused["name"]):
                return
        raise AssertionError(f"no stop of the keyboard is {name!r} on {self.page.url}")

    def tab_to_choice(self) -> str:
        """Tab to the next group of choices; return its name."""
        before = self.focused.get("group")
        for _ in range(MOST_STOPS):
            self.tab()
            if self.focused["kind"] == "radio" and self.focused["group"] != before:
                return self.focused["group"]
        raise AssertionError(f"no stop of the keyboard is a choice on {self.page.url}")
