"""Publish each picture of a page in several sizes, with its width and height in the HTML.

As WebP, which every browser since 2020 reads, without the camera's metadata.
"""

import hashlib
import re
import xml.etree.ElementTree as etree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from io import BytesIO
from typing import Any

import PIL
from PIL import Image, ImageOps, UnidentifiedImageError

from ... import palette
from .. import cache

WIDTHS = (400, 800, 1216)  # pixels; the last is the text's width on a screen of double density
PORTRAIT_WIDTHS = (96, 192, 384)  # pixels
SIZES = "(min-width: 42rem) 38rem, calc(100vw - 2rem)"
BUDGET = 150_000  # bytes of the largest size
QUALITIES = (80, 65, 50)  # the first whose largest size is within the budget
ABOVE_THE_FOLD = 1500  # characters of HTML before a picture that is visible at once
IMAGE = re.compile(r'<img\b[^>]*?\bsrc="(?P<src>[^"]+)"[^>]*?/?>')
GIVEN = re.compile(r'\s(?:src|width|height|loading|srcset|sizes)="[^"]*"')
PIXELS = re.compile(r'\s(width|height)="(\d+)(?:px)?"')
FOR_ONE_SCHEME = ("only-light", "only-dark")
VIEW_BOX = re.compile(rb"""\bviewBox=["'][\d.-]+[ ,]+[\d.-]+[ ,]+([\d.]+)[ ,]+([\d.]+)""")
KEPT = {"transparency", "icc_profile"}  # metadata to keep
WRITTEN_BY_CAMERAS = {"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment", "Comment"}
LOOKED_AT = (128, 128)  # pixels
HALF = 127  # of 255: less opaque pixels don't count as visible
CONTRAST = 3  # of a picture on paper (WCAG 2.2, 1.4.11)
RASTER = {".png", ".jpg", ".jpeg", ".webp", ".avif"}
DRAWN = {".svg", ".gif"}


@dataclass(frozen=True)
class Sized:
    """One published picture: its own width and height, and each size by its width."""

    width: int
    height: int
    sizes: Sequence[tuple[int, bytes]]  # smallest first


def opened(picture: bytes) -> Image.Image:
    """Return a picture that is read to its end; raise `ValueError` with the fault."""
    try:
        image = Image.open(BytesIO(picture))
        image.load()
    except UnidentifiedImageError:
        raise ValueError("is not a picture: use a JPEG, PNG or WebP") from None
    except Image.DecompressionBombError:
        raise ValueError("has too many pixels: make it smaller") from None
    except Exception as error:  # each format has its own kinds
        raise ValueError("is damaged: save or download it again") from error
    return image


def sized(picture: bytes) -> Sized:
    """Return a picture in each of `WIDTHS` up to its own; raise `ValueError` with the fault."""
    with opened(picture) as image:
        size = ImageOps.exif_transpose(image).size
    widths = [width for width in WIDTHS if width < size[0]]
    widths.append(min(size[0], WIDTHS[-1]))
    widths = [*dict.fromkeys(widths)]
    made_from = (PIL.__version__, hashlib.sha256(picture).hexdigest())
    for quality in QUALITIES:
        sent: list[tuple[int, bytes]] = []
        for width in widths:
            make = partial(_webp, picture, width, quality)
            sent.append((width, cache.content("webp", (*made_from, width, quality), make)))
        if len(sent[-1][1]) <= BUDGET:
            return Sized(*size, sent)
    raise ValueError(
        f"weighs {len(sent[-1][1]) // 1000} kB when it is {sent[-1][0]} pixels wide, and "
        f"the limit is {BUDGET // 1000} kB: crop it, or choose one with less detail"
    )


def drawn(picture: bytes, ending: str) -> Sized:
    """Return a drawing or an animation unchanged, with its size."""
    if len(picture) > BUDGET:
        raise ValueError(
            f"weighs {len(picture) // 1000} kB (limit: {BUDGET // 1000}): use a JPEG or PNG"
        )
    if ending == ".gif":
        return measured(picture, ending)
    refuse_scripts(picture)
    if found := VIEW_BOX.search(picture):
        width, height = (round(float(one)) for one in found.groups())
        return Sized(width, height, [(width, picture)])
    raise ValueError("has no viewBox, which says how large a drawing is")


def measured(picture: bytes, _ending: str) -> Sized:
    """Return a picture unchanged, such as a logo, with its size."""
    if len(picture) > BUDGET:
        raise ValueError(f"weighs {len(picture) // 1000} kB (limit: {BUDGET // 1000})")
    with opened(picture) as image:
        return Sized(*image.size, [(image.width, picture)])


def refuse_scripts(svg: bytes) -> None:
    """Refuse a drawing with scripts, which browsers don't run here, and one that isn't whole."""
    try:
        elements = [*etree.fromstring(svg).iter()]
    except etree.ParseError as error:
        raise ValueError(f"is damaged: {error}") from None
    for one in elements:
        is_script = one.tag.rpartition("}")[2] == "script"
        if is_script or any(name.startswith("on") for name in one.attrib):  # such as onload
            raise ValueError("contains a script, which browsers won\u2019t run: export it without")


def without_camera_data(picture: bytes) -> bytes:
    """Return a directly linked picture, upright and without the camera's metadata.

    One without metadata is unchanged. Raises ValueError for an invalid picture.
    """
    with opened(picture) as image:
        is_moving = getattr(image, "is_animated", False)
        if is_moving or not WRITTEN_BY_CAMERAS & image.info.keys():
            return picture
    made_from = ("upright", PIL.__version__, hashlib.sha256(picture).hexdigest())
    return cache.content("picture", made_from, partial(_upright, picture))


def _upright(picture: bytes) -> bytes:
    with opened(picture) as image:
        upright = ImageOps.exif_transpose(image)
        upright.info = {key: upright.info[key] for key in KEPT & upright.info.keys()}
        file = BytesIO()
        upright.save(file, image.format, quality=90)
    return file.getvalue()


def _webp(picture: bytes, width: int, quality: int) -> bytes:
    with opened(picture) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode not in ("RGB", "RGBA"):
            upright = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
        height = round(upright.height * width / upright.width)
        file = BytesIO()
        upright.resize((width, height)).save(file, "WEBP", quality=quality, method=6)
    return file.getvalue()


def _shown(picture: Sized, tag: str) -> tuple[int, int]:
    """Return the width and height given by the author, at most the picture's own."""
    given = {name: int(pixels) for name, pixels in PIXELS.findall(tag)}
    part = min(
        1.0,
        given.get("width", picture.width) / picture.width,
        given.get("height", picture.height) / picture.height,
    )
    return round(picture.width * part), round(picture.height * part)


def share_seen(picture: bytes, paper: str) -> float:
    """Return the share of a picture's visible area with enough contrast to paper, 0 to 1."""
    with opened(picture) as whole:
        image = whole.convert("RGBA")
    image.thumbnail(LOOKED_AT)
    shown = Image.new("RGBA", image.size, paper)
    shown.alpha_composite(image)
    shown.putalpha(image.getchannel("A"))
    visible = seen = 0
    colors: Any = shown.getcolors(image.width * image.height)
    for count, (red, green, blue, opacity) in colors:
        if opacity > HALF:
            visible += count
            color = f"#{red:02x}{green:02x}{blue:02x}"
            seen += count if palette.contrast(color, paper) >= CONTRAST else 0
    return seen / max(visible, 1)


def rewritten(html: str, find: Callable[[str], tuple[Sized, Sequence[str]] | None]) -> str:
    """Add each picture's size, and the list of sizes for browsers, to the HTML.

    `find` returns a picture's data and the address of each size.
    """

    def image(found: re.Match[str]) -> str:
        known = find(found["src"])
        if known is None:
            return found[0]
        picture, addresses = known
        _, hash_mark, fragment = found["src"].partition("#")
        addresses = [address + hash_mark + fragment for address in addresses]
        width, height = _shown(picture, found[0])
        attributes = {"src": addresses[-1], "width": width, "height": height}
        if len(addresses) > 1:
            offered = zip(addresses, picture.sizes, strict=True)
            srcset = ", ".join(f"{address} {width}w" for address, (width, _) in offered)
            sizes = SIZES if width == picture.width else f"{width}px"
            attributes |= {"srcset": srcset, "sizes": sizes}
        # Of a light and a dark version, browsers load only the shown one.
        if found.start() > ABOVE_THE_FOLD or fragment in FOR_ONE_SCHEME:
            attributes["loading"] = "lazy"
        written = "".join(f' {name}="{escape(str(one))}"' for name, one in attributes.items())
        kept = GIVEN.sub("", found[0]).removeprefix("<img").rstrip(" />")
        return f"<img{written}{kept}>"

    return IMAGE.sub(image, html)


def squares(picture: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield width and JPEG of a portrait for each of `PORTRAIT_WIDTHS` up to its own.

    Emails show portraits, too, so they are no WebP. Raises `ValueError` for an invalid picture.
    """
    with opened(picture) as image:
        short = min(image.size)
    if short < PORTRAIT_WIDTHS[1]:
        raise ValueError(f"has {short} pixels on its shorter side, needs {PORTRAIT_WIDTHS[1]}")
    made_from = (PIL.__version__, hashlib.sha256(picture).hexdigest())
    for width in (width for width in PORTRAIT_WIDTHS if width <= short):
        yield width, cache.content("jpg", (*made_from, width), partial(_square, picture, width))


def _square(picture: bytes, width: int) -> bytes:
    """Crop a picture a little above its middle, where faces are."""
    with opened(picture) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    square = ImageOps.fit(upright, (width, width), centering=(0.5, 0.35))
    file = BytesIO()
    square.save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()
