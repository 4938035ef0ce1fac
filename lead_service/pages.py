"""How the service's pages are rendered: inside the published page, with a few shared words."""

import hashlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, url_for
from jinja2 import ChoiceLoader, DictLoader

from .context import context
from .published import PAGE, Published

STATIC = Path(__file__).parent / "static"


def install(app: Flask, published: Published) -> None:
    """Let templates extend the published page and use the filters below."""
    assert app.jinja_loader is not None
    app.jinja_loader = ChoiceLoader([DictLoader({PAGE: published.page}), app.jinja_loader])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_template_filter(long_date)
    app.add_template_filter(clock_time)
    app.add_template_global(asset)
    app.context_processor(_shared)


def _shared() -> dict:
    return {"settings": context().settings, "framework": context().published.framework}


@lru_cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of an asset of the service; it changes with the content."""
    return url_for("static", filename=name, v=_fingerprint(name))


def long_date(instant: datetime, zone: str) -> str:
    """Write the date of an instant in a zone: Tuesday, November 24, 2026."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%A}, {local:%B} {local.day}, {local.year}"


def clock_time(instant: datetime, zone: str) -> str:
    """Write the time of an instant in a zone: 9:30 am."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local.hour % 12 or 12}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"
