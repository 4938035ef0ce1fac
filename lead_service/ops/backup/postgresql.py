"""Copies of a PostgreSQL database, by its own programs.

They learn where the database is from their environment: what stands in a command line, everybody
on the machine can read.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy import inspect, text

from ...db.engine import Database
from .contents import BackupError, Contents

COUNT = text("SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM outbox)")
WITHOUT_OWNERS = ("--no-owner", "--no-privileges")


def copy(database: Database, path: Path) -> Contents:
    """Dump one snapshot to the file `path`; what is counted is that very snapshot."""
    snapshots = database.engine.execution_options(isolation_level="REPEATABLE READ")
    with snapshots.connect() as connection:
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        contents = Contents(*connection.execute(COUNT).one())
        where = (f"--snapshot={snapshot}", f"--file={path}")
        _run(database, "pg_dump", "--format=custom", *WITHOUT_OWNERS, *where)
    check(path)
    return contents


def check(path: Path) -> None:
    """Raise BackupError unless a file is a dump of this service that can be read to its end."""
    if b" TABLE DATA public outbox " not in _start(["pg_restore", "--list", str(path)]):
        raise BackupError(f"{path} is no backup of this service")
    _start(["pg_restore", "--file=/dev/null", str(path)])


def put_back(database: Database, path: Path) -> Contents:
    """Put a dump in the place of all tables, in one transaction.

    Tables go first, whichever they are: a later schema may have some that the dump knows not,
    and that would keep it from replacing the others.
    """
    quote = database.engine.dialect.identifier_preparer.quote
    tables = ", ".join(map(quote, inspect(database.engine).get_table_names()))
    drop = ("--command", f"DROP TABLE {tables} CASCADE") if tables else ()
    # Read to its end before anything is dropped: half a script would be committed.
    script = _start(["pg_restore", *WITHOUT_OWNERS, "--file=-", str(path)])
    options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
    database.engine.dispose()  # connections of ours must not stand in the way
    _run(database, "psql", *options, *drop, "--file=-", given=script)
    with database.engine.connect() as connection:
        return Contents(*connection.execute(COUNT).one())


def _run(database: Database, program: str, *arguments: str, given: bytes = b"") -> None:
    """Run one of PostgreSQL's programs on the database."""
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
        # The first line says what; those after it may quote a row.
        said = done.stderr.decode(errors="replace").splitlines() or ["it says nothing"]
        raise BackupError(f"{command[0]}: {said[0]}")
    return done.stdout
