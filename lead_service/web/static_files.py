"""Serve the built site, and the service's own styles and scripts.

Browsers may cache files with a hash in their address for a year.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.responders import Redirect, Response

from ..headers import (
    AHEAD,
    HASHES,
    HOST_REDIRECTS,
    KEPT,
    KEPT_FOR_A_YEAR,
    OF_FILES,
    TYPES,
    UNSERVED,
    for_pages,
    headers_for,
)
from ..own_files import by_address
from ..publishing.site import built_at
from ..settings import Settings


class Moved:
    """Redirect permanently to a page's new address."""

    def __init__(self, to: str, hardening: Mapping[str, str]) -> None:
        headers = [("Location", to), ("Content-Length", "0"), *hardening.items()]
        self._response = Response(HTTPStatus.MOVED_PERMANENTLY, headers, None)

    def get_response(self, _method: str, _environ: Mapping[str, object]) -> Response:
        return self._response


class Newest:
    """Serve the newest build of a site that may be rebuilt in the meantime."""

    def __init__(self, make: Callable[[], WhiteNoise], site: Path) -> None:
        self._make, self._site = make, site
        self._built, self._files = built_at(site), make()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if (built := built_at(self._site)) != self._built:
            self._files, self._built = self._make(), built
        return self._files(environ, start_response)


def install(app: Flask, settings: Settings) -> None:
    """Serve static files before the application."""
    make = partial(_files, app.wsgi_app, settings)
    # In production, deploying a build restarts the service, so don't check the disk each time.
    serving = Newest(make, settings.site_dir) if settings.is_local else make()
    app.wsgi_app = serving  # type: ignore[method-assign]


def _files(application: Any, settings: Settings) -> WhiteNoise:
    """Index the present files of the site."""
    site = settings.site_dir
    of_files = headers_for(https=settings.is_https)
    of_pages = for_pages(of_files, _hashes(site)) | AHEAD
    of_kept = {name: value for name, value in of_files.items() if name in OF_FILES}
    of_kept["Cache-Control"] = KEPT_FOR_A_YEAR

    def add_headers(wsgi_headers: Headers, path: str, url: str) -> None:
        others = of_kept if url.startswith(KEPT) else of_files
        for name, value in (of_pages if path.endswith(".html") else others).items():
            wsgi_headers[name] = value

    files = WhiteNoise(
        application,
        max_age=300,
        allow_all_origins=False,
        index_file=True,
        add_headers_function=add_headers,
        mimetypes=TYPES,
    )
    # Not `add_files`, which follows symbolic links out of the site, and fails on a broken one.
    found = (path for path in site.rglob("*") if path.is_file() and not path.is_symlink())
    stats = {str(path): path.stat() for path in found}
    for name in stats:
        address = f"/{Path(name).relative_to(site).as_posix()}"
        files.add_file_to_dictionary(address, name, stat_cache=stats)
    for address, path in by_address().items():
        if address not in files.files:  # missing from an older build
            files.add_file_to_dictionary(address, str(path))
    for name in UNSERVED:
        files.files.pop(f"/{name}", None)
    for address, new in _moved(site, files.files):
        files.files[address] = Moved(new, of_files)
    return files


def _hashes(site: Path) -> dict[str, list[str]]:
    path = site / HASHES
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _moved(site: Path, files: Mapping[str, object]) -> list[tuple[str, str]]:
    """Map old addresses, with and without the slash, and pages without their slash, to new ones."""
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
