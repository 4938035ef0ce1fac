"""The text of an HTML mail, as a reader without pictures and styles would get it."""

import re
from html.parser import HTMLParser

UNSEEN = {"head", "style", "script", "title"}
BREAKS = {"address", "blockquote", "br", "div", "h1", "h2", "h3", "li", "p", "table", "tr", "ul"}

CELLS = {"td", "th"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.unseen += tag in UNSEEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in UNSEEN and self.unseen > 0
        if tag in CELLS:
            self.pieces.append("  ")
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.pieces.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in BREAKS:
            self.pieces.append("\n")


def html_to_text(html: str) -> str:
    """Return the text that an HTML part shows, a line for each block, without its markup."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
