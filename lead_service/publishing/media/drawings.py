"""Draw the social card of each page, and the icons.

typst draws both, from the templates in drawings/, with the site's own typeface and no network.
A card takes about 20 ms, so each is cached until something in it changes, and new ones are
drawn while the next pages are rendered, because typst releases Python's interpreter lock.
"""

import os
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import typst

from ... import palette
from ..cache import content, keep, path_of, place
from . import typeface

THEME = Path(__file__).resolve().parents[3] / "site_overrides"
TEMPLATES = THEME / "drawings"
TYPST = version("typst")
POINTS_AN_INCH = 72  # one pixel per point


class Cards:
    """The cards of a build's pages, drawn in the background."""

    def __init__(self, practice: str, word, mark: str) -> None:
        """Take the practice's name, how to draw the word for one step or none, and its mark."""
        self._practice, self._word, self._mark = practice, word, mark
        self.asked: set[str] = set()  # since this was last emptied
        self._drawn: dict[str, Future[str]] = {}
        self._pool = ThreadPoolExecutor(1)  # the compiler isn't thread-safe

    def address(self, title: str, step=None) -> str:
        """Return the root-relative address of the card of a page with that title and step."""
        inputs = {
            "title": title,
            "kicker": step.name if step else "",
            "practice": self._practice,
            "word": self._word(step.slug if step else None),
            "mark": self._mark,
            "hue": palette.LIGHT[f"hue-{step.slug}" if step else "ink"],
            **{name: palette.LIGHT[name] for name in ("paper", "ink", "line")},
        }
        made_from = _made_from("card", inputs)
        path = path_of("png", made_from)
        if path not in self._drawn:
            draw = partial(_draw, "card", inputs)
            self._drawn[path] = self._pool.submit(keep, "png", made_from, draw)
        self.asked.add(path)
        return f"/assets/cards/{os.path.basename(path)}"

    def write(self, site: Path, taken_over: Iterable[str]) -> None:
        """Write every requested card into the built site, and those of unchanged pages."""
        folder = site / "assets" / "cards"
        folder.mkdir(parents=True, exist_ok=True)
        drawn = {card.result() for card in self._drawn.values()}
        self._pool.shutdown()
        for path in drawn.union(taken_over):
            place(path, f"{folder}/{os.path.basename(path)}")


def _made_from(template: str, inputs: Mapping[str, str]) -> tuple:
    return (TYPST, (TEMPLATES / f"{template}.typ").read_bytes(), sorted(inputs.items()))


def _draw(template: str, inputs: Mapping[str, str]) -> bytes:
    drawn = _compiler().compile(
        str(TEMPLATES / f"{template}.typ"),
        format="png",
        ppi=POINTS_AN_INCH,
        sys_inputs=dict(inputs),
    )
    assert isinstance(drawn, bytes)  # it would be a list for several pages
    return drawn


@cache  # reading the fonts takes longer than drawing
def _compiler() -> typst.Compiler:
    return typst.Compiler(
        root=str(TEMPLATES), font_paths=[str(typeface.FOLDER)], ignore_system_fonts=True
    )


def icon(svg: str, side: int, *, paper: bool) -> bytes:
    """Return an icon as a PNG of `side` pixels; with paper, it leaves room for rounded corners."""
    inputs = {
        "icon": svg,
        "side": str(side),
        "part": "0.7" if paper else "1",
        "paper": palette.LIGHT["paper"] if paper else "",
    }
    return content("png", _made_from("icon", inputs), partial(_draw, "icon", inputs))


def favicon(svg: str) -> bytes:
    """Return favicon.ico, for programs that request it by default: a header around one PNG."""
    image = icon(svg, 32, paper=False)
    header = struct.pack("<3H", 0, 1, 1)
    entry = struct.pack("<4B2H2I", 32, 32, 0, 0, 1, 32, len(image), 22)
    return header + entry + image
