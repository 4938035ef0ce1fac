"""`lead-service check`: what needs a person before it hurts a visitor."""

from . import clock, published, schema
from .assess.handover import suggestions
from .db import Database
from .emails import outbox
from .settings import Settings


def faults(settings: Settings) -> list[str]:
    """Return one line for each thing that is wrong; raise SettingsError for settings and site."""
    found = []
    site = published.read(settings)
    try:
        suggestions(site.framework)
    except ValueError as error:
        found += [f"brief.yml: {line}" for line in str(error).splitlines()]
    database = Database(settings.database_url)
    try:
        if fault := schema.fault(database):
            return [*found, fault]
        with database.read() as session:
            found += outbox.health(session, clock.now()).troubles
    except Exception as error:  # whatever the driver raises, it is the database
        found.append(f"database: {type(error).__name__}")
    finally:
        database.close()
    return found
