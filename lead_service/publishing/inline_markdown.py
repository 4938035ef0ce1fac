"""Look for inline Markdown only in text that holds any sign of it.

Python-Markdown tries a dozen and a half patterns, one after another, on every piece of text
between two tags: a tenth of building a site. Each pattern begins with one of the signs below.
"""

import re

from markdown import Extension
from markdown.treeprocessors import InlineProcessor

# Escapes, code, emphasis, links and footnotes, images, HTML and entities, line breaks, and what
# stands for a piece that is done (STX).
SIGNS = re.compile("[\\\\`*_\\[!<&\x02]|  \n")


class Inline(Extension):
    """Put our processor in the place of the library's."""

    def extendMarkdown(self, md) -> None:
        md.treeprocessors.register(_WhereThereAreSigns(md), "inline", 20)


class _WhereThereAreSigns(InlineProcessor):
    # The library has no public way to pass over a text; a test compares all pages with its own.
    def _InlineProcessor__handleInline(self, data: str, patternIndex: int = 0) -> str:
        if not SIGNS.search(data):
            return data
        handle = super()._InlineProcessor__handleInline  # type: ignore[misc] # private there
        return handle(data, patternIndex)
