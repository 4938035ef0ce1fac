"""What a request works with: the settings, the database and the published site, typed."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from ..db.engine import Database
from ..publishing.site import Published
from ..settings import Settings
from .rate_limits import RateLimits


@dataclass(frozen=True)
class Context:
    """The collaborators of the web half, made once at start."""

    settings: Settings
    database: Database
    published: Published
    limits: RateLimits


def install(app: Flask, context: Context) -> None:
    """Give `app` its collaborators."""
    app.extensions["lead_service"] = context


def context() -> Context:
    """Return the collaborators of the application that serves this request."""
    return cast(Context, current_app.extensions["lead_service"])
