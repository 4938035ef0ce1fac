"""Create the portraits of docs/people/: square, small, and without the camera's metadata.

As JPEG, because emails show them too.
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from io import BytesIO

import PIL
from PIL import ImageOps

from .. import cache
from .pictures import opened

WIDTHS = (96, 192, 384)  # pixels


def squares(picture: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield width and JPEG for each of `WIDTHS` up to the picture's own.

    Raises `ValueError` for an invalid picture.
    """
    with opened(picture) as image:
        short = min(image.size)
    if short < WIDTHS[1]:
        raise ValueError(f"has {short} pixels on its shorter side, needs {WIDTHS[1]}")
    made_from = (PIL.__version__, hashlib.sha256(picture).hexdigest())
    for width in (width for width in WIDTHS if width <= short):
        yield width, cache.content("jpg", (*made_from, width), partial(_square, picture, width))


def _square(picture: bytes, width: int) -> bytes:
    """Crop a picture a little above its middle, where faces are."""
    with opened(picture) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    square = ImageOps.fit(upright, (width, width), centering=(0.5, 0.35))
    file = BytesIO()
    square.save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()
