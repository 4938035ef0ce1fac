"""Cache expensive results under .cache/site/ for the next build.

A file's name is a hash of all that it was made from, or the file says what each value in it was
made from. So nothing there is ever stale, two builds at once don't conflict, and the
folder may be deleted at any time.
"""

import hashlib
import os
import pickle
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from typing import Any, TypeVar

Value = TypeVar("Value")

SERVICE = Path(__file__).resolve().parents[1]
FOLDER = SERVICE.parent / ".cache" / "site"
PROGRAMS = ("mkdocs", "markdown", "pymdown-extensions", "pygments", "mkdocs-material")
NOTED = 24 * 60 * 60  # seconds; a file's last use is recorded once a day
UNUSED = 30 * NOTED  # files unused for this long are deleted


def find(ending: str, made_from: tuple) -> Path | None:
    """Return the cached file made from `made_from`, or None."""
    path = path_of(ending, made_from)
    try:
        if path.stat().st_mtime < time.time() - NOTED:
            os.utime(path)
    except FileNotFoundError:
        return None
    return path


def keep(ending: str, made_from: tuple, make: Callable[[], bytes]) -> Path:
    """Return the cached result of `make`; `made_from` must have the same repr in each build."""
    if path := find(ending, made_from):
        return path
    return _write(path_of(ending, made_from), make())


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    unfinished.write_bytes(content)
    return unfinished.replace(path)


def path_of(ending: str, made_from: tuple) -> Path:
    """Return the path of the file made from `made_from`."""
    return FOLDER / f"{hashlib.sha256(repr(made_from).encode()).hexdigest()[:32]}.{ending}"


def place(path: Path, at: Path) -> None:
    """Link a cached file to `at`, because copying thousands of files takes seconds."""
    try:
        at.hardlink_to(path)
    except OSError:
        at.parent.mkdir(parents=True, exist_ok=True)
        at.unlink(missing_ok=True)
        _link_or_copy(path, at)


def _link_or_copy(path: Path, at: Path) -> None:
    try:
        at.hardlink_to(path)
    except OSError:  # on another file system
        copyfile(path, at)


class Memo:
    """The cached values made from one text, in one file, by their inputs."""

    def __init__(self, *of: str) -> None:
        self._path, path = path_of("memo", of), find("memo", of)
        program, before = pickle.loads(path.read_bytes()) if path else ("", {})
        self._before: dict[tuple, Any] = before if program == CODE else {}
        self._now: dict[tuple, Any] = {}

    def get(self, make: Callable[..., Value], *made_from: Hashable) -> Value:
        """Return a pure function's result, cached by its arguments; exceptions aren't cached."""
        key = (make.__module__, make.__qualname__, *made_from)
        value = self.find(key)
        return self.keep(key, make(*made_from)) if value is None else value

    def find(self, key: tuple) -> Any:
        """Return a cached value that is still valid, or None."""
        if key in self._before:
            self._now[key] = self._before[key]
        return self._now.get(key)

    def keep(self, key: tuple, value: Value) -> Value:
        self._now[key] = value
        return value

    def save(self) -> None:
        """Save the values that this build has used."""
        if self._now.keys() != self._before.keys():
            _write(self._path, pickle.dumps((CODE, self._now)))


def hash_of(*parts: object, files: Iterable[Path] = ()) -> str:
    """Return one hash of values with a stable repr, and of the content of files."""
    made = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        made.update(path.read_bytes())
    return made.hexdigest()


_folders = ("*.py", "publishing/*.py", "publishing/*/*.py", "action_framework/*.py")
_code = (path for folder in _folders for path in SERVICE.glob(folder))
CODE = hash_of(*map(version, PROGRAMS), files=_code)  # of the code that makes the values of a Memo


def tidy() -> None:
    """Delete files that no build has used for a long time."""
    before = time.time() - UNUSED
    for path in FOLDER.iterdir() if FOLDER.exists() else ():
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)  # another build may delete it at the same time
