"""The schema's version: migrating it, and saying whether it is the one this program needs."""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from .db import Base, Database

MIGRATIONS = Path(__file__).parent / "migrations"


def tables() -> MetaData:
    """Return the tables of every part of the program."""
    for module in ("assess.models", "book.models", "desk.models", "emails.models", "privacy"):
        import_module(f".{module}", __package__)
    return Base.metadata


def migrate(database: Database) -> None:
    """Bring the schema to this program's version, in one transaction: all of it or nothing."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def fault(database: Database) -> str | None:
    """Say what is wrong with the schema, or None when it is this program's."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return None
    if current is None:
        return "schema: the database is empty; run `lead-service migrate`"
    known = {script.revision for script in scripts.walk_revisions()}
    if current in known:
        return "schema: older than this program; run `lead-service migrate`"
    return "schema: newer than this program; deploy the program that made it"
