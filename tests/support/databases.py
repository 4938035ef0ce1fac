"""Databases for tests: SQLite in a temporary folder, and one PostgreSQL per process.

PostgreSQL is started on first use, on a socket in a temporary folder, without syncing to disk. It
lives as long as the pipe that this process holds: when the tests end, in whatever way, a small
shell stops the server and removes its folder.
"""

import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import MetaData, create_engine, update

import lead_service
from lead_service.book.hosts.models import Host
from lead_service.db import schema
from lead_service.db.base import Base
from lead_service.db.engine import Database
from tests.support import tools

# `read` returns when the tests' end of the pipe is closed, even by a kill -9.
SERVE_UNTIL_CLOSED = """
"$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c max_connections=200 -c autovacuum=off > "$2/log" 2>&1 < /dev/null &
read -r _
kill -INT $!
wait $!
rm -rf "$2"
"""


class PostgreSQL:
    """This process's own server, with one database that is empty for each test."""

    def __init__(self) -> None:
        self.user = _user()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-tests-"))
        if self.user:
            shutil.chown(self.folder, self.user)
        self.folder.chmod(0o755)
        binaries = self._programs()
        if not shutil.which("pg_dump"):  # the package's programs aren't on the PATH
            os.environ["PATH"] += f"{os.pathsep}{binaries}"
        self._make_cluster(binaries / "initdb")
        self._server = subprocess.Popen(
            ["sh", "-c", SERVE_UNTIL_CLOSED, "sh", binaries / "postgres", self.folder],
            stdin=subprocess.PIPE,
            user=self.user,
            cwd=self.folder,
            start_new_session=True,  # ignore Ctrl-C: the tests close the pipe
        )
        self._connection = self._connect()
        self._has_tables = False

    def _programs(self) -> Path:
        """Return the folder of PostgreSQL's programs, copied where another user may read them."""
        binaries = tools.postgresql()
        assert binaries
        if self.user is None or binaries.is_relative_to("/usr"):
            return binaries
        package = binaries.parents[1]  # its programs look for their libraries beside it
        for folder in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(
                    folder, self.folder / "programs" / folder.relative_to(package.parent)
                )
        return self.folder / "programs" / binaries.relative_to(package.parent)

    def _make_cluster(self, initdb: Path) -> None:
        done = subprocess.run(
            [
                *(initdb, "-D", self.folder / "data", "-U", "postgres", "-A", "trust"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ],
            user=self.user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.fail(f"initdb failed:\n{done.stderr}", pytrace=False)

    def _connect(self) -> psycopg.Connection:
        target = make_conninfo(host=str(self.folder), user="postgres", dbname="postgres")
        while True:
            try:
                return psycopg.connect(target, autocommit=True)
            except psycopg.OperationalError as error:
                if self._server.poll() is not None:
                    log = (self.folder / "log").read_text()
                    pytest.fail(f"PostgreSQL does not start: {error}\n{log}", pytrace=False)
                time.sleep(0.05)

    @property
    def url(self) -> str:
        """The database's address, as DATABASE_URL takes it."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def empty(self) -> None:
        """Remove connections and tables of the last test.

        Faster than another CREATE DATABASE, which copies some three hundred files.
        """
        self._disconnect_others()
        self._connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._has_tables = False

    def clear(self, metadata: MetaData) -> None:
        """Empty every table of `metadata`.

        Only the first test creates them: that takes fifty times as long as
        deleting rows. A test that changes tables asks for an `empty` database instead.
        """
        if not self._has_tables:
            self.empty()
            engine = create_engine(self.url)
            metadata.create_all(engine, checkfirst=False)
            engine.dispose()
            self._has_tables = True
            return
        self._disconnect_others()
        deletes = "; ".join(f'DELETE FROM "{table.name}"' for table in metadata.sorted_tables)
        self._connection.execute(
            f"SET session_replication_role = replica; {deletes};"  # keys off: order is free
            " SET session_replication_role = origin;"
            " SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
        )

    def _disconnect_others(self) -> None:
        self._connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = 'postgres' AND pid <> pg_backend_pid()"
        )

    def stop(self) -> None:
        """Stop the server and wait until its folder is gone."""
        self._connection.close()
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()


def _user() -> str | None:
    """Return another user if root runs the tests, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def sqlite_url(folder: Path) -> str:
    """Return the URL of a SQLite file in `folder` that does not exist yet."""
    return f"sqlite:///{folder / 'test.db'}"


@functools.cache
def sqlite_with_tables() -> bytes:
    """Return the file of a database with every table; writing it again is faster than making it."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder)))
        Base.metadata.create_all(database.engine, checkfirst=False)
        database.close()  # closing the last connection checkpoints the log
        assert database.file
        return database.file.read_bytes()


@functools.cache
def sqlite_migrated() -> bytes:
    """Return the file of a database with all migrations applied."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder)))
        schema.migrate(database)
        database.close()
        assert database.file
        return database.file.read_bytes()


def open_migrated(url: str) -> Database:
    """Open a new database with the schema of `lead-service migrate`."""
    database = Database(url)
    if database.file:
        database.file.write_bytes(sqlite_migrated())
    else:
        schema.migrate(database)
    return database


@functools.cache
def import_models() -> None:
    """Import each module that declares a table, so that a new one cannot be forgotten."""
    root = Path(lead_service.__path__[0])
    for path in sorted(root.rglob("*.py")):
        if "__tablename__" in path.read_text() and "migrations" not in path.parts:
            import_module(".".join(["lead_service", *path.relative_to(root).with_suffix("").parts]))


def let_first_host_take_calls(url: str, zone: str) -> None:
    """Start the first host's calls, like an admin on the desk."""
    database = Database(url)
    change = update(Host).values(is_active=True, zone=zone, version=2)
    database.write(lambda session: session.execute(change))
    database.close()
