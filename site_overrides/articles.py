"""Read the articles' front matter, and say in which order and company they are shown.

An article is one Markdown file under docs/insights/ with `title`, `description`, `date` and
`step`; `draft: true` keeps it out of the published site.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from html import unescape
from typing import Self

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.structure.pages import Page
from mkdocs.utils import meta

WORDS_A_MINUTE = 220
TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Article:
    """One article; `url` is root-relative, `html` and `minutes` are known once it is rendered."""

    title: str
    description: str
    date: date
    step: str
    slug: str
    url: str
    draft: bool = False
    minutes: int = 1
    html: str = ""


@dataclass(frozen=True)
class Listing:
    """All articles, newest first, and by step; made once a build."""

    newest: tuple[Article, ...]
    by_step: dict[str, tuple[Article, ...]]

    @classmethod
    def of(cls, articles: Iterable[Article]) -> Self:
        """Sort articles by date, then by title so that the order is the same on every machine."""
        by_title = sorted(articles, key=lambda article: article.title)
        newest = tuple(sorted(by_title, key=lambda article: article.date, reverse=True))
        by_step = defaultdict(list)
        for article in newest:
            by_step[article.step].append(article)
        return cls(newest, {step: tuple(members) for step, members in by_step.items()})

    def of_step(self, slug: str) -> tuple[Article, ...]:
        """Return the articles about one step, newest first."""
        return self.by_step.get(slug, ())

    def related(self, article: Article, count: int = 3) -> tuple[Article, ...]:
        """Return others to read next: of the same step first, then the newest."""
        near = (*self.of_step(article.step)[: count + 1], *self.newest[: count + 1])
        others = {other.url: other for other in near if other.url != article.url}
        return tuple(others.values())[:count]


def is_article(path: str) -> bool:
    """Say whether a source path is an article: any page under insights/ but its index."""
    return path.startswith("insights/") and path != "insights/index.md"


def read(file: File, steps: Sequence[str]) -> Article:
    """Read an article's front matter; `PluginError` names file, line and what to change."""
    text = file.content_string
    _, found = meta.get_data(text)
    for key in ("title", "description"):
        if not isinstance(found.get(key), str) or not found[key].strip():
            raise _fault(file, text, key, f"front matter needs a {key}")
    if not isinstance(found.get("date"), date):
        raise _fault(file, text, "date", "front matter needs a date such as 2025-03-31")
    if found.get("step") not in steps:
        known = ", ".join(steps)
        raise _fault(file, text, "step", f"step is {found.get('step')!r}, needs one of {known}")
    return Article(
        title=found["title"].strip(),
        description=found["description"].strip(),
        date=found["date"],
        step=found["step"],
        slug=file.url.rstrip("/").rsplit("/", 1)[-1],
        url=f"/{file.url}",
        draft=found.get("draft") is True,
    )


def headings(page: Page) -> list[tuple[str, str]]:
    """List a page's headings below its title, as (id, text), for the search index."""
    found, waiting = [], list(reversed(page.toc.items))
    while waiting:
        item = waiting.pop()
        if item.level > 1:
            found.append((item.id, unescape(TAG.sub("", item.title))))
        waiting.extend(reversed(item.children))
    return found


def minutes(html: str) -> int:
    """Return the reading time of a rendered text in whole minutes, at least one."""
    return max(1, round(len(TAG.sub(" ", html).split()) / WORDS_A_MINUTE))


def day(value: date) -> str:
    """Write a date as people in the United States read it: March 31, 2025."""
    return f"{value:%B} {value.day}, {value.year}"


def _fault(file: File, text: str, key: str, message: str) -> PluginError:
    """Name the line of `key`, or the first one where the key is missing."""
    before = re.match(rf"(?s)(?:(?!\n---).)*?\n(?={key}\s*:)", text)
    line = before.group().count("\n") + 1 if before else 1
    return PluginError(f"{file.src_uri}:{line}: {message}")
