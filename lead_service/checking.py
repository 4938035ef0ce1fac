"""`lead-service check`: what needs a person before it hurts a visitor."""

import shutil
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import backup, clock, demo_data, published, schema
from .assess import versions
from .assess.framework import Framework
from .assess.handover import suggestions
from .book import hosting
from .db import Database
from .emails import key, outbox
from .leads import LeadEvent
from .settings import Settings, SettingsError

CLOCK_ERROR = timedelta(minutes=2)  # leases and links allow for more
LEAST_SPACE = 200 * 2**20  # bytes


def faults(settings: Settings) -> list[str]:
    """Return one line for each thing that is wrong; raise SettingsError for settings and site."""
    site = published.read(settings)
    return [
        *_in_the_brief(site.framework),
        *_in_the_database(settings, site.framework),
        *_with_the_provider(settings),
        *backup.faults(settings, clock.now()),
    ]


def _in_the_brief(framework: Framework) -> list[str]:
    try:
        suggestions(framework)
    except ValueError as error:
        return [f"brief.yml: {line}" for line in str(error).splitlines()]
    return []


def _in_the_database(settings: Settings, framework: Framework) -> list[str]:
    try:
        schema.require(settings)
        with schema.opened(settings) as database, database.read() as session:
            found = list(outbox.health(session, clock.now()).troubles)
            found += [f"framework.yml: {line}" for line in versions.faults(session, framework)]
            found += hosting.troubles(session, clock.now())
            if demo_data.is_there(session) and not settings.is_local:
                found.append("database: holds made-up data; run `lead-service demo --remove`")
            return [*found, *_clock_of(database, session), *_space_of(database)]
    except SettingsError as error:
        return error.faults


def _clock_of(database: Database, session: Session) -> list[str]:
    """Compare this machine's clock with the database server's, and with what was written."""
    now = clock.now()
    there = now if database.is_sqlite else session.scalar(select(func.clock_timestamp()))
    newest = session.scalar(select(func.max(LeadEvent.at)))
    found = _differs(now, there, "the database's")
    if newest and newest > now + CLOCK_ERROR:
        found.append(f"clock: the newest lead is of {newest:%Y-%m-%d %H:%M} UTC, which is to come")
    return found


def _differs(now: datetime, there: datetime | None, whose: str) -> list[str]:
    if there is None or abs(now - there) <= CLOCK_ERROR:
        return []
    return [f"clock: {now:%Y-%m-%d %H:%M} UTC here, {there:%Y-%m-%d %H:%M} by {whose}"]


def _space_of(database: Database) -> list[str]:
    if database.file is None:
        return []
    left = shutil.disk_usage(database.file.parent).free
    return [f"disk: {left // 2**20} MB left for the database"] if left < LEAST_SPACE else []


def _with_the_provider(settings: Settings) -> list[str]:
    if settings.sendgrid_api_key is None:
        return []
    said, there = key.trouble(settings)
    return ([said] if said else []) + _differs(clock.now(), there, "the provider's")
