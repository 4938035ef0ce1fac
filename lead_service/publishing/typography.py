# ruff: noqa: RUF001 (signs that look alike are the subject here)
"""Set quotes, dashes and dots as a typesetter would, in one pass over a page's text.

The Markdown extensions for it try two dozen patterns on every piece of text and take more time
than all the rest of Markdown together.
"""

import re
from xml.etree.ElementTree import Element

from markdown import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, AtomicString

TYPED = re.compile(r"\.\.\.|---?|\(tm\)|[\"']")
SIGNS = {"...": "…", "--": "–", "---": "—", "(tm)": "™"}
QUOTES = {'"': ("“", "”"), "'": ("‘", "’")}
OPENS = " \t\n\xa0([{—–-/“‘"  # a quote after one of these, or after nothing, opens
LEFT_ALONE = {"code", "pre", "script", "style", "kbd", "samp"}


class Typography(Extension):
    """Typeset the text of a page, and none of its code."""

    def extendMarkdown(self, md) -> None:
        md.treeprocessors.register(_Typesetter(md), "typography", 15)  # after the inline patterns


class _Typesetter(Treeprocessor):
    def run(self, root: Element) -> None:
        self._set_within(root, "")

    def _set_within(self, element: Element, before: str) -> str:
        """Set an element's text; take the character before it and return its last one."""
        if self.md.is_block_level(element.tag):
            before = ""
        if element.tag in LEFT_ALONE:
            return (element.text or before)[-1:]
        element.text, before = _set(element.text, before)
        for child in element:
            before = self._set_within(child, before)
            child.tail, before = _set(child.tail, before)
        return before


def _set(text: str | None, before: str) -> tuple[str | None, str]:
    """Typeset one piece of text; return it with the character on which it ends."""
    if not text:
        return text, before
    if isinstance(text, AtomicString) or not TYPED.search(text):
        return text, text[-1]
    done = typeset(text, before)
    return done, done[-1]


def typeset(text: str, before: str = "") -> str:
    """Return `text` with typographic signs; `before` is the character that it follows, if any."""
    done = ""
    end = 0
    for found in TYPED.finditer(text):
        done += text[end : found.start()]
        end = found.end()
        done += SIGNS.get(found[0]) or _quote(found[0], (before + done)[-1:], text[end : end + 1])
    return done + text[end:]


def _quote(typed: str, left: str, right: str) -> str:
    opening, closing = QUOTES[typed]
    if typed == "'" and right.isdigit():
        return closing  # the '90s
    if left == ETX:  # the end of a tag that the writer typed: what follows decides
        return opening if right.isalnum() else closing
    return opening if not left or left in OPENS else closing
