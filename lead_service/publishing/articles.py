"""Decide the order of articles and which are related, and count their reading time."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from ..people import Person
from .front_matter import OfArticle

WORDS_A_MINUTE = 220
RELATED = 5  # related articles on a page
IN_FEED = 30
TAG = re.compile(r"<[^>]+>")
WORD = re.compile(r"[^\W_]\S*")


@dataclass(frozen=True)
class Article:
    """One article; `url` is root-relative."""

    title: str
    description: str
    date: datetime.date
    step: str
    slug: str
    url: str
    updated: datetime.date | None = None
    draft: bool = False
    phases: tuple[str, ...] = ()
    author: Person | None = None
    minutes: int = 1

    @property
    def changed(self) -> datetime.date:
        """The day of the last change that matters to readers."""
        return self.updated or self.date


@dataclass(frozen=True)
class Listing:
    """All articles, newest first, and by step; created once per build."""

    newest: tuple[Article, ...]
    by_step: dict[str, tuple[Article, ...]]
    places: dict[str, int] = field(repr=False)  # in `newest`, by address

    @classmethod
    def of(cls, articles: Iterable[Article]) -> Self:
        """Sort articles by date, then by title so that the order is the same on every machine."""
        by_title = sorted(articles, key=lambda article: article.title)
        newest = tuple(sorted(by_title, key=lambda article: article.date, reverse=True))
        by_step = defaultdict(list)
        for article in newest:
            by_step[article.step].append(article)
        places = {article.url: place for place, article in enumerate(newest)}
        return cls(newest, {step: tuple(members) for step, members in by_step.items()}, places)

    def is_in_feed(self, url: str) -> bool:
        """Say whether an address is that of an article in the feed."""
        return self.places.get(url, IN_FEED) < IN_FEED

    def of_step(self, slug: str) -> tuple[Article, ...]:
        """Return the articles about one step, newest first."""
        return self.by_step.get(slug, ())

    def older(self, article: Article) -> Article | None:
        """Return the article published before this one."""
        place = self.places[article.url] + 1
        return self.newest[place] if place < len(self.newest) else None

    def newer(self, article: Article) -> Article | None:
        """Return the article published after this one."""
        place = self.places[article.url]
        return self.newest[place - 1] if place else None

    def related(self, article: Article) -> tuple[Article, ...]:
        """Return related articles: those of the same step first, then the newest."""
        near = (*self.of_step(article.step)[: RELATED + 1], *self.newest[: RELATED + 1])
        others = {other.url: other for other in near if other.url != article.url}
        return tuple(others.values())[:RELATED]


def article(url: str, said: OfArticle, author: Person | None, text: str) -> Article:
    """Create the article at a relative address from its front matter and its text in Markdown."""
    shared = {name: value for name, value in vars(said).items() if name in Article.__annotations__}
    slug = url.rstrip("/").rsplit("/", 1)[-1]
    own = {"author": author, "slug": slug, "url": f"/{url}", "minutes": minutes(text)}
    return Article(**shared | own)


def is_article(path: str) -> bool:
    """Say whether a source path is an article: any page under insights/ except its index."""
    return path.startswith("insights/") and path != "insights/index.md"


def minutes(text: str) -> int:
    """Return the reading time of a text in Markdown in whole minutes, at least one."""
    return max(1, round(len(WORD.findall(TAG.sub(" ", text))) / WORDS_A_MINUTE))
