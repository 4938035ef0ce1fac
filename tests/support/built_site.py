"""Build the site like the project, and read its pages."""

import re
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from shutil import copyfile
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from PIL import Image

from tests.support.matching import match

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://127.0.0.1:8000"


SMALL = ("framework.yml", "calls.yml", "index.md", "insights/index.md")
ARTICLE = """---
title: A title
description: A sentence.
date: 2025-03-31
step: organize
---
Some text.
"""


ANN = """---
name: Ann Example
role: Partner
link: https://example.com/ann
portrait: ann.jpg
---
She ran delivery.
Now she advises.
"""


def portrait(docs: Path, source: str) -> None:
    """Write one person, and two pictures, the larger one rotated like a camera's."""
    (docs / "people").mkdir()
    (docs / "people" / "ann-example.md").write_text(source, "utf-8")
    picture = Image.new("RGB", (900, 600), "blue")
    picture.paste("red", (450, 0, 900, 600))
    camera = Image.Exif()
    camera[0x0112], camera[0x010F] = 8, "A camera"  # turned left, by its orientation
    picture.save(docs / "people" / "ann.jpg", exif=camera)
    picture.resize((120, 90)).save(docs / "people" / "small.jpg")


def build_site(into: Path, docs: Path = ROOT / "docs", **own: Any) -> Path:
    """Build `docs`, strictly; `mkdocs.exceptions.Abort` when anything in it is wrong.

    `own` overrides values of mkdocs.yml.
    """
    whole = (docs / "about.md").exists()
    config = load_config(
        str(ROOT / "mkdocs.yml"),
        docs_dir=str(docs),
        site_dir=str(into),
        strict=True,
        **({} if whole else {"nav": []}) | own,
    )
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    return into


def small_docs(folder: Path, source: str = ARTICLE, **more: str) -> Path:
    """Write docs of three pages, the third an article with that source, which build fast."""
    docs = folder / "docs"
    for name in SMALL:
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        copyfile(ROOT / "docs" / name, docs / name)
    lines = "".join(f"{key}: {value}\n" for key, value in more.items())
    (docs / "insights" / "new.md").write_text(source.replace("step:", f"{lines}step:"), "utf-8")
    return docs


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
        return match(r"<title>(.*?)</title>", self.source, re.DOTALL)[1]

    @property
    def description(self) -> str:
        return next(tag["content"] for tag in self.all("meta") if tag.get("name") == "description")

    @property
    def main_text(self) -> str:
        """The text of the main area."""
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


def host_rules(site: Path) -> dict[str, dict[str, str]]:
    """Parse `_headers` like static hosts: a path, then indented headers."""
    rules: dict[str, dict[str, str]] = {}
    path = ""
    for line in (site / "_headers").read_text("utf-8").splitlines():
        if line.startswith("/"):
            path = line
            rules[path] = {}
        elif line.strip():
            name, _, value = line.strip().partition(": ")
            rules[path][name] = value
    return rules
