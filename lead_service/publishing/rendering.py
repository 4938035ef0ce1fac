"""Cache the output of Markdown and templates for each page, to render only changed pages.

Both take most of a build. Markdown's output depends on the page's own text, on Markdown's
options, and on the linked files, since links are checked during rendering. A
template's output depends on that, and on everything that templates may read.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, cast

from jinja2 import Environment, Template
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents
from pymdownx.snippets import SnippetMissingError

from .cache import Memo, hash_of
from .links import fault
from .media.drawings import Cards


class Rendered(NamedTuple):
    """The result of rendering a page; links to anchors are by the path of their page."""

    content: str | None
    toc: TableOfContents
    ids: set[str] | None
    links: dict[str, dict[str, str]]
    looked_up: dict[str, "Target"]


Target = tuple[str, InclusionLevel] | None  # the address of a file, or None if there is no such one


class LookUp:
    """The files of a build, with `found`: the result of each look-up by a page."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.found: dict[str, Target] = {}

    def get_file_from_path(self, path: str) -> File | None:
        file = self._files.get_file_from_path(path)
        self.found[path] = (file.url, file.inclusion) if file else None
        return file

    def finds(self, known: Mapping[str, Target]) -> bool:
        """Say whether earlier look-ups still give the same results."""
        for path in known:
            self.get_file_from_path(path)
        return self.found == known


class Warned(logging.Handler):
    """Count warnings, which a cached page would not repeat."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


class Rendering:
    """The inputs of rendering that all pages of a build share."""

    def __init__(
        self,
        setup: str,
        included: Iterable[Path],
        extensions_for: Callable[[str], list[Any]],
    ) -> None:
        """Take Markdown's options, the included files, and a function for a text's extensions."""
        self.extensions_for = extensions_for
        self.faults: list[str] = []  # found during rendering
        self.warned = Warned(logging.WARNING)
        self.made_with = hash_of(setup, files=included)


class KeptPage(Page):
    """A page that is rendered once for each version of its text."""

    def __init__(self, file: File, config: MkDocsConfig, rendering: Rendering, memo: Memo) -> None:
        super().__init__(None, file, config)
        self._rendering, self.memo = rendering, memo

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Render the page, or use the cached result of the same text."""
        key = ("page", self._rendering.made_with, self.markdown)
        kept: Rendered | None = self.memo.find(key)
        if kept and LookUp(files).finds(kept.looked_up):
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
        look_up = LookUp(files)
        try:
            super().render(config, cast(Files, look_up))
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
            said = (self.content, self.toc, self.present_anchor_ids)
            self.memo.keep(key, Rendered(*said, links, look_up.found))


class KeptTemplates:
    """The templates of a build, which render a page once for the same inputs."""

    def __init__(
        self,
        env: Environment,
        cards: Cards,
        made_with: Callable[[Page], object],
        finish: Callable[[str, Page], str],
    ) -> None:
        """Take the cards, a function for a page's other inputs, and one for its final changes."""
        self._env, self._cards = env, cards
        self._made_with, self._finish = made_with, finish

    def get_template(self, name: str) -> "KeptTemplate":
        return KeptTemplate(self._env.get_template(name), self._render)

    def _render(self, template: Template, context: Mapping[str, Any]) -> str:
        """Render a page, or return the cached result of the same inputs."""
        page = context["page"]
        if page is None:
            return template.render(context)
        said = sorted(page.meta.items(), key=itemgetter(0))
        made_from = (self._made_with(page), template.name, page.url, said)
        key = ("html", repr(made_from), page.content)
        if kept := page.memo.find(key):
            output, cards = kept
            if all(card.exists() for card in cards):
                self._cards.asked += cards
                return output
        before = len(self._cards.asked)
        output = self._finish(template.render(context), page)
        page.memo.keep(key, (output, self._cards.asked[before:]))
        return output


@dataclass(frozen=True)
class KeptTemplate:
    """One template, with the interface that MkDocs uses."""

    template: Template
    fill_in: Callable[[Template, Mapping[str, Any]], str]

    def render(self, context: Mapping[str, Any]) -> str:
        return self.fill_in(self.template, context)
