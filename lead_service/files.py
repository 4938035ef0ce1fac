"""Serving the built site and the service's own assets, with the headers of the service.

The rules by which files are served stand here once. The site's build writes them out for static
hosts as well (`_headers`), so that it makes no difference who serves a page.
"""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.responders import Redirect, Response

from . import assets
from .security import headers
from .settings import Settings

KEPT = ("/assets/", assets.PREFIX)  # the build and assets.py name what is there by its content
YEAR = 365 * 24 * 60 * 60  # seconds
HOST_HEADERS, HOST_REDIRECTS, HASHES = "_headers", "_redirects", "headers.json"
FOR_NGINX = tuple(f"_nginx/{name}.conf" for name in ("name", "headers", "places"))
# The service wears one page and answers with another; the rest is for servers, not readers.
PAGES = ("200.html", "404.html", "503.html")
UNSERVED = (*PAGES, HOST_HEADERS, HOST_REDIRECTS, HASHES, *FOR_NGINX)
# Pages that a reader is about to open are fetched ahead (HTML, 7.6.3).
AHEAD = {"Speculation-Rules": '"/speculation.json"'}
TYPES = {
    "speculation.json": "application/speculationrules+json",
    "feed.xml": "application/atom+xml",
    "site.webmanifest": "application/manifest+json",
}


class Moved:
    """Answer that a page has another address, for good."""

    def __init__(self, to: str, hardening: Mapping[str, str]) -> None:
        headers = [("Location", to), ("Content-Length", "0"), *hardening.items()]
        self._response = Response(HTTPStatus.MOVED_PERMANENTLY, headers, None)

    def get_response(self, _method: str, _environ: Mapping[str, object]) -> Response:
        return self._response


def rules(
    hardening: Mapping[str, str], hashes: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, str]]:
    """Return the headers of the static site by path, as hosts that read `_headers` take them."""
    return {
        "/*": _for_pages(hardening, hashes) | AHEAD,
        f"{KEPT[0]}*": {"Cache-Control": f"max-age={YEAR}, public, immutable"},
        **{f"/{name}": {"Content-Type": kind} for name, kind in TYPES.items()},
    }


def _for_pages(hardening: Mapping[str, str], hashes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Let the policy also allow the inline blocks whose hashes the build has written."""
    policy = hardening["Content-Security-Policy"]
    for directive, sources in hashes.items():
        policy = policy.replace(f"{directive} 'self'", " ".join((directive, "'self'", *sources)))
    return {**hardening, "Content-Security-Policy": policy}


def install(app: Flask, settings: Settings) -> None:
    """Answer for static files before the application is asked."""
    site = settings.site_dir
    of_files = headers(settings)
    of_pages = _for_pages(of_files, _hashes(site)) | AHEAD

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
    for address, path in assets.served().items():
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
