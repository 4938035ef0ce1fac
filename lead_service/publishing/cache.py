"""Cache expensive results under .cache/site/ for the next build.

A file's name is a hash of all that it was made from, or the file says what its values were made
from. So nothing there is ever stale, two builds at once don't conflict, and the
folder may be deleted at any time. Paths are texts: a build uses thousands of them.
"""

import hashlib
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from typing import Any

SERVICE = Path(__file__).resolve().parents[1]
FOLDER = SERVICE.parent / ".cache" / "site"
PROGRAMS = (
    *("mkdocs", "mkdocs-material", "markdown", "pymdown-extensions", "pygments"),
    *("jinja2", "typst", "pillow", "font-source-serif-pro"),
)
NOTED = 24 * 60 * 60  # seconds; a file's last use is recorded once a day
UNUSED = 30 * NOTED  # files unused for this long are deleted
MARK = 64  # characters of a hash


def find(ending: str, made_from: tuple) -> str | None:
    """Return the path of the cached file made from `made_from`, or None."""
    path = path_of(ending, made_from)
    return path if note(path) else None


def note(path: str) -> bool:
    """Say whether a cached file is there, and note that it is used."""
    try:
        if os.stat(path).st_mtime < time.time() - NOTED:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True


def keep(ending: str, made_from: tuple, make: Callable[[], bytes]) -> str:
    """Cache the result of `make`; `made_from` must have the same repr in each build."""
    return find(ending, made_from) or _write(path_of(ending, made_from), make())


def content(ending: str, made_from: tuple, make: Callable[[], bytes]) -> bytes:
    """Return the result of `make`, from the cache if it is there."""
    return Path(keep(ending, made_from, make)).read_bytes()


def _write(path: str, content: bytes) -> str:
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = f"{path}.{os.getpid()}-{threading.get_ident()}"
    Path(unfinished).write_bytes(content)
    os.replace(unfinished, path)
    return path


def path_of(ending: str, made_from: tuple) -> str:
    """Return the path of the file made from `made_from`."""
    return f"{FOLDER}/{hashlib.sha256(repr(made_from).encode()).hexdigest()[:32]}.{ending}"


def place(path: str, at: str) -> None:
    """Link a cached file to `at`, because copying thousands of files takes seconds."""
    try:
        os.link(path, at)
    except FileExistsError:
        os.unlink(at)
        place(path, at)
    except OSError:  # no such folder, or on another file system
        os.makedirs(os.path.dirname(at), exist_ok=True)
        copyfile(path, at)


def load(*name: str) -> Any:
    """Return a value saved under a name by this version of our code, or None."""
    path = find("value", name)
    saved = Path(path).read_bytes() if path else b""
    mark, value = saved[:MARK], saved[MARK:]
    return pickle.loads(value) if mark == _mark(value) else None


def save(value: object, *name: str) -> None:
    """Save a value under a name, in place of the last one."""
    saved = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    _write(path_of("value", name), _mark(saved) + saved)


def _mark(saved: bytes) -> bytes:
    """Return what tells whole values of this version of our code from others."""
    return hashlib.sha256(CODE.encode() + saved).hexdigest().encode()


def hash_of(*parts: object, files: Iterable[Path] = ()) -> str:
    """Return one hash of values with a stable repr, and of the content of files."""
    made = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        made.update(path.read_bytes())
    return made.hexdigest()


_folders = ("*.py", "publishing/*.py", "publishing/*/*.py", "action_framework/*.py")
_code = (path for folder in _folders for path in SERVICE.glob(folder))
CODE = hash_of(*map(version, PROGRAMS), files=_code)  # of the code that makes saved values


def tidy() -> None:
    """Delete files that no build has used for a long time."""
    before = time.time() - UNUSED
    for file in os.scandir(FOLDER) if FOLDER.exists() else ():
        with suppress(FileNotFoundError):  # another build may delete it at the same time
            if file.stat().st_mtime < before:
                os.unlink(file)
