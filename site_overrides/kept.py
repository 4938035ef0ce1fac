"""Keep what takes long to make under .cache/site/, so that the next build finds it there.

A file's name is a hash of all that it was made from. So nothing there is ever out of date, two
builds at once do each other no harm, and the folder may be deleted at any time.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "site"


def kept(ending: str, made_from: tuple, make: Callable[[], bytes]) -> Path:
    """Return the file that `make` makes of `made_from`, which must print the same every time."""
    path = FOLDER / f"{hashlib.sha256(repr(made_from).encode()).hexdigest()[:32]}.{ending}"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(make())
        unfinished.replace(path)
    return path
