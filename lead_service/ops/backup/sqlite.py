"""Back up a SQLite database with its backup API, which takes one snapshot beside all writers."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from ...db.engine import BUSY_SECONDS, Database
from . import BackupError, Contents

NO_BACKUP = "is not a backup of this service, or is damaged"


def copy(database: Database, path: Path) -> Contents:
    """Copy the database to the empty file `path`."""
    with _live(database) as live, closing(sqlite3.connect(path)) as target:
        live.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # a single file, without a write-ahead log
    return check(path)


def check(path: Path) -> Contents:
    """Count the rows of a backup; raise BackupError unless it is complete and of this service."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise BackupError(f"{path} is a live database, not a backup; back it up first")
    with _reading(path) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupError(f"{path} {NO_BACKUP}")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupError(f"{path} contains rows that refer to missing rows")
        return _count(connection)


def put_back(database: Database, path: Path) -> Contents:
    """Replace the database's content with a backup, in one SQLite transaction."""
    with _reading(path) as source, _live(database) as live:
        source.backup(live)
        return _count(live)


@contextmanager
def _live(database: Database) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(database.file or "", timeout=BUSY_SECONDS)) as live:
            yield live
    except sqlite3.Error as error:  # such as a full disk; the message contains no values
        raise BackupError(f"the copy failed: {error}") from None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that isn't in use, read-only."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection
    except sqlite3.DatabaseError:
        raise BackupError(f"{path} {NO_BACKUP}") from None


def _count(connection: sqlite3.Connection) -> Contents:
    tables = ("lead", "outbox")
    counts = (connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables)
    return Contents(*(count for (count,) in counts))
