"""Build the assets of pages: the style sheet, scripts, icons and the typeface.

Each is published under a name with a hash of its content, so that browsers may cache it for
a year. Sources are in styles/ (joined in the order of STYLES), scripts/ and icons/.

The stylesheet and the first script also stand in the pages themselves: on a slow phone, a second
trip to the server doubles the time to the first words.
"""

import gzip
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import brotli
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from .. import own_files, palette
from .cache import find, hash_of, keep, place
from .media import drawings, pictures, typeface

THEME = Path(__file__).resolve().parents[2] / "site_overrides"
# Cascade layers, in this order. The service's are between pages and print.
STYLES = ("tokens", "base", "signature", "components", "frame", "pages", "print")
OF_SERVICE = tuple(name for name in STYLES if name != "pages")  # the service's own come later
LAYERS = (*STYLES[:-1], "service", "print")
# Files of the theme, our sources, and texts that pages include.
UNPUBLISHED = ("assets/", "styles/", "scripts/", "icons/", "drawings/", "includes/", "preview/")
TEXT = {".html", ".css", ".js", ".json", ".xml", ".txt", ".svg", ".yml", ".webmanifest"}
SMALLEST = 200  # bytes; smaller files gain less than the encoding header costs
MANY = 200  # pages
LOGO_HEIGHT = 32  # pixels
RASTER_SIDE = 128  # pixels to which a logo is reduced for checking
LEAST_SEEN = 0.1  # least visible share of a logo
ICONS = (180, 192, 512)  # pixels: for Apple's home screen, and two for the manifest


@dataclass(frozen=True)
class Assets:
    """The published assets: root-relative addresses by name, and inlined content."""

    address: Mapping[str, str]
    style: str
    style_of_writing: str  # for pages that use Material's syntax
    script: str
    logo: "Logo | None"


class Logo(NamedTuple):
    """A picture instead of the practice's name, with the height of the masthead."""

    url: str
    width: int
    height: int


class Look:
    """The practice's own logo and icon, if any, and their `faults`."""

    def __init__(self, docs: Path, logo: str, icon: str) -> None:
        self._docs = docs
        self.faults: list[str] = []
        self.logo_name = Path(logo).name
        self.logo, self._size = self._file("logo", logo), (0, 0)
        if self.logo:
            self._measure(logo)
        drawn = self._file("icon", icon)
        if icon and not icon.endswith(".svg"):
            self.faults.append(f"icon: {icon} has to be an SVG, from which we draw the other sizes")
        elif drawn:
            try:
                pictures.refuse_scripts(drawn)
            except ValueError as error:
                self.faults.append(f"icon: {icon} {error}")
        self.icon = _our_icon() if not drawn or self.faults else drawn.decode()

    def _file(self, key: str, name: str) -> bytes:
        try:
            return (self._docs / name).read_bytes() if name else b""
        except OSError:
            self.faults.append(f"{key}: there is no file docs/{name}")
            return b""

    def _measure(self, name: str) -> None:
        """Find the size of the logo, and the kinds of paper on which it cannot be seen."""
        ending = Path(name).suffix.lower()
        try:
            of_file = pictures.drawn if ending in pictures.DRAWN else pictures.measured
            found = of_file(self.logo, ending)
        except ValueError as error:
            self.faults.append(f"logo: {name} {error}")
            return
        self._size = round(LOGO_HEIGHT * found.width / found.height), LOGO_HEIGHT
        schemes = {"light": palette.LIGHT["paper"], "dark": palette.DARK["paper"]}
        if ending == ".svg" and b"prefers-color-scheme" in self.logo:
            del schemes["dark"]  # the logo has its own dark colors
        for word, paper in schemes.items():
            seen = pictures.share_seen(self._raster(ending), paper)
            if seen < LEAST_SEEN:
                self.faults.append(
                    f"logo: {name} is hard to see on a {word} background: {seen:.0%} of it has a "
                    f"contrast of {pictures.CONTRAST} or more, and {LEAST_SEEN:.0%} must have it"
                )

    def _raster(self, ending: str) -> bytes:
        if ending != ".svg":
            return self.logo
        return drawings.icon(self.logo.decode(), RASTER_SIDE, paper=False)

    def published_logo(self, publish: Callable[[str, bytes], str]) -> Logo | None:
        return Logo(publish(self.logo_name, self.logo), *self._size) if self.logo else None


def _our_icon() -> str:
    """Return our icon in the practice's accent."""
    svg = (THEME / "icons" / "icon.svg").read_text("utf-8")
    light, dark = palette.COLORS["accent"]
    return svg.replace(light, palette.LIGHT["accent"]).replace(dark, palette.DARK["accent"])


def published(config: MkDocsConfig, files: Files, look: Look, *, is_preview: bool) -> Assets:
    """Add every asset to the build, those of a preview only to a preview."""
    addresses: dict[str, str] = {}

    def publish_asset(name: str, content: bytes) -> str:
        return addresses.setdefault(name, publish(config, files, name, content))

    scripts = {path.name: _lean_js(path.read_text("utf-8")) for path in THEME.glob("scripts/*.js")}
    of_search = publish_asset("search.css", own_files.lean_css(_sheet("frame", "search")).encode())
    scripts["search.js"] = scripts["search.js"].replace('"search.css"', f'"{of_search}"')
    for name, script in scripts.items():
        publish_asset(name, script.encode())
    for side in ICONS:
        publish_asset(f"icon-{side}.png", drawings.icon(look.icon, side, paper=True))
    publish_asset("icon.svg", look.icon.encode())
    files.append(File.generated(config, "favicon.ico", content=drawings.favicon(look.icon)))
    for path, source in own_files.by_address().items():
        content = source.read_text("utf-8")
        lean = own_files.lean_css(content) if path.endswith(".css") else _lean_js(content)
        files.append(File.generated(config, path.lstrip("/"), content=lean))
    for extra in sorted(THEME.glob("preview/*")) if is_preview else ():
        publish_asset(extra.name, extra.read_bytes())
    style = _stylesheet(publish_asset, STYLES)
    publish_asset("site.css", _stylesheet(publish_asset, OF_SERVICE).encode())
    of_writing = own_files.lean_css(_sheet("pages", "writing"))
    logo = look.published_logo(publish_asset)
    return Assets(addresses, style, of_writing, scripts["boot.js"], logo)


def publish(config: MkDocsConfig, files: Files, name: str, content: bytes) -> str:
    """Add one file to the build, and return its root-relative address."""
    stem, ending = name.rsplit(".", 1)
    path = f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{ending}"
    if path not in files.src_uris:
        files.append(File.generated(config, path, content=content))
    return f"/{path}"


def _stylesheet(publish: Callable[[str, bytes], str], names: Iterable[str]) -> str:
    """Join the font faces, the colors and these style sheets."""
    faces = typeface.faces(publish)
    sheets = [_layer("tokens", palette.css())]
    sheets += [_sheet(name, name) for name in names]
    return own_files.lean_css("\n".join((f"@layer {','.join(LAYERS)};", faces, *sheets)))


def _sheet(layer: str, name: str) -> str:
    return _layer(layer, (THEME / "styles" / f"{name}.css").read_text("utf-8"))


def _layer(name: str, sheet: str) -> str:
    return f"@layer {name} {{{sheet}}}"


def _lean_js(script: str) -> str:
    """Remove comments on separate lines, and indentation."""
    return re.sub(r"^\s*(?://.*)?\n?", "", script, flags=re.MULTILINE)


class Compressor:
    """Write reproducible .gz and .br files beside each text file.

    Pages are compressed while the next ones are rendered, and unchanged ones since
    an earlier build are reused.
    """

    def __init__(self, pages: int) -> None:
        """Take the number of pages.

        Brotli's best level saves a tenth more but takes 100 ms per page, too long for a thousand
        pages. Level 5 takes 2 ms; level 9 takes half as long again to save another hundredth.
        Few programs ask for gzip; its level 4 takes half the time of 6, and 4 % more bytes.
        """
        quality, level = (11, 6) if pages <= MANY else (5, 4)
        self._encodings = {
            "br": partial(brotli.compress, mode=brotli.MODE_TEXT, quality=quality, lgwin=16),
            "gz": partial(gzip.compress, compresslevel=level, mtime=0),
        }
        self._made_with = (brotli.__version__, quality, level)
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._copies: list[tuple[str, str | Future[str]]] = []  # target path and content
        self._taken: set[str] = set()

    def add(self, path: str, digest: str, source: str) -> None:
        """Add a file that is, or will be, at `path`; `source` has the content of that hash."""
        self._taken.add(path)
        made_from = (*self._made_with, digest)
        for ending, compress in self._encodings.items():
            copy = find(ending, made_from) or self._pool.submit(
                keep, ending, made_from, partial(_compressed, source, compress)
            )
            self._copies.append((f"{path}.{ending}", copy))

    def finish(self, site: Path) -> None:
        """Add all other text files of the built site, and write all compressed files."""
        for folder, _, names in os.walk(site):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.splitext(name)[1] in TEXT and path not in self._taken:
                    content = Path(path).read_bytes()
                    if len(content) >= SMALLEST:
                        self.add(path, hash_of(content), path)
        for at, copy in self._copies:
            place(copy if isinstance(copy, str) else copy.result(), at)
        self._pool.shutdown()


def _compressed(source: str, compress: Callable[[bytes], bytes]) -> bytes:
    return compress(Path(source).read_bytes())
