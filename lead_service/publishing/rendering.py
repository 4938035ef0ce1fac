"""Render a page's Markdown with only the extensions that its text needs."""

from collections.abc import Callable
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents
from pymdownx.snippets import SnippetMissingError

from .links import fault


class SitePage(Page):
    """A page whose missing snippets are faults, told with those of all pages."""

    def __init__(
        self,
        file: File,
        config: MkDocsConfig,
        extensions_for: Callable[[str], list[Any]],
        faults: list[str],
    ) -> None:
        super().__init__(None, file, config)
        self._extensions_for, self._faults = extensions_for, faults

    def render(self, config: MkDocsConfig, files: Files) -> None:
        assert self.markdown is not None
        config.markdown_extensions = self._extensions_for(self.markdown)
        try:
            super().render(config, files)
        except SnippetMissingError as error:
            name = str(error).split("'")[1]
            wrong = f"there is no file docs/includes/{name}"
            self._faults.append(fault(self.file, name, wrong))
            self.content, self.toc = "", TableOfContents([])
