"""The schema's version: migrating it, and saying whether it is the one this program needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError

from ..settings import Settings, SettingsError
from .base import Base
from .engine import Database, StorageBusy

MIGRATIONS = Path(__file__).parents[1] / "migrations"
NEWER = "schema: newer than this program; deploy the program that made it"
OLDER = "schema: older than this program; run `lead-service migrate`"
CURRENT = text("SELECT version_num FROM alembic_version")
# Refused wherever nothing may be written: a file's mode, a full quota, a standby server.
NO_CHANGE = text("UPDATE alembic_version SET version_num = version_num WHERE 1 = 0")


class NewerSchema(Exception):
    """A later program has migrated this database; this one must leave it alone."""


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings for a command, and close it.

    What makes it unusable (a server that is down, a file that cannot be written or is none)
    becomes a SettingsError of one line that names DATABASE_URL and holds no password.
    """
    database = Database(settings.database_url)
    try:
        yield database
    except IntegrityError:  # a rule of ours: no fault of the address
        raise
    except StorageBusy:
        raise SettingsError(["DATABASE_URL: another process keeps it locked; try again"]) from None
    except (DatabaseError, InterfaceError, OSError) as error:
        reason = (str(getattr(error, "orig", error)).splitlines() or [type(error).__name__])[0]
        if password := database.engine.url.password:
            reason = reason.replace(str(password), "***")
        raise SettingsError([f"DATABASE_URL: cannot be used: {reason}"]) from None
    finally:
        database.close()


def require(settings: Settings) -> None:
    """Raise SettingsError unless the database can be written and has this program's schema."""
    with opened(settings) as database:
        if wrong := fault(database):
            raise SettingsError([wrong])
        database.write(lambda session: session.execute(NO_CHANGE))


def tables() -> MetaData:
    """Return the tables of every part of the program."""
    for module in (
        "accounts.audit_log",
        "assess.models",
        "book.models",
        "db.demo_data",
        "emails.models",
        "funnel.archived_counts",
        "privacy.models",
    ):
        import_module(f"lead_service.{module}")
    return Base.metadata


def migrate(database: Database, to: str = "head") -> None:
    """Bring the schema to this program's version, in one transaction: all of it or nothing.

    Raises NewerSchema for one that a later program has made.
    """
    if fault(database) == NEWER:
        raise NewerSchema(NEWER)
    from alembic import command  # only here: web processes need not hold its 11 MB
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = database.engine.execution_options(begin="BEGIN IMMEDIATE")
    with engine.connect() as connection, _references_off(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise RuntimeError("a migration has left a reference to nothing")


@contextmanager
def _references_off(connection: Connection) -> Iterator[None]:
    """Let a table be made anew on SQLite: dropping the old one would empty what refers to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection  # the pragma does nothing within a transaction
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def fault(database: Database) -> str | None:
    """Say what is wrong with the schema, or None when it is this program's."""
    with database.engine.connect() as connection:
        has_any = inspect(connection).has_table("alembic_version")
        current = connection.scalar(CURRENT) if has_any else None
    if current is None:
        return "schema: the database is empty; run `lead-service migrate`"
    known = revisions()
    if current == known[-1]:
        return None
    return OLDER if current in known else NEWER


def revisions() -> list[str]:
    """List the revisions that this program knows, oldest first: their files begin with them."""
    return sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def is_older(database: Database) -> bool:
    """Say whether an earlier program has made the schema, so that migrating changes data."""
    return fault(database) == OLDER
