"""Support Material's Markdown syntax on the pages that use it, without Material's scripts.

Other pages are rendered with a third of the extensions, in half the time, and without
its styles.
"""

import re
import xml.etree.ElementTree as etree
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents

from .links import fault

USED = re.compile(
    r"""(?mx)
    ^\ *(?: !!! | \?\?\? | === \s" | ``` | ~~~ | -{1,3}8<-{1,3} | ///           # blocks
      | [-*+]\ +\[[ xX]\] | \*\[[^\]]+\]: | :\ {1,3}\S | \#!                    # items
      | <[a-z]+[^>]*\ markdown\b | (?:\t|\ {4})\S )
    | :[a-z0-9+-][\w+-]*:  | \+\+\S | ==\S | \^\S | ~\S | \{--|\{\+\+ | `\#!    # inline
    | \((?:c|r|tm|C|R|TM)\) | \+/- | <?--> | <-- | =/= | \b\d/\d\b | \bc/o\b
    | \{[^}\n]*\.(?:md-button|annotate|grid)                                  # classes
    | \#only-(?:light|dark)\b | <kbd\b | <abbr\b | <(?:sub|sup|mark|dl)\b
    """
)
STYLED = re.compile(
    r'<(?:details|dl|kbd|mark|abbr|pre|ins|del|figure)\b|class="(?:[^"]*\s)?'
    r"(?:admonition|tabbed-set|task|md-button|grid|twemoji|annotation|keys|highlight|scroll|footnote)\b"
    r'|#only-(?:light|dark)"'
)
TASK = re.compile(
    r'<label class="task-list-control"><input type="checkbox" disabled( checked)? ?/?>'
    r'<span class="task-list-indicator"></span></label>'
)
TABLE = re.compile(r"(?s)<table>\n<thead>\n<tr>\n(?P<heads>.*?)</tr>.*?</table>")
NARROW = 3  # columns that fit on a phone
FITS = '<div class="table">'
SCROLLS = (
    '<div class="table scroll" tabindex="0" role="group" aria-label="Table that scrolls sideways">'
)
BRACES = re.compile(r"\{:?\s*#[^{}\n]*\s[^{}\n]*\}")
MARKER = re.compile(r"\((\d+)\)!?")


def is_used(markdown: str) -> bool:
    """Say whether a text needs more than the plain extensions."""
    return bool(USED.search(markdown))


def finish(html: str) -> str:
    """Replace HTML that needs Material's scripts."""
    if 'class="task-list-control"' in html:
        html = TASK.sub(_task, html)
    # A scrolling block must be reachable by keyboard.
    return html.replace("<pre><span></span>", '<pre tabindex="0">').replace(
        "<pre><code", '<pre tabindex="0"><code'
    )


def _task(found: re.Match[str]) -> str:
    """Draw the box of a task with an accessible name, which a disabled checkbox lacks."""
    kind, said = ("task task-done", "Done") if found[1] else ("task", "To do")
    return f'<span class="{kind}" role="img" aria-label="{said}:"></span>'


def scrolling(html: str) -> str:
    """Let tables scroll by themselves: those with many columns always, by keyboard too."""

    def wrap(found: re.Match[str]) -> str:
        is_narrow = found["heads"].count("<th") <= NARROW
        return f"{FITS if is_narrow else SCROLLS}\n{found[0]}\n</div>"

    return TABLE.sub(wrap, html) if "<table>" in html else html


class icons(dict[str, Any]):  # in lower case, since mkdocs.yml asks for a function
    """The icons and emoji, listed once a page uses one: it takes as long as reading fifty pages."""

    def __init__(self, options: dict[str, Any], md: Markdown) -> None:
        super().__init__()
        self._asked = options, md

    def __missing__(self, key: str) -> Any:
        from material.extensions.emoji import twemoji

        self.update(twemoji(*self._asked))
        return self[key]


def icon(index: str, shortname: str, alias: str, uc: str | None, alt: str, *rest: Any) -> Any:
    """Inline an icon, and write an emoji as a character instead of an image on a CDN."""
    from material.extensions.emoji import to_svg

    return alt if uc else to_svg(index, shortname, alias, uc, alt, *rest)


class Annotations(Extension):
    """Turn `(1)` in a block marked `.annotate` into a link to the list item below it."""

    def extendMarkdown(self, md: Markdown) -> None:
        # After inline markup (20), before MkDocs collects anchors (5).
        md.treeprocessors.register(_Annotate(md), "annotations", 8)


class _Annotate(Treeprocessor):
    def run(self, root: etree.Element) -> None:
        numbers = count(1)
        for parent in [*root.iter()]:
            children = [*parent]
            for child, after in pairwise(children):
                if after.tag == "ol" and "annotate" in child.get("class", "").split():
                    self._link(child, after, f"note-{next(numbers)}")

    def _link(self, marked: etree.Element, notes: etree.Element, name: str) -> None:
        notes.set("class", "annotations")
        for number, item in enumerate(notes, 1):
            item.set("id", f"{name}-{number}")
        for element in [*marked.iter()]:
            if element.tag in ("a", "code", "pre"):
                continue
            texts = [(-1, element.text), *((at, one.tail) for at, one in enumerate(element))]
            for place, text in reversed(texts):
                pieces = [*_pieces(text or "", len(notes), name)]
                if len(pieces) > 1:
                    self._put(element, place, pieces)

    def _put(self, element: etree.Element, place: int, pieces: list[str | etree.Element]) -> None:
        first, *rest = pieces
        if place < 0:
            element.text = str(first)
        else:
            element[place].tail = str(first)
        for link, tail in zip(rest[::2], rest[1::2], strict=True):
            place += 1
            assert isinstance(link, etree.Element)
            link.tail = str(tail)
            element.insert(place, link)


def _pieces(text: str, most: int, name: str) -> Iterator[str | etree.Element]:
    """Yield text and links alternately, starting and ending with text."""
    at, before = 0, ""
    for found in MARKER.finditer(text):
        before += text[at : found.start()]
        at = found.end()
        if not 0 < int(found[1]) <= most:
            before += found[0]
            continue
        yield before
        link = etree.Element("a", {"class": "annotation", "href": f"#{name}-{found[1]}"})
        link.text = found[1]
        link.set("aria-label", f"Note {found[1]}")
        yield link
        before = ""
    yield before + text[at:]


class SitePage(Page):
    """A page whose missing snippet is one of the `faults` of all pages."""

    faults: list[str]

    def render(self, config: MkDocsConfig, files: Files) -> None:
        try:
            super().render(config, files)
        except Exception as error:
            from pymdownx.snippets import SnippetMissingError

            if isinstance(error, SnippetMissingError):
                place = str(error).split("'")[1]
                wrong = f"there is no file docs/includes/{place}"
            elif found := BRACES.search(self.markdown or ""):
                place, wrong = found[0], "cannot be read: check what is written in braces"
            else:
                place, wrong = "", f"cannot be read: {type(error).__name__}: {error}"
            self.faults.append(fault(self.file, place, wrong))
            self.content, self.toc = "", TableOfContents([])
