"""Write the full-text index: the words of each page by paragraph.

A browser loads the list of pages, and only those files of words that begin like the words that
a visitor searches for. It reads the shown passages from the pages themselves, so these are
stored once. site_overrides/scripts/search.js reads all of it.
"""

import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from html import escape, unescape
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

from . import cache

LIST = "search.json"
LARGEST = 24_000  # bytes of one file of words, before compression
ROOM = 8  # each page takes a multiple of this many blocks, so that few edits move later pages
TOGETHER = 16  # pages that are indexed together; changing one means reading all of them again
UNSEARCHED = re.compile(
    r"(?s)<(nav|form|svg|fieldset|button|footer)\b.*?</\1>"
    r'|<ul class="[^"]*(?:entries|older)">.*?</ul>'
)
INLINE = re.compile(
    r"</?(?:a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|time|u|wbr)\b"
    r"[^>]*>"
)
TAG = re.compile(r"<[^>]+>")
MARKS = re.compile("[\u0300-\u036f\u2019]")  # separate accents
WORD = re.compile(r"[^\W_]{2,}")  # single letters are not indexed
# Words with two spellings, such as British and American ones, get one spelling.
# Folding must keep prefixes: the folded beginning of a word begins the folded word.
SPELLINGS = (
    (re.compile(r"([iy])z"), r"\1s"),  # organize
    (re.compile(r"([a-z]{3})or"), r"\1our"),  # behavior
    (re.compile(r"\be-mail"), "email"),
    (re.compile(r"(\d),(?=\d{3})"), r"\1"),  # 360,000
    (re.compile(r"(?<=[a-z\d])&(?=[a-z\d])"), ""),  # AT&T
    (re.compile(r"(?<=\b[a-z\d])[^\w\s](?=[a-z\d]\b)"), ""),  # U.S., and then R & D
    (re.compile(r"(?<=\b[a-z\d]) [^\w\s] (?=[a-z\d]\b)"), ""),
)


class Words(NamedTuple):
    """The words of consecutive pages."""

    blocks: tuple[int, ...]  # of each page
    places: dict[str, tuple[int, int, str]]  # first and last block of a word, and its gaps


class SearchIndex:
    """The words of all pages of a build; pages are added in the order of the site's files."""

    def __init__(self) -> None:
        # Address, title and keywords, and the description of a page of the service.
        self._pages: list[tuple[str, str, str, tuple[str, ...]]] = []
        self._texts: list[str] = []  # HTML, or the path of a file with it

    def add(self, url: str, title: str, path: str, keywords: Iterable[str]) -> None:
        """Add a page at a root-relative address, whose file has the name of its content."""
        self._texts.append(path)
        self._pages.append((url, title, " ".join(keywords), ()))

    def add_described(self, url: str, title: str, description: str, words: Iterable[str]) -> None:
        """Add a page of the service; search shows its description instead of its text."""
        self._texts.append(escape(f"{title}. {description}"))
        self._pages.append((url, title, " ".join(words), (description,)))

    def write(self, site: Path) -> None:
        """Write the list of pages, and the words in files that browsers may cache for a year."""
        words = joined(self._kept_words())
        pages = [
            (url, title, number, keywords, *more)
            for (url, title, keywords, more), number in zip(self._pages, words.blocks, strict=True)
        ]
        places = {word: f"{first}{gaps}" for word, (first, _, gaps) in sorted(words.places.items())}
        files = {name: _compact(held) for name, held in shards(places)}
        version = hashlib.sha256(json.dumps([pages, files]).encode()).hexdigest()[:10]
        folder = f"assets/search.{version}"
        (site / folder).mkdir(parents=True)
        for name, held in files.items():
            (site / folder / f"{name}.json").write_text(held, "utf-8")
        listed = {"folder": f"/{folder}/", "files": " ".join(files), "pages": pages}
        (site / LIST).write_text(_compact(listed), "utf-8")

    def _kept_words(self) -> Iterator[Words]:
        """Yield the words of a few pages at a time, from the cache if unchanged."""
        for place in range(0, len(self._texts), TOGETHER):
            texts = self._texts[place : place + TOGETHER]
            name, made_from = self._pages[place][0], [*texts]
            before, words = cache.load("search", name) or ([], Words((), {}))
            if before != made_from:
                words = joined(_words(_html(text)) for text in texts)
                cache.save((made_from, words), "search", name)
            yield words


def _html(text: str) -> str:
    return Path(text).read_text("utf-8") if text.startswith("/") else text


def _compact(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def joined(parts: Iterable[Words]) -> Words:
    """Join the words of consecutive pages."""
    numbers: list[int] = []
    pieces: defaultdict[str, list[str]] = defaultdict(list)
    ends: dict[str, tuple[int, int]] = {}
    before = 0
    for blocks_of_part, places in parts:
        for word, (first, last, gaps) in places.items():
            if word in ends:
                begin, end = ends[word]
                pieces[word].append(f" {before + first - end}{gaps}")
            else:
                begin = before + first
                pieces[word].append(gaps)
            ends[word] = begin, before + last
        numbers += blocks_of_part
        before += sum(blocks_of_part)
    return Words(
        tuple(numbers), {word: (*ends[word], "".join(gaps)) for word, gaps in pieces.items()}
    )


def _words(html: str) -> Words:
    """Index the words of one page. Gaps are shorter to write than numbers of blocks."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    all_blocks = blocks(html)
    for number, block in enumerate(all_blocks):
        for word in {*block}:
            found[word].append(number)
    places = {
        word: (at[0], at[-1], "".join(f" {after - before}" for before, after in pairwise(at)))
        for word, at in found.items()
    }
    return Words((-(-len(all_blocks) // ROOM) * ROOM,), places)


def shards(words: Mapping[str, str], prefix: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Split sorted words into files by prefix.

    A file has the words that begin with its name. If these are too many, there is a file
    for each next letter, and the word equal to the prefix has a file with _ at the end of its name.
    """
    size = sum(len(word) + len(places) + 6 for word, places in words.items())
    if prefix and size <= LARGEST:
        yield prefix, dict(words)
        return
    for letter, group in groupby(words.items(), key=lambda item: item[0][len(prefix) :][:1]):
        if letter:
            yield from shards(dict(group), prefix + letter)
        else:
            yield f"{prefix}_", dict(group)


def blocks(html: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of each paragraph, heading, item or cell of a page's own text."""
    main = html.split('<main id="main"', 1)[-1].split('<section class="next', 1)[0]
    main = UNSEARCHED.sub("\n", main.split("</main>", 1)[0].split("</article>", 1)[0])
    text = unescape(TAG.sub("\n", INLINE.sub("", main).replace("\n", " ")))
    found = (tuple(WORD.findall(line)) for line in fold(text).split("\n"))
    return tuple(filter(None, found))


def fold(text: str) -> str:
    """Normalize a text: without case, accents and apostrophes, and with one spelling per word."""
    if not text.isascii():
        text = MARKS.sub("", unicodedata.normalize("NFKD", text))
    text = text.replace("'", "").lower()
    for pattern, spelling in SPELLINGS:
        text = pattern.sub(spelling, text)
    return text
