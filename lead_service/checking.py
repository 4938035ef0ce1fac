"""`lead-service check`: what needs a person before it hurts a visitor."""

from . import backup, clock, published, schema
from .assess import versions
from .assess.framework import Framework
from .assess.handover import suggestions
from .book import hosting
from .db import Database
from .emails import outbox
from .settings import Settings, SettingsError


def faults(settings: Settings) -> list[str]:
    """Return one line for each thing that is wrong; raise SettingsError for settings and site."""
    found = []
    site = published.read(settings)
    found += backup.faults(settings, clock.now())
    try:
        suggestions(site.framework)
    except ValueError as error:
        found += [f"brief.yml: {line}" for line in str(error).splitlines()]
    try:
        with schema.opened(settings) as database:
            found += _in_the_database(database, site.framework)
    except SettingsError as error:
        found += error.faults
    return found


def _in_the_database(database: Database, framework: Framework) -> list[str]:
    if fault := schema.fault(database):
        return [fault]
    with database.read() as session:
        found = list(outbox.health(session, clock.now()).troubles)
        found += [f"framework.yml: {line}" for line in versions.faults(session, framework)]
        if not hosting.someone_takes_calls(session):
            found.append("no host takes calls; run `lead-service host`")
    return found
