"""Build the site as the project does, and read the pages that come of it."""

import re
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://127.0.0.1:8000"


def build_site(into: Path, docs: Path = ROOT / "docs") -> Path:
    """Build `docs`, strictly; `mkdocs.exceptions.Abort` when anything in it is wrong."""
    config = load_config(
        str(ROOT / "mkdocs.yml"), docs_dir=str(docs), site_dir=str(into), strict=True
    )
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    return into


class Tags(HTMLParser):
    """Collect start tags with their attributes, and text by the tag that it directly follows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.text.append((self.tags[-1][0] if self.tags else "", data))


@dataclass(frozen=True)
class Page:
    """One built page: its root-relative address and its source."""

    url: str
    source: str

    @cached_property
    def _parsed(self) -> Tags:
        return Tags(self.source)

    @property
    def tags(self) -> list[tuple[str, dict[str, str]]]:
        return self._parsed.tags

    def all(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of every tag of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def title(self) -> str:
        return re.search(r"<title>(.*?)</title>", self.source, re.DOTALL)[1]

    @property
    def description(self) -> str:
        return next(tag["content"] for tag in self.all("meta") if tag.get("name") == "description")

    @property
    def main_text(self) -> str:
        """What a reader reads of the main area."""
        main = self.source.split('<main id="main"', 1)[1].split("</main>", 1)[0]
        return "".join(text for _, text in Tags(f"<main{main}").text)


def pages_of(site: Path) -> list[Page]:
    """Read every page of a built site, 404 and the service's page included."""
    return [
        Page(
            "/" + re.sub(r"(^|/)index\.html$", r"\1", path.relative_to(site).as_posix()),
            path.read_text("utf-8"),
        )
        for path in sorted(site.rglob("*.html"))
    ]
