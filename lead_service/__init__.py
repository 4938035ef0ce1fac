"""The service behind the site: it assesses, books, keeps leads and tells the sales team."""

from typing import TYPE_CHECKING

__version__ = "0.2.0"  # the same as in pyproject.toml; `--version` prints it

if TYPE_CHECKING:
    from flask import Blueprint, Flask

    from .settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Make the web application; raise SettingsError when it must not start."""
    # Imported here, so that the site's build can use the pure rules without a web framework.
    from flask import Flask

    from . import logs
    from . import settings as settings_of
    from .book.hosts.models import offered_calls
    from .db.engine import Database
    from .publishing import site as publishing_site
    from .web import carried, context, errors, pages, security, static_files
    from .web.rate_limits import RateLimits

    settings = settings or settings_of.load()
    site = publishing_site.load_site(settings)
    app = Flask(__name__, static_folder=None)  # static_files.py serves them
    database, limits = Database(settings.database_url), RateLimits(settings.limits_storage)
    database.share(settings.public_url)
    context.install(app, context.Context(settings, database, site, limits, offered_calls))
    logs.install(app)
    if settings.metrics_port:
        from .ops import metrics  # its import sets up memory that processes share

        metrics.install(app)
    security.install(app, settings)
    errors.install(app)
    pages.install(app, site)
    carried.install(app)  # last, because Flask runs it before the pages' compression

    for blueprint in _blueprints():
        app.register_blueprint(blueprint)
    static_files.install(app, settings)
    app.wsgi_app = security.TrustedHosts(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def _blueprints() -> "list[Blueprint]":
    """Return the routes of all parts."""
    from .assess import routes as assess
    from .book import manage, reschedule
    from .book import routes as book
    from .book.hosts import feed
    from .contact import routes as contact
    from .desk import pages as desk
    from .privacy import mailbox_page
    from .web import health, webhooks

    visitors = (assess, book, manage, reschedule, contact, mailbox_page)
    return [part.blueprint for part in (health, webhooks, *visitors, feed, desk)]
