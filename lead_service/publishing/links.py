"""Report dead links by line, check links that MkDocs ignores, and make links absolute."""

import logging
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from mkdocs.structure.files import File

from ..service_pages import ADDRESSES as SERVICE

FROM_MKDOCS = re.compile(r"Doc file '(?P<file>.+?)' contains an? .*?link (?:to )?'(?P<link>.+?)'")
LINK = re.compile(r'\b(href|src|srcset)="([^"#?\s]+)(?:\?[^"#]*)?#?([^"]*)"')
SIZES = re.compile(r' srcset="[^"]*" sizes="[^"]*"')
ANY = re.compile(r'\b(href|src)="([^"]*)"')
TO_FORM = re.compile(r'(<a\b[^>]*?\bhref="/(?:assessment|book|contact)/)(?=["#])')


class NameTheLine(logging.Filter):
    """Add file and line to MkDocs' messages about links; `mistakes` explains unused footnotes."""

    def __init__(self, docs: str) -> None:
        super().__init__()
        self._docs = Path(docs)

    def filter(self, record: logging.LogRecord) -> bool:
        if said := FROM_MKDOCS.match(record.getMessage()):
            path = self._docs / said["file"]
            line = line_of(said["link"], path.read_text("utf-8")) if path.exists() else 1
            rest = record.getMessage().split(" contains ", 1)[1]
            record.msg, record.args = f"{said['file']}:{line}: contains {rest}", ()
        return "'#fnref:" not in record.getMessage()


def name_lines(docs: str) -> None:
    """Install the filter that adds lines to MkDocs' messages about links, once."""
    logger = logging.getLogger("mkdocs.structure.pages")
    for old in [one for one in logger.filters if isinstance(one, NameTheLine)]:
        logger.removeFilter(old)
    logger.addFilter(NameTheLine(docs))
    # `--quiet` would drop warnings, such as dead links, before `--strict` counts them.
    whole = logging.getLogger("mkdocs")
    whole.setLevel(min(whole.getEffectiveLevel(), logging.WARNING))


def line_of(text: str, source: str) -> int:
    """Return the line of the first `text` in `source`, counted from one."""
    return source.count("\n", 0, max(source.find(text), 0)) + 1


class Addresses:
    """The possible targets of a build's links, and the targets that they use."""

    def __init__(self, origin: str, known: Collection[str]) -> None:
        """Take the site's own address, and the addresses of all pages and files."""
        self.known = known
        self.hidden: dict[str, str] = {}  # source paths of pages that are not published, by address
        self.linked: set[str] = set()  # root-relative addresses
        self._anchors: list[tuple[File, str, str, str]] = []  # file, link, address and anchor
        self._own = re.compile(rf"https?://{re.escape(urlsplit(origin).netloc)}(?=/)")

    def faults(self, found: Iterable[tuple[str, str, str]], file: File) -> Iterator[str]:
        """Record the targets of a page's links, and return the faults of dead ones."""
        for kind, link, anchor in found:
            path = self._own.sub("", link)
            if "://" in path or path.startswith(("mailto:", "tel:", "data:")):
                continue
            address = urljoin(f"/{file.url}", path)
            if kind != "src":
                self.linked.add(address)
            if source := self.hidden.get(address):
                text = next((one for one in (link, posixpath.basename(source))
                             if one in file.content_string), "")  # fmt: skip
                yield fault(file, text, f"links to {source}, which is not published yet")
            elif path.startswith("/"):
                if path not in self.known and path not in SERVICE:
                    wrong = f"contains a link '{link}', but there is no such page"
                    yield fault(file, link, wrong)
                elif anchor:
                    self._anchors.append((file, f"{link}#{anchor}", address, anchor))

    def dead_anchors(self, ids: Mapping[str, Collection[str]]) -> Iterator[str]:
        """Return the faults of root-relative links whose anchor doesn't exist on their page.

        MkDocs checks the other ones.
        """
        for file, link, address, anchor in self._anchors:
            if address in ids and anchor not in ids[address]:
                yield fault(file, link, f"contains a link '{link}', but the page has no such part")


def fault(file: File, text: str, message: str) -> str:
    """Return a fault with the line of a text in a file."""
    return f"{file.src_uri}:{line_of(text, file.content_string)}: {message}"


def naming(html: str, article: str) -> str:
    """Add the article to its page's links to the service's forms."""
    return TO_FORM.sub(rf"\1?from={article}", html)


def absolute(html: str, base: str) -> str:
    """Make the links of a text absolute, for a feed."""
    return ANY.sub(lambda found: f'{found[1]}="{urljoin(base, found[2])}"', SIZES.sub("", html))
