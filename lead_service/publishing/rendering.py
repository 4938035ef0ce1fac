"""Keep what Markdown made of each page, so that a build renders only the pages that have changed.

Rendering takes half of a build. What is kept depends on the page's own text, on how Markdown is set
up, and on which pages exist, since links are checked while a page is rendered.
"""

import hashlib
import logging
import pickle
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents

from .cache import find, keep

PROGRAMS = ("mkdocs", "markdown", "pymdown-extensions", "pygments", "mkdocs-material")


class Rendered(NamedTuple):
    """What a page has once it is rendered; links to anchors by the path of their page."""

    content: str | None
    toc: TableOfContents
    ids: set[str] | None
    links: dict[str, dict[str, str]]


class Warned(logging.Handler):
    """Counts warnings, of which a page that is not rendered again would say nothing."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


class Rendering:
    """What all pages of a build are rendered with."""

    def __init__(self, files: Files, setup: str, included: Iterable[Path]) -> None:
        """Take how Markdown is set up, and the files that pages may include."""
        self.warned = Warned(logging.WARNING)
        made_with = hashlib.sha256(repr([setup, *map(version, PROGRAMS)]).encode())
        for path in (*sorted(included), Path(__file__).with_name("dialect.py")):
            made_with.update(path.read_bytes())
        for file in sorted(files, key=lambda file: file.src_uri):
            if file.src_dir:  # not made by the build
                made_with.update(f"{file.src_uri} {file.url} {file.inclusion}\n".encode())
        self.made_with = made_with.hexdigest()


class KeptPage(Page):
    """A page that is rendered once for each text that it has."""

    def __init__(self, file: File, config: MkDocsConfig, rendering: Rendering) -> None:
        super().__init__(None, file, config)
        self._rendering = rendering

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Render the page, or take what an earlier build made of the same text."""
        made_from = (self._rendering.made_with, self.file.src_uri, self.markdown)
        if path := find("page", made_from):
            kept: Rendered = pickle.loads(path.read_bytes())
            self.content, self.toc, self.present_anchor_ids = kept[:3]
            targets = (
                (files.get_file_from_path(path), links) for path, links in kept.links.items()
            )
            self.links_to_anchors = {target: links for target, links in targets if target}
            return
        warned = self._rendering.warned
        logger, before = logging.getLogger("mkdocs"), warned.count
        logger.addHandler(warned)
        try:
            super().render(config, files)
        finally:
            logger.removeHandler(warned)
        if warned.count == before:
            links = {file.src_uri: found for file, found in (self.links_to_anchors or {}).items()}
            rendered = Rendered(self.content, self.toc, self.present_anchor_ids, links)
            keep("page", made_from, lambda: pickle.dumps(rendered))
