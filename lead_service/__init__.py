"""The service behind the site: it assesses, books, keeps leads and tells the sales team."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"  # as in pyproject.toml; `lead-service --version` prints it

if TYPE_CHECKING:
    from flask import Flask

    from .settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Make the web application; raise SettingsError when it must not start."""
    # Imported here, so that the site's build can use the pure rules without a web framework.
    from flask import Flask

    from . import context, errors, files, health, hooks, log, pages, published, security
    from . import settings as settings_of
    from .assess import routes as assess
    from .book import agenda, contact, manage, moving
    from .book import routes as book
    from .counters import Counter
    from .db import Database
    from .desk import routes as desk

    settings = settings or settings_of.load()
    site = published.read(settings)
    app = Flask(__name__, static_folder=None)  # files.py serves them
    database, limits = Database(settings.database_url), Counter(settings.limits_storage)
    database.share(settings.public_url)
    context.install(app, context.Context(settings, database, site, limits))

    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # else //: a redirect to whatever port the client names
    log.install(app)
    if settings.metrics_port:
        from .metrics import requests  # it shares memory with others when it is imported

        requests.install(app)
    security.install(app, settings)
    errors.install(app)
    pages.install(app, site)

    for part in (health, hooks, assess, book, manage, moving, agenda, contact, desk):
        app.register_blueprint(part.blueprint)
    files.install(app, settings)
    app.wsgi_app = security.Gate(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app
