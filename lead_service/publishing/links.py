"""Name the line of every dead link, look at those that MkDocs leaves alone, and make them whole."""

import logging
import posixpath
import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urljoin

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from ..service_pages import ADDRESSES as SERVICE

FROM_MKDOCS = re.compile(r"Doc file '(?P<file>.+?)' contains an? .*?link (?:to )?'(?P<link>.+?)'")
FROM_ROOT = re.compile(r'\b(?:href|src)="(/[^"#?]*)')
TO_PAGE = re.compile(r"\]\(([\w./-]+\.md)[)#\s]")
HREF = re.compile(r'\bhref="([^"#?]+)')
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


def check_from_root(html: str, file: File, known: Collection[str]) -> None:
    """Refuse a link such as /insights/gone/ that leads to no page, file or part of the service."""
    for link in FROM_ROOT.findall(html):
        if link not in known and link not in SERVICE:
            raise fault(file, link, f"contains a link '{link}', but there is no such page")


def targets(html: str, file: File) -> set[str]:
    """Return the root-relative addresses that a page's text links to."""
    return {urljoin(f"/{file.url}", link) for link in HREF.findall(html)}


def check_for_drafts(markdown: str, file: File, files: Files) -> None:
    """Refuse a link from a published page to one that is not published."""
    for link in TO_PAGE.findall(markdown):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file.src_uri), link))
        found = files.get_file_from_path(target)
        if found and found.inclusion.is_excluded() and not file.inclusion.is_excluded():
            raise fault(file, link, f"links to {target}, which is not published yet")


def fault(file: File, text: str, message: str) -> PluginError:
    """Name the line on which a text first stands in a file."""
    return PluginError(f"{file.src_uri}:{line_of(text, file.content_string)}: {message}")


def naming(html: str, article: str) -> str:
    """Let the links of an article's page to the forms of the service name the article."""
    return TO_FORM.sub(rf"\1?from={article}", html)


def absolute(html: str, base: str) -> str:
    """Write out the links of a text for readers who have it without its address, in a feed."""
    return ANY.sub(lambda found: f'{found[1]}="{urljoin(base, found[2])}"', SIZES.sub("", html))
