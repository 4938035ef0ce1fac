"""Make what pages load besides their HTML: a stylesheet, two scripts, an icon and the typeface.

Each is published under a name that holds a hash of its content, so that browsers may keep it for
a year. Sources lie in styles/ (joined in the order of their names), scripts/ and icons/.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import brotli
import typeface
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from rcssmin import cssmin

HERE = Path(__file__).resolve().parent
UNPUBLISHED = ("assets/", "styles/", "scripts/", "icons/")  # the theme's files, and our sources
TEXT = {".html", ".css", ".js", ".json", ".xml", ".txt", ".svg", ".yml"}
SMALLEST = 200  # bytes; below this the header that names the encoding outweighs what it saves
MANY = 200  # text files


def published(config: MkDocsConfig, files: Files) -> Mapping[str, str]:
    """Add every asset to the build; return their root-relative addresses by plain name."""
    addresses: dict[str, str] = {}

    def publish(name: str, content: bytes) -> str:
        stem, ending = name.rsplit(".", 1)
        path = f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{ending}"
        files.append(File.generated(config, path, content=content))
        return addresses.setdefault(name, f"/{path}")

    for source in (*HERE.glob("scripts/*.js"), *HERE.glob("icons/*.svg")):
        publish(source.name, source.read_bytes())
    publish("site.css", _stylesheet(publish))
    return addresses


def _stylesheet(publish: Callable[[str, bytes], str]) -> bytes:
    """Join the font faces and our sheets, and take out what browsers do not need."""
    faces = typeface.faces(publish)
    sheets = (sheet.read_text("utf-8") for sheet in sorted(HERE.glob("styles/*.css")))
    return cssmin("\n".join((faces, *sheets))).encode()


def compress(site: Path) -> None:
    """Write a .gz and a .br beside each text file of the built site, the same on every run."""
    texts = [path for path in site.rglob("*") if path.is_file() and path.suffix in TEXT]
    # Brotli's best saves a seventh and takes 13 ms a page, too long for a thousand of them; its
    # second best takes 1 ms, as long as the window is small.
    quality = 11 if len(texts) <= MANY else 9
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(_compress, quality), texts))


def _compress(quality: int, path: Path) -> None:
    content = path.read_bytes()
    if len(content) < SMALLEST:
        return
    small = brotli.compress(content, mode=brotli.MODE_TEXT, quality=quality, lgwin=16)
    path.with_name(path.name + ".br").write_bytes(small)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
