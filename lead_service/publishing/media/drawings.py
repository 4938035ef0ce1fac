"""Draw the site's icons, and any other SVG, as PNGs: typst reads SVG and needs no network."""

import struct
from functools import partial
from pathlib import Path

import typst

from ... import palette
from ..cache import CODE, content

TEMPLATE = Path(__file__).resolve().parents[3] / "site_overrides" / "drawings" / "icon.typ"
POINTS_AN_INCH = 72  # one pixel per point


def icon(svg: str, side: int, *, paper: bool) -> bytes:
    """Return an icon as a PNG of `side` pixels; with paper, it leaves room for rounded corners."""
    inputs = {
        "icon": svg,
        "side": str(side),
        "part": "0.7" if paper else "1",
        "paper": palette.LIGHT["paper"] if paper else "",
    }
    made_from = (CODE, TEMPLATE.read_bytes(), sorted(inputs.items()))
    return content("png", made_from, partial(_draw, inputs))


def _draw(inputs: dict[str, str]) -> bytes:
    drawn = typst.compile(
        TEMPLATE, format="png", ppi=POINTS_AN_INCH, ignore_system_fonts=True, sys_inputs=inputs
    )
    assert isinstance(drawn, bytes)  # it would be a list for several pages
    return drawn


def favicon(svg: str) -> bytes:
    """Return favicon.ico, for programs that request it by default: a header around one PNG."""
    image = icon(svg, 32, paper=False)
    header = struct.pack("<3H", 0, 1, 1)
    entry = struct.pack("<4B2H2I", 32, 32, 0, 0, 1, 32, len(image), 22)
    return header + entry + image
