"""Record what each page was made from, and render only those that would change.

A page depends on its file, on what all pages share (settings, templates, the framework and so on),
on the articles that it shows beside its text, on the files that it links to, and on its pictures
and its card. Of a page for which all of it is as it was, the build takes over what the last one
wrote. MkDocs is not told of such a page, since it asks `Site.documentation_pages` what to render.

Only a build without any warning is recorded, so the next one tells all warnings again.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time_ns
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

from . import cache
from .articles import Article
from .front_matter import OfPage

MARGIN = 2_000_000_000  # nanoseconds; a file system may tell an earlier time than the clock
Stamp = tuple[int, int, int]  # of a file: its size, and when it and its inode were changed
Target = tuple[str, bool] | None  # a linked file's address, and whether it is excluded


@dataclass
class Record:
    """One page: what it was made from, and what was made of it."""

    stamp: Stamp
    source: str  # a hash of its file
    data: dict[str, Any]  # the front matter, with placeholders replaced
    said: OfPage
    url: str  # root-relative
    article: Article | None = None
    beside: object = None  # what the page shows of others
    found: dict[str, Target] = field(default_factory=dict)  # linked files, by path
    anchors_in: frozenset[str] = frozenset()  # source paths of the pages to whose parts it links
    ids: frozenset[str] = frozenset()
    links: tuple[tuple[str, str, str], ...] = ()
    pictures: dict[str, Sequence[str] | None] = field(default_factory=dict)  # addresses by source
    cards: tuple[str, ...] = ()
    html: str = ""  # of the text alone, if it is in the feed
    digest: str = ""  # of the whole page

    @property
    def page(self) -> str:
        """The whole page in the cache; a copy of it is published."""
        return cache.path_of("html", (self.digest,))


class Records:
    """The records of the last build's pages, by source path."""

    def __init__(self, name: tuple[str, ...], made_with: str) -> None:
        """Take a name for the kind of build, and a hash of what all its pages share."""
        self._name, self._made_with, self._began = ("records", *name), made_with, time_ns()
        self._as_of: int
        self._before: Mapping[str, Record]
        before, self._as_of, kept = cache.load(*self._name) or ("", 0, {})
        self._before = kept if before == made_with else {}
        self._addresses = {record.url: path for path, record in kept.items()}

    def unchanged(self, file: File) -> Record | None:
        """Return the record of a page whose file is as it was; read the file only if in doubt."""
        record = self._before.get(file.src_uri)
        if not record:
            return None
        stamp = stamp_of(file)
        if stamp != record.stamp or max(stamp[1:]) > self._as_of - MARGIN:
            if cache.hash_of(file.content_bytes) != record.source:
                return None
            record.stamp = stamp
        return record

    def gone(self, pages: Mapping[str, Record]) -> list[tuple[str, str]]:
        """Return source path and address of the pages of the last build that this one lacks."""
        there = {record.url for record in pages.values()}
        return [(path, url) for url, path in self._addresses.items() if url not in there]

    def save(self, pages: Mapping[str, Record]) -> None:
        """Save the records of this build for the next one."""
        cache.save((self._made_with, self._began, pages), *self._name)


def stamp_of(file: File) -> Stamp:
    """Return what tells a changed file from an unchanged one, without reading it."""
    assert file.abs_src_path is not None
    found = os.stat(file.abs_src_path)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Site(Files):
    """The files of a build, of which MkDocs renders only the pages that are `stale`."""

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self.stale: set[str] = set()  # source paths
        self.asked: dict[str, Target] = {}  # the results of look-ups by path

    def documentation_pages(
        self, *, inclusion: Callable[[InclusionLevel], bool] = InclusionLevel.is_included
    ) -> Sequence[File]:
        """Return the pages to render."""
        return [one for one in self if one.src_uri in self.stale and inclusion(one.inclusion)]

    def get_file_from_path(self, path: str) -> File | None:
        file = super().get_file_from_path(path)
        self.asked[path] = (file.url, file.inclusion.is_excluded()) if file else None
        return file

    def finds(self, known: Mapping[str, Target]) -> bool:
        """Say whether earlier look-ups still give the same results."""
        self.asked = {}
        for path in known:
            self.get_file_from_path(path)
        return self.asked == known
