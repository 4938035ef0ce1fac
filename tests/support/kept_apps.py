"""Share expensive objects that no test changes: created once per process.

A test has its own database, settings and counters. The application itself, with its routes
and templates, is shared by tests that differ only in the place of their data.
"""

import functools
from dataclasses import replace
from typing import Any

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect

from lead_service import create_app
from lead_service.db import engine
from lead_service.db.engine import Database
from lead_service.publishing import cache, site
from lead_service.settings import Settings
from lead_service.web.rate_limits import RateLimits

_apps: dict[tuple, Flask] = {}


def get_app(settings: Settings) -> Flask:
    """Return an application of these settings with its own context, ready for a test."""
    others = settings.model_dump_json(exclude={"database_url", "var_dir"})
    published = site.load_site(settings)
    app = _apps.get(known := (others, settings.secret, published.page))
    if app is None:
        app = _apps[known] = create_app(settings)
    else:
        database, limits = Database(settings.database_url), RateLimits(settings.limits_storage)
        database.share(settings.public_url)
        own = {"settings": settings, "database": database, "published": published, "limits": limits}
        app.extensions["lead_service"] = replace(app.extensions["lead_service"], **own)
    app.test_client_class = None
    return app


def keep_frameworks() -> None:
    """Load each framework once per process, because it is immutable."""
    site.load = functools.cache(site.load)


def keep_templates() -> None:
    """Share compiled templates between applications and processes until they change."""
    cache.FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FileSystemBytecodeCache(str(cache.FOLDER), "service_%s.cache")
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": kept}


def keep_statements() -> None:
    """Share compiled statements between all engines of a database.

    SQLAlchemy keeps what it compiled by the engine's dialect: those of one kind are one here.
    """
    open_engine = engine.open_engine
    known: dict[str, Any] = {}

    def open_with_known(url: str) -> Engine:
        engine = open_engine(url)
        engine._compiled_cache = known.setdefault(engine.dialect.name, engine._compiled_cache)
        return engine

    engine.open_engine = open_with_known
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore
