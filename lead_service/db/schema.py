"""Migrate the schema, and check that its version is the one this program needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError

from ..settings import Settings, SettingsError
from .engine import Database, StorageBusy

MIGRATIONS = Path(__file__).parents[1] / "migrations"
NEWER = "schema: newer than this program, or never released; deploy the program that made it"
OLDER = "schema: older than this program; run `lead-service migrate`"
CURRENT = text("SELECT version_num FROM alembic_version")
# Writing may be refused because of the file's mode, a quota or a standby server.
NO_CHANGE = text("UPDATE alembic_version SET version_num = version_num WHERE 1 = 0")


class NewerSchema(Exception):
    """The database was migrated by a newer version of the program, or by one between releases."""


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the configured database for a command, and close it.

    A server that is down and a file that can't be written raise a SettingsError of one line,
    which names DATABASE_URL without its password.
    """
    database = Database(settings.database_url)
    try:
        yield database
    except IntegrityError:  # a violated constraint says nothing about the address
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


def migrate(database: Database, to: str = "head") -> None:
    """Bring the schema to this program's version, in one transaction: all of it or nothing.

    Raises NewerSchema when this program doesn't know its version.
    """
    if fault(database) == NEWER:
        raise NewerSchema(NEWER)
    from alembic import command  # imported here to save web processes 11 MB
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = database.engine.execution_options(begin="BEGIN IMMEDIATE")
    with engine.connect() as connection, _references_off(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise RuntimeError("a migration has left a reference to a missing row")


@contextmanager
def _references_off(connection: Connection) -> Iterator[None]:
    """Switch foreign keys off on SQLite: rebuilding a table would empty those that refer to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection  # the pragma has no effect inside a transaction
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def fault(database: Database) -> str | None:
    """Say why the schema isn't this program's version, or None."""
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
    """List this program's revisions, oldest first, by the names of their files."""
    return sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def is_older(database: Database) -> bool:
    """Say whether the schema is an older version, so that migrating would change it."""
    return fault(database) == OLDER
