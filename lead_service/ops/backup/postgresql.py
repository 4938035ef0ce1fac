"""Back up a PostgreSQL database with pg_dump, and restore it.

The programs get the database's address from their environment, because everybody on the machine
can read a command line.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy import inspect, text

from ...db.engine import Database
from . import BackupError, Contents

COUNT = text("SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM outbox)")
WITHOUT_OWNERS = ("--no-owner", "--no-privileges")


def copy(database: Database, path: Path) -> Contents:
    """Dump one snapshot to the file `path`; the counts are of the same snapshot."""
    snapshots = database.engine.execution_options(isolation_level="REPEATABLE READ")
    with snapshots.connect() as connection:
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        contents = Contents(*connection.execute(COUNT).one())
        where = (f"--snapshot={snapshot}", f"--file={path}")
        _run(database, "pg_dump", "--format=custom", *WITHOUT_OWNERS, *where)
    check(path)
    return contents


def check(path: Path) -> None:
    """Raise BackupError unless a file is a complete dump of this service."""
    if b" TABLE DATA public outbox " not in _start(["pg_restore", "--list", str(path)]):
        raise BackupError(f"{path} is not a backup of this service")
    _start(["pg_restore", "--file=/dev/null", str(path)])


def put_back(database: Database, path: Path) -> Contents:
    """Replace all tables by those of a dump, in one transaction.

    All tables are dropped first: a later schema may have some that the dump lacks
    and whose references would stop it from replacing the others.
    """
    quote = database.engine.dialect.identifier_preparer.quote
    tables = ", ".join(map(quote, inspect(database.engine).get_table_names()))
    drop = ("--command", f"DROP TABLE {tables} CASCADE") if tables else ()
    # Read the whole dump before dropping anything: a truncated script would be committed.
    script = _start(["pg_restore", *WITHOUT_OWNERS, "--file=-", str(path)])
    options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
    database.engine.dispose()  # close our own connections, which could hold locks
    _run(database, "psql", *options, *drop, "--file=-", given=script)
    with database.engine.connect() as connection:
        return Contents(*connection.execute(COUNT).one())


def _run(database: Database, program: str, *arguments: str, given: bytes = b"") -> None:
    """Run a PostgreSQL client program on the database."""
    _, parts = database.engine.dialect.create_connect_args(database.engine.url)
    known = {
        one.keyword.decode(): one.envvar.decode() for one in Conninfo.get_defaults() if one.envvar
    }
    where = {known[name]: str(value) for name, value in parts.items() if name in known}
    _start([program, *arguments], given, where)


def _start(command: list[str], given: bytes = b"", where: Mapping[str, str] | None = None) -> bytes:
    try:
        done = subprocess.run(
            command, env={**os.environ, **(where or {})}, input=given, capture_output=True
        )
    except FileNotFoundError:
        raise BackupError(
            f"{command[0]} is not installed; apt-get install postgresql-client"
        ) from None
    if done.returncode:
        # Keep the first line only: later lines may quote a row.
        said = done.stderr.decode(errors="replace").splitlines() or ["it failed without a message"]
        raise BackupError(f"{command[0]}: {said[0]}")
    return done.stdout
