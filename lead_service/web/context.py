"""The typed collaborators of a request: settings, database, published site, limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from sqlalchemy.orm import Session

from ..call_types import CallTypes
from ..db.engine import Database
from ..publishing.site import Published
from ..settings import Settings
from .rate_limits import RateLimits

SelectOffered = Callable[[Session, CallTypes], CallTypes]  # filters kinds of call by hosts


@dataclass(frozen=True)
class Context:
    """The collaborators of all requests, created once at start."""

    settings: Settings
    database: Database
    published: Published
    limits: RateLimits
    select_offered: SelectOffered

    def offered_calls(self) -> CallTypes:
        """Return the kinds of call that a link may lead to."""
        with self.database.read() as session:
            return self.select_offered(session, self.published.calls)


def install(app: Flask, context: Context) -> None:
    """Attach the collaborators to `app`."""
    app.extensions["lead_service"] = context


def context() -> Context:
    """Return the collaborators of the current application."""
    return cast(Context, current_app.extensions["lead_service"])
