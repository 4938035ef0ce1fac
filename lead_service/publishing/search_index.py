"""Write the index of the full text: which words are in which paragraphs of which pages.

A browser loads the list of pages, and of the words only the files whose words begin like those that
a visitor asks for. It takes the passages that it shows from the pages themselves, so these are
stored once. site_overrides/scripts/search.js reads all of it.
"""

import hashlib
import json
import pickle
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape, unescape
from itertools import groupby, pairwise
from pathlib import Path

from .cache import keep

LIST = "search.json"
LARGEST = 24_000  # bytes of one file of words, before compression
PAGES = 300  # kept in memory
SHORTEST = 2  # letters of a word that is worth an entry
UNSEARCHED = re.compile(
    r"(?s)<(nav|form|svg|fieldset|button|footer)\b.*?</\1>"
    r'|<ul class="[^"]*(?:entries|older)">.*?</ul>'
)
INLINE = re.compile(
    r"</?(?:a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|time|u|wbr)\b"
    r"[^>]*>"
)
TAG = re.compile(r"<[^>]+>")
MARKS = re.compile("[\u0300-\u036f\u2019]")  # accents, once they are characters of their own
WORD = re.compile(r"[^\W_]+")
# One spelling of words that British and Americans, or people in a hurry, write in two ways.
# The beginning of a word folds to the beginning of the folded word: search needs only that.
SPELLINGS = (
    (re.compile(r"([iy])z"), r"\1s"),  # organize
    (re.compile(r"([a-z]{3})or"), r"\1our"),  # behavior
    (re.compile(r"\be-mail"), "email"),
    (re.compile(r"(\d),(?=\d{3})"), r"\1"),  # 360,000
)


class SearchIndex:
    """The words of all pages of a build; pages are added in the order of the site's files."""

    def __init__(self) -> None:
        # Address, title, blocks, keywords, and what is known of a page that is not of the site.
        self._pages: list[tuple[str | int, ...]] = []
        self._places: defaultdict[str, list[str]] = defaultdict(list)  # blocks, as gaps
        self._last: dict[str, int] = {}  # block of each word
        self._blocks = 0

    def add(self, url: str, title: str, html: str, keywords: Iterable[str] = ()) -> None:
        """Take a built page at a root-relative address, and other words by which it is found."""
        number, places = _kept_places(html)
        for word, (first, last, gaps) in places.items():
            gap = self._blocks + first - self._last.get(word, 0)
            self._places[word].append(f"{gap}{gaps}")
            self._last[word] = self._blocks + last
        self._blocks += number
        self._pages.append((url, title, number, " ".join(keywords)))

    def add_described(self, url: str, title: str, description: str, words: Iterable[str]) -> None:
        """Take a page of the service; search shows its description and loads no text."""
        self.add(url, title, escape(f"{title}. {description}"), words)
        self._pages[-1] += (description,)

    def write(self, site: Path) -> None:
        """Write the list of pages, and the words in files that browsers may keep for a year."""
        files = dict(shards({word: " ".join(self._places[word]) for word in sorted(self._places)}))
        version = hashlib.sha256(json.dumps([self._pages, files]).encode()).hexdigest()[:10]
        folder = f"assets/search.{version}"
        (site / folder).mkdir(parents=True)
        for name, words in files.items():
            (site / folder / f"{name}.json").write_text(_compact(words), "utf-8")
        listed = {"folder": f"/{folder}/", "files": " ".join(files), "pages": self._pages}
        (site / LIST).write_text(_compact(listed), "utf-8")


def _compact(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


@lru_cache(PAGES)  # a preview asks for all pages again at each save
def _kept_places(html: str) -> tuple[int, dict[str, tuple[int, int, str]]]:
    """Return the places of a page's words, from an earlier build if there was one."""
    made_from = (Path(__file__).read_bytes(), hashlib.sha256(html.encode()).hexdigest())
    kept = keep("places", made_from, lambda: pickle.dumps(_places(html)))
    return pickle.loads(kept.read_bytes())


def _places(html: str) -> tuple[int, dict[str, tuple[int, int, str]]]:
    """Count a page's blocks; say of each word its first and last one, and the gaps between.

    Gaps are short, which numbers of blocks are not.
    """
    found: defaultdict[str, list[int]] = defaultdict(list)
    all_blocks = blocks(html)
    for number, block in enumerate(all_blocks):
        for word in {*block}:
            found[word].append(number)
    return len(all_blocks), {
        word: (
            places[0],
            places[-1],
            "".join(f" {after - before}" for before, after in pairwise(places)),
        )
        for word, places in found.items()
    }


def shards(words: Mapping[str, str], prefix: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Share out sorted words to files by how they begin.

    A file holds the words that begin with its name. Where these would be too many, there is a file
    for each next letter, and the word that ends there has a file named with a line below it.
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
    found = (
        tuple(word for word in WORD.findall(line) if len(word) >= SHORTEST)
        for line in fold(text).split("\n")
    )
    return tuple(filter(None, found))


def fold(text: str) -> str:
    """Return a text without case, accents and apostrophes, and with one spelling of each word."""
    if not text.isascii():
        text = MARKS.sub("", unicodedata.normalize("NFKD", text))
    text = text.replace("'", "").lower()
    for pattern, spelling in SPELLINGS:
        text = pattern.sub(spelling, text)
    return text
