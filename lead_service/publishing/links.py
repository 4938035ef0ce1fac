"""Name the line of every dead link, look at those that MkDocs leaves alone, and make them whole."""

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
    """Put file and line in front of what MkDocs says of a link."""

    def __init__(self, docs: str) -> None:
        super().__init__()
        self._docs = Path(docs)

    def filter(self, record: logging.LogRecord) -> bool:
        if said := FROM_MKDOCS.match(record.getMessage()):
            path = self._docs / said["file"]
            line = line_of(said["link"], path.read_text("utf-8")) if path.exists() else 1
            rest = record.getMessage().split(" contains ", 1)[1]
            record.msg, record.args = f"{said['file']}:{line}: contains {rest}", ()
        return True


def name_lines(docs: str) -> None:
    """Let every message of MkDocs about a link name its line; once, however often it is called."""
    logger = logging.getLogger("mkdocs.structure.pages")
    for old in [one for one in logger.filters if isinstance(one, NameTheLine)]:
        logger.removeFilter(old)
    logger.addFilter(NameTheLine(docs))
    # `--quiet` would drop warnings before `--strict` has counted them, and dead links are warnings.
    whole = logging.getLogger("mkdocs")
    whole.setLevel(min(whole.getEffectiveLevel(), logging.WARNING))


def line_of(text: str, source: str) -> int:
    """Return the line on which `text` first stands in `source`, counted from one."""
    return source.count("\n", 0, max(source.find(text), 0)) + 1


class Addresses:
    """What the links of a build may lead to, and what they lead to."""

    def __init__(self, origin: str, known: Collection[str]) -> None:
        """Take the site's own address, and the addresses of all pages and files."""
        self.known = known
        self.hidden: dict[str, str] = {}  # source paths of pages that are not published, by address
        self.linked: set[str] = set()  # root-relative addresses
        self._anchors: list[tuple[File, str, str, str]] = []  # file, link, address and anchor
        self._own = re.compile(rf"https?://{re.escape(urlsplit(origin).netloc)}(?=/)")

    def faults(self, found: Iterable[tuple[str, str, str]], file: File) -> Iterator[str]:
        """Note where the links of a page's text lead; name those that lead nowhere."""
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
        """Name the links from the root whose anchor is not among the ids at their address.

        MkDocs checks the other ones.
        """
        for file, link, address, anchor in self._anchors:
            if address in ids and anchor not in ids[address]:
                yield fault(file, link, f"contains a link '{link}', but the page has no such part")


def fault(file: File, text: str, message: str) -> str:
    """Name the line on which a text first stands in a file."""
    return f"{file.src_uri}:{line_of(text, file.content_string)}: {message}"


def naming(html: str, article: str) -> str:
    """Let the links of an article's page to the forms of the service name the article."""
    return TO_FORM.sub(rf"\1?from={article}", html)


def absolute(html: str, base: str) -> str:
    """Write out the links of a text for readers who have it without its address, in a feed."""
    return ANY.sub(lambda found: f'{found[1]}="{urljoin(base, found[2])}"', SIZES.sub("", html))
