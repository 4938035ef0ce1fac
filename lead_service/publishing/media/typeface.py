"""Subset the typeface to the site's characters, and match the fallback's metrics to it.

Source Serif Pro comes from its package and isn't checked in. The range is fixed, because
the service's texts (a visitor's name) aren't known at build: one file has ASCII and
typographic punctuation, a second the rest of Latin, which browsers fetch only when a page needs
it.
"""

import io
from collections.abc import Callable
from pathlib import Path

import font_source_serif_pro
import fontTools

from .. import cache

FOLDER = Path(font_source_serif_pro.font_directory)
STYLES = (("Regular", 400, "normal"), ("It", 400, "italic"), ("Semibold", 600, "normal"))
RANGES = {
    "": "U+20-7E,U+A0,U+A9,U+AE,U+B7,U+D7,U+2013-2014,U+2018-2019,U+201C-201D,U+2022,U+2026,"
    "U+2122,U+2190,U+2192,U+2212",
    "-latin": "U+A1-A8,U+AA-AD,U+AF-B6,U+B8-D6,U+D8-17F,U+218-21B,U+1E9E,U+2020-2021,U+2030,"
    "U+2032-2033,U+2039-203A,U+20AC",
}
# Lining figures by default, old-style ones on request. Ligatures are for running text only: in
# the few words of other styles, they aren't worth a kilobyte.
FEATURES = {
    "Regular": ["kern", "liga", "onum"],
    "It": ["kern", "onum"],
    "Semibold": ["kern", "onum"],
}

# Common serifs and the mean width of their letters in ems, measured over a page of English. Ours
# has a mean of 0.4353 and the heights below it.
FALLBACKS = (
    ("Georgia", ("Georgia", "Gelasio"), 0.4286),
    ("Times", ("Times New Roman", "Liberation Serif", "Tinos"), 0.3929),
    ("Noto", ("Noto Serif", "Droid Serif"), 0.4720),
    ("DejaVu", ("DejaVu Serif",), 0.5019),
)
MEAN_WIDTH, ASCENT, DESCENT = 0.4353, 1.036, 0.335
# A glyph made of others may be set as wide as the first of them. The typeface asks for it where it
# is wrong: on Android and Linux a double quotation mark would be no wider than a single one.
BORROWED_WIDTH = 0x0200  # USE_MY_METRICS, in OpenType's glyf table


def faces(publish: Callable[[str, bytes], str]) -> str:
    """Publish the font files; return the CSS of them and their fallbacks."""
    rules = []
    for style, weight, slant in STYLES:
        for suffix, characters in RANGES.items():
            url = publish(f"serif-{style.lower()}{suffix}.woff2", cut(style, characters))
            rules.append(
                f'@font-face{{font-family:"Source Serif";font-weight:{weight};font-style:{slant};'
                f'font-display:optional;src:url({url})format("woff2");unicode-range:{characters}}}'
            )
    return "\n".join((*rules, *map(_stand_in, FALLBACKS)))


def _stand_in(fallback: tuple[str, tuple[str, ...], float]) -> str:
    """Return CSS that adapts an installed serif to our metrics, so that lines break alike."""
    name, locals_, width = fallback
    size = MEAN_WIDTH / width
    sources = ",".join(f'local("{local}")' for local in locals_)
    return (
        f'@font-face{{font-family:"Serif {name}";src:{sources};size-adjust:{size:.2%};'
        f"ascent-override:{ASCENT / size:.2%};descent-override:{DESCENT / size:.2%};"
        "line-gap-override:0%}"
    )


def cut(style: str, characters: str) -> bytes:
    """Return a WOFF2 file with only the given characters."""
    source = FOLDER / f"SourceSerifPro-{style}.ttf"
    features = FEATURES[style]
    made_from = (fontTools.version, source.read_bytes(), characters, features, BORROWED_WIDTH)
    return cache.content("woff2", made_from, lambda: _cut(source, characters, features))


def _cut(source: Path, characters: str, features: list[str]) -> bytes:
    # Imported here, because fonts are usually cached.
    from fontTools import subset
    from fontTools.ttLib import newTable

    options = subset.Options(
        flavor="woff2", layout_features=features, hinting=False, notdef_outline=True
    )
    font = subset.load_font(source, options)
    del font["name"]  # looking for the names in use takes a quarter of the time
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=subset.parse_unicodes(characters))
    cutter.subset(font)
    for glyph in font["glyf"].glyphs.values():
        glyph.expand(font["glyf"])
        for part in glyph.components if glyph.isComposite() else ():
            part.flags &= ~BORROWED_WIDTH
    font["name"] = newTable("name")
    font["name"].names = []
    result = io.BytesIO()
    subset.save_font(font, result, options)
    return result.getvalue()
