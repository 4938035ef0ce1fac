"""Draw the social card of each page: its title over the word, with its step's letter highlighted.

Pillow kerns only where a system library is installed, and cards have to be the same on all
machines. So each letter is placed by itself, by the typeface's own widths and kerning.
"""

import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from io import BytesIO
from itertools import chain, pairwise, takewhile
from pathlib import Path
from typing import Any
from unicodedata import category, normalize

from PIL import Image, ImageColor, ImageDraw, ImageFont

from ...action_framework.types import Step
from ...palette import LIGHT
from ..cache import CODE, keep, place
from .drawings import icon
from .typeface import FOLDER

SIZE = (1200, 630)  # pixels, like all lengths here that aren't in ems
LEFT, RIGHT, BOTTOM = 72, 1128, 570
HEAD, HEAD_SIZE, MARK, RULE = 66, 26, 18, 84  # baseline and sizes of the first line; what is below
ROOM = (LEFT, RULE + 1, SIZE[0], 380)  # for the title
TITLE, HEIGHT = 114, 242  # of the title: the top of its capitals, and of all lines
SIZES = (88, 80, 72, 66, 60, 54, 48, 42, 32)
READABLE = 48  # words that are too long for a line at this size are broken between letters
LINKS = re.compile(r"[^/\u2010-\u2014-]*[/\u2010-\u2014-]* ?")  # of a chain, as "and/or"
CAPITALS, PITCH, GAP, TRACKING = 0.67, 1.08, 0.14, -0.02  # ems; the pitch contains the gap
REGULAR, BOLD = "Regular", "Semibold"
UNSEEN = ("Cf", "Mn")  # controls, and accents that no letter of the typeface has
PARTS = 4  # of a pixel, at which a letter may begin
COLORS, SHADES = 64, 16  # of a card, and of them those between paper and ink
PAIRS, CLASSES = 2, 2  # in OpenType's GPOS: the type of a lookup, and the format of a table


class Cards:
    """The cards of a build's pages."""

    def __init__(self, practice: str, word: Callable[[str | None], str], mark: str) -> None:
        """Take the practice's name, how to draw the word for one step or none, and its mark."""
        self._practice, self._word, self._mark = practice, word, mark
        self.asked: set[str] = set()  # since this was last emptied
        self._drawn: set[str] = set()
        self._background = cache(self._draw_background)

    def address(self, title: str, step: Step | None = None) -> str:
        """Return the root-relative address of the card of a page with that title and step."""
        name, slug = (step.name, step.slug) if step else ("", None)
        made_from = (CODE, title, name, self._word(slug), self._practice, self._mark, LIGHT)
        path = keep("png", made_from, partial(self._draw, title, name, slug))
        self._drawn.add(path)
        self.asked.add(path)
        return f"/assets/cards/{os.path.basename(path)}"

    def write(self, site: Path, taken_over: Iterable[str]) -> None:
        """Write every requested card into the built site, and those of unchanged pages."""
        for path in self._drawn.union(taken_over):
            place(path, f"{site}/assets/cards/{os.path.basename(path)}")

    def _draw(self, title: str, name: str, slug: str | None) -> bytes:
        shades = Image.new("L", (ROOM[2] - ROOM[0], ROOM[3] - ROOM[1]))
        size, lines = fitted(_known(title))
        for number, line in enumerate(lines):
            baseline = TITLE - ROOM[1] + round((CAPITALS + number * PITCH) * size)
            _write(shades, (0, baseline), line, 255, size)
        shades = shades.point([COLORS - SHADES + shade * SHADES // 256 for shade in range(256)])
        card = self._background(name, slug).copy()
        card.paste(shades, ROOM)
        file = BytesIO()
        card.save(file, "PNG", compress_type=zlib.Z_RLE)
        return file.getvalue()

    def _draw_background(self, name: str, slug: str | None) -> Image.Image:
        """Draw all but the title, in few colors, of which the last are for the title."""
        card, left, practice = Image.new("RGB", SIZE, LIGHT["paper"]), LEFT, _known(self._practice)
        if self._mark:
            mark = _drawing(self._mark)
            mark.thumbnail((RIGHT - LEFT, MARK))
            card.paste(mark, (left, HEAD - MARK), mark)
            left, practice = left + mark.width, practice.removeprefix("ACTION")
        right = RIGHT - round(_width(name, BOLD) * HEAD_SIZE)
        most = (right - left) / HEAD_SIZE - 1
        practice, *_ = _lines([*_pieces(practice, most, HEAD_SIZE)], most)
        _write(card, (left, HEAD), practice, LIGHT["ink"], HEAD_SIZE)
        if slug:
            _write(card, (right, HEAD), name, LIGHT[f"hue-{slug}"], HEAD_SIZE, BOLD)
        card.paste(LIGHT["line"], (LEFT, RULE, RIGHT, RULE + 1))
        word = _drawing(self._word(slug))
        card.paste(word, (LEFT, BOTTOM - word.height), word)
        card = card.quantize(COLORS - SHADES)
        paper, ink = (ImageColor.getrgb(LIGHT[color]) for color in ("paper", "ink"))
        shades = (
            light + (dark - light) * shade // (SHADES - 1)
            for shade in range(SHADES)
            for light, dark in zip(paper, ink, strict=True)
        )
        first = bytes(card.getpalette() or ()).ljust(3 * (COLORS - SHADES))
        card.putpalette(first + bytes(shades))
        return card


def _drawing(svg: str) -> Image.Image:
    """Return a drawing as wide as a card's text."""
    square = Image.open(BytesIO(icon(svg, RIGHT - LEFT, paper=False)))
    return square.crop(square.getbbox())


def _known(text: str) -> str:
    """Replace letters that the typeface lacks by plainer ones, and drop all others."""
    return " ".join(filter(None, map(_known_word, normalize("NFC", text).split(" "))))


def _known_word(word: str) -> str:
    known = _font().getBestCmap()
    plain = "".join(one if ord(one) in known else normalize("NFKD", one) for one in word)
    seen = [one for one in plain if category(one) not in UNSEEN]
    shown = "".join(one for one in seen if ord(one) in known).strip()
    return shown if len(shown) == len(seen) or any(map(str.isalnum, shown)) else ""


def fitted(title: str) -> tuple[int, list[str]]:
    """Return the largest size at which a title fits, and its lines, of similar widths."""
    for size in SIZES:
        most = (RIGHT - LEFT) / size
        pieces = [*_pieces(title, most, size)]
        if _fits(lines := _lines(pieces, most), size):
            break
    while not _fits(lines, size):
        pieces[-2:] = [pieces[-2].rstrip(" ,:;") + "\u2026"]
        lines = _lines(pieces, most)
    narrower = (_lines(pieces, most * percent / 100) for percent in range(100, 50, -2))
    *_, lines = takewhile(lambda other: len(other) == len(lines), narrower)
    return size, lines


def _pieces(text: str, most: float, size: int) -> Iterator[str]:
    """Break a text into words, and what is wider than so many ems at its links, or into letters."""
    for word in text.split(" "):
        for part in LINKS.findall(f"{word} ") if _width(word) > most else [f"{word} "]:
            yield from part if size <= READABLE and _width(part.rstrip()) > most else [part]


def _fits(lines: Sequence[str], size: int) -> bool:
    widest = max(_width(line.rstrip()) for line in lines)
    return (len(lines) * PITCH - GAP) * size <= HEIGHT and widest * size <= RIGHT - LEFT


def _lines(pieces: Sequence[str], most: float) -> list[str]:
    """Join pieces of a title, with the space after each word, into lines of at most so many ems."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and _width(f"{lines[-1]}{piece}".rstrip()) > most:
            lines.append("")
        lines[-1] += piece
    return lines


def _write(
    image: Image.Image, at: tuple[int, int], text: str, color: Any, size: int, style: str = REGULAR
) -> None:
    """Write a line of text whose baseline begins at `at`."""
    left, baseline = float(at[0] * PARTS), at[1]
    for letter, after in pairwise(f"{text} "):
        whole, part = divmod(round(left), PARTS)
        shape, (x, y) = _shape(letter, style, size, part)
        image.paste(color, (whole + x, baseline + y), shape)
        left += _advance(letter, after, style) * size * PARTS


@cache
def _shape(letter: str, style: str, size: int, part: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return a letter's shape, and its place from the origin; drawing it takes longest."""
    font = ImageFont.truetype(_path(style), size, layout_engine=ImageFont.Layout.BASIC)
    shape = Image.new("L", (3 * size, 3 * size))
    ImageDraw.Draw(shape).text((size + part / PARTS, 2 * size), letter, 255, font, "ls")
    box = shape.getbbox() or (0, 0, 1, 1)
    return shape.crop(box), (box[0] - size, box[1] - 2 * size)


@cache
def _width(text: str, style: str = REGULAR) -> float:
    """Return the width of a text in ems."""
    return sum(_advance(*pair, style) for pair in pairwise(f"{text} "))


@cache
def _advance(letter: str, after: str, style: str) -> float:
    """Return the ems from a letter to the one after it."""
    font = _font(style)
    first, second = (font.getBestCmap().get(ord(one), ".notdef") for one in (letter, after))
    width, _ = font["hmtx"].metrics[first]
    return TRACKING + (width + _kerning(font, first, second)) / font["head"].unitsPerEm


def _kerning(font: Any, first: str, second: str) -> int:
    """Return by how much one glyph moves the next (OpenType's GPOS, lookup type 2)."""
    lookups = font["GPOS"].table.LookupList.Lookup
    for table in chain.from_iterable(one.SubTable for one in lookups if one.LookupType == PAIRS):
        if first not in table.Coverage.glyphs:
            continue
        if table.Format == CLASSES:
            row = table.Class1Record[table.ClassDef1.classDefs.get(first, 0)]
            value = row.Class2Record[table.ClassDef2.classDefs.get(second, 0)].Value1
            return value.XAdvance if value else 0
        for pair in table.PairSet[table.Coverage.glyphs.index(first)].PairValueRecord:
            if pair.SecondGlyph == second:
                return pair.Value1.XAdvance
    return 0


@cache
def _font(style: str = REGULAR) -> Any:
    from fontTools.ttLib import TTFont  # imported here, because cards are usually cached

    return TTFont(_path(style), lazy=True)


def _path(style: str) -> Path:
    return FOLDER / f"SourceSerifPro-{style}.otf"
