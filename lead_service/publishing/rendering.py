"""Keep what Markdown and the templates made of each page, so that only changed pages are made anew.

Both take most of a build. What Markdown made depends on the page's own text, on how Markdown is set
up, and on which pages exist, since links are checked while a page is rendered. What a template made
depends on that, and on everything that templates may read.
"""

import hashlib
import logging
import pickle
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, Template
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents
from pymdownx.snippets import SnippetMissingError

from .cache import find, keep
from .links import fault
from .media.drawings import Cards

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

    def __init__(
        self,
        files: Files,
        setup: str,
        included: Iterable[Path],
        extensions_for: Callable[[str], list[Any]],
    ) -> None:
        """Take how Markdown is set up, the files that pages include, and what a text needs."""
        self.extensions_for = extensions_for
        self.faults: list[str] = []  # found while pages were rendered
        self.warned = Warned(logging.WARNING)
        sources = (*included, Path(__file__).with_name("dialect.py"))
        listed = sorted((file.src_uri, file.url, file.inclusion) for file in files if file.src_dir)
        self.made_with = hash_of(setup, [*map(version, PROGRAMS)], listed, files=sources)


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
        assert self.markdown is not None
        config.markdown_extensions = self._rendering.extensions_for(self.markdown)
        warned = self._rendering.warned
        logger, before = logging.getLogger("mkdocs"), warned.count
        logger.addHandler(warned)
        try:
            super().render(config, files)
        except SnippetMissingError as error:
            name = str(error).split("'")[1]
            wrong = f"there is no file docs/includes/{name}"
            self._rendering.faults.append(fault(self.file, name, wrong))
            self.content, self.toc = "", TableOfContents([])
            return
        finally:
            logger.removeHandler(warned)
        if warned.count == before:
            links = {file.src_uri: found for file, found in (self.links_to_anchors or {}).items()}
            rendered = Rendered(self.content, self.toc, self.present_anchor_ids, links)
            keep("page", made_from, lambda: pickle.dumps(rendered))


class KeptTemplates:
    """The templates of a build, which fill in a page once for all that they read of it."""

    def __init__(self, env: Environment, made_with: str, cards: Cards) -> None:
        """Take a hash of what is the same on every page, and the cards that pages ask for."""
        self._env, self._made_with, self._cards = env, made_with, cards

    def get_template(self, name: str) -> "KeptTemplate":
        return KeptTemplate(self._env.get_template(name), self._made_with, self._cards)


class KeptTemplate:
    """One template, as MkDocs uses it."""

    def __init__(self, template: Template, made_with: str, cards: Cards) -> None:
        self._template, self._made_with, self._cards = template, made_with, cards

    def render(self, context: Mapping[str, Any]) -> str:
        """Fill in a page, or return what an earlier build made of the same."""
        page = context["page"]
        if page is None:
            return self._template.render(context)
        said = sorted(page.meta.items(), key=itemgetter(0))
        made_from = (self._made_with, self._template.name, page.url, said, page.content)
        if path := find("html", made_from):
            output, cards = pickle.loads(path.read_bytes())
            if all(card.exists() for card in cards):
                self._cards.asked += cards
                return output
        before = len(self._cards.asked)
        output = self._template.render(context)
        result = (str(output), self._cards.asked[before:])
        keep("html", made_from, lambda: pickle.dumps(result))
        return output


def hash_of(*parts: object, files: Iterable[Path] = ()) -> str:
    """Return one hash of values that print the same on every run, and of the content of files."""
    made = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        made.update(path.read_bytes())
    return made.hexdigest()
