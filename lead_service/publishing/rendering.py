"""Render a page's Markdown."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents
from pymdownx.snippets import SnippetMissingError

from .links import fault


class SitePage(Page):
    """A page whose missing snippet is one of the `faults` of all pages."""

    faults: list[str]

    def render(self, config: MkDocsConfig, files: Files) -> None:
        try:
            super().render(config, files)
        except SnippetMissingError as error:
            name = str(error).split("'")[1]
            wrong = f"there is no file docs/includes/{name}"
            self.faults.append(fault(self.file, name, wrong))
            self.content, self.toc = "", TableOfContents([])
