"""Serving the built site and the service's own assets, with the headers of the service."""

from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

from .security import headers
from .settings import Settings

HASHED = r"^.+[.-][0-9a-f]{8,}\.\w+$"  # its content decides its name: it can be kept for a year
NOT_PAGES = ("/200.html", "/404.html")  # the service wears one and answers with the other


def install(app: Flask, settings: Settings) -> None:
    """Answer for static files before the application is asked."""
    hardening = headers(settings)

    def add_headers(wsgi_headers: Headers, _path: str, _url: str) -> None:
        for name, value in hardening.items():
            wsgi_headers[name] = value

    files = WhiteNoise(
        app.wsgi_app,
        max_age=300,
        allow_all_origins=False,
        index_file=True,
        add_headers_function=add_headers,
        immutable_file_test=HASHED,
    )
    files.add_files(str(settings.site_dir))
    files.add_files(str(Path(__file__).parent / "static"), prefix="static")
    for page in NOT_PAGES:
        files.files.pop(page, None)
    app.wsgi_app = files  # type: ignore[method-assign]
