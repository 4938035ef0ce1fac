"""Keep what takes long to make under .cache/site/, so that the next build finds it there.

A file's name is a hash of all that it was made from. So nothing there is ever out of date, two
builds at once do each other no harm, and the folder may be deleted at any time.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "site"
NOTED = 24 * 60 * 60  # seconds; that a file is in use is noted once a day
UNUSED = 30 * NOTED  # what no build has asked for since then is thrown away


def find(ending: str, made_from: tuple) -> Path | None:
    """Return the file that was made of `made_from`, if an earlier build has made it."""
    path = path_of(ending, made_from)
    try:
        if path.stat().st_mtime < time.time() - NOTED:
            os.utime(path)
    except FileNotFoundError:
        return None
    return path


def keep(ending: str, made_from: tuple, make: Callable[[], bytes]) -> Path:
    """Return the file that `make` makes of `made_from`, which must print the same every time."""
    if path := find(ending, made_from):
        return path
    path = path_of(ending, made_from)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    unfinished.write_bytes(make())
    return unfinished.replace(path)


def path_of(ending: str, made_from: tuple) -> Path:
    """Return where the file is, or will be, that is made of `made_from`."""
    return FOLDER / f"{hashlib.sha256(repr(made_from).encode()).hexdigest()[:32]}.{ending}"


def place(path: Path, at: Path) -> None:
    """Let `at` be the same file as a kept one: thousands of them take seconds to copy."""
    try:
        at.hardlink_to(path)
    except OSError:
        at.parent.mkdir(parents=True, exist_ok=True)
        at.unlink(missing_ok=True)
        _link_or_copy(path, at)


def _link_or_copy(path: Path, at: Path) -> None:
    try:
        at.hardlink_to(path)
    except OSError:  # another file system
        copyfile(path, at)


def tidy() -> None:
    """Throw away what has long been of no use to any build."""
    before = time.time() - UNUSED
    for path in FOLDER.iterdir() if FOLDER.exists() else ():
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)  # another build may be tidying too
