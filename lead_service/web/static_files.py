"""Serve the built site, and the service's own styles and scripts.

Each of our own files has an address with a hash of its content, so browsers may keep it for a year.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.responders import Redirect, Response

from ..headers import (
    AHEAD,
    HASHES,
    HOST_REDIRECTS,
    KEPT,
    STATIC_PREFIX,
    TYPES,
    UNSERVED,
    YEAR,
    for_pages,
)
from ..settings import Settings
from .security import headers

STATIC = Path(__file__).parents[1] / "static"


@cache
def address(name: str) -> str:
    """Return the address of a file of ours: /static/desk.0123456789ab.css."""
    path = STATIC / name
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{STATIC_PREFIX}{path.stem}.{content}{path.suffix}"


def served() -> dict[str, Path]:
    """Return every file of ours by its address."""
    return {address(path.name): path for path in sorted(STATIC.iterdir())}


class Moved:
    """Answer that a page has another address, for good."""

    def __init__(self, to: str, hardening: Mapping[str, str]) -> None:
        headers = [("Location", to), ("Content-Length", "0"), *hardening.items()]
        self._response = Response(HTTPStatus.MOVED_PERMANENTLY, headers, None)

    def get_response(self, _method: str, _environ: Mapping[str, object]) -> Response:
        return self._response


def install(app: Flask, settings: Settings) -> None:
    """Answer for static files before the application is asked."""
    site = settings.site_dir
    of_files = headers(settings)
    of_pages = for_pages(of_files, _hashes(site)) | AHEAD

    def add_headers(wsgi_headers: Headers, path: str, _url: str) -> None:
        for name, value in (of_pages if path.endswith(".html") else of_files).items():
            wsgi_headers[name] = value

    files = WhiteNoise(
        app.wsgi_app,
        max_age=300,
        allow_all_origins=False,
        index_file=True,
        add_headers_function=add_headers,
        immutable_file_test=lambda _path, url: url.startswith(KEPT),
        mimetypes=TYPES,
    )
    files.FOREVER = YEAR
    files.add_files(str(site))
    for address, path in served().items():
        files.add_file_to_dictionary(address, str(path))
    for name in UNSERVED:
        files.files.pop(f"/{name}", None)
    for address, new in _moved(site, files.files):
        files.files[address] = Moved(new, of_files)
    app.wsgi_app = files  # type: ignore[method-assign]


def _hashes(site: Path) -> dict[str, list[str]]:
    path = site / HASHES
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _moved(site: Path, files: Mapping[str, object]) -> list[tuple[str, str]]:
    """List old addresses, with and without the slash, and those of pages without theirs."""
    path = site / HOST_REDIRECTS
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    listed = [(old, new) for old, new, _status in map(str.split, lines)]
    slashless = [
        (url, f"{url}/")
        for url, file in files.items()
        if isinstance(file, Redirect) and f"{url}/" in files
    ]
    return [
        *slashless,
        *((old.rstrip("/") + slash, new) for old, new in listed for slash in ("", "/")),
    ]
