"""The database: engine, sessions and write transactions.

SQLite is set up so that committed data survives a crash and writers queue instead of
failing: WAL, `synchronous=FULL`, every write transaction `BEGIN IMMEDIATE` (a deferred one that
turns into a writer fails at once with "database is locked", whatever the time-out), behind one
kernel lock (writers otherwise spin on SQLite's lock: p99 falls from 500 to 40 ms). The threads of
a process line up for it, so that none waits much longer than the others.
PostgreSQL needs none of this except a limit for lock waits.
"""

import fcntl
import os
import random
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

BUSY_SECONDS = 5
IN_USE = "the database is in use; stop `serve`, or `web` and `deliver`, first"
CONNECTIONS = 8  # pool size; connections beyond it are set up and closed for each use
TRIES = 3
LEAST_FREE = 64 * 2**10  # bytes of free disk space; storing a form takes less
RETRIED = {"40P01", "40001"}  # PostgreSQL: deadlock detected, serialization failure

# The PostgreSQL advisory lock that web and deliver share; the service takes no other.
SERVICE_LOCK = 6177230
SHARE_SERVICE_LOCK = f"SELECT pg_advisory_lock_shared({SERVICE_LOCK})"
TAKE_SERVICE_LOCK = text(f"SELECT pg_try_advisory_lock({SERVICE_LOCK})")
RELEASE_SERVICE_LOCK = text(f"SELECT pg_advisory_unlock({SERVICE_LOCK})")
WHO_SHARES = text(
    "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
    f"WHERE locktype = 'advisory' AND objid = {SERVICE_LOCK} AND datname = current_database()"
)

Result = TypeVar("Result")


class StorageBusy(Exception):
    """Another writer held the database for longer than BUSY_SECONDS; nothing was stored."""


class StorageMoved(StorageBusy):
    """The database file was removed or replaced, so writes would be lost."""


class InUse(Exception):
    """Web or deliver is using the database; the message says what to do, in one line."""


class FairLock:
    """A first-come, first-served lock for threads.

    `threading.Lock` goes to any thread that asks at the right moment: on a busy machine a running
    thread takes it before the one that was woken for it, which can lose for seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards the two fields below
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()  # locked until its thread's turn

    def acquire(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the lock; return False on time-out."""
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
            return True  # `release` handed it over just after the time-out

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False


class Database:
    """One engine and its transactions."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(begin="BEGIN IMMEDIATE")
        self._lock_path = Path(f"{self.file}.lock") if self.file else None
        self._index_path = f"{self.file}-shm" if self.file else None
        self._threads_turn = FairLock()
        self._shared: FileIO | None = None

    @property
    def file(self) -> Path | None:
        """The file that holds the database; None on PostgreSQL and for one in memory."""
        path = self.engine.url.database
        return Path(path) if self.is_sqlite and path else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading; changes are rolled back."""
        self._check_index()
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def write(self, work: Callable[[Session], Result]) -> Result:
        """Run `work(session)` in one transaction and return what it returns.

        All of it commits or none of it does. A deadlock or a serialization failure on
        PostgreSQL runs `work` again from the start, at most three times in all, so `work`
        must not do anything outside the session.
        """
        self._check_index()
        for tries_left in reversed(range(TRIES)):
            try:
                # Open the session before taking the lock and close it after releasing it.
                with (
                    Session(self._writer, expire_on_commit=False) as session,
                    self._one_writer(),
                    session.begin(),
                ):
                    result = work(session)
                    self._check_file(session.connection())
                    return result
            except DBAPIError as error:
                if not tries_left or getattr(error.orig, "sqlstate", None) not in RETRIED:
                    raise
                # Wait a random time, so that the two transactions don't collide again.
                time.sleep(random.uniform(0.01, 0.1))
        raise AssertionError("unreachable")

    def _check_index(self) -> None:
        """Raise StorageBusy when the index of the write-ahead log (-shm) is read-only.

        SQLite maps it into memory and writes to it even for some reads. If the kernel refuses the
        write, it kills the process, and the visitor's form is lost.
        """
        index = self._index_path
        if index and not os.access(index, os.W_OK) and os.path.exists(index):
            raise StorageBusy

    def _check_file(self, connection: Connection) -> None:
        if self.file and connection.info["file"] != _identity(self.file):
            raise StorageMoved

    def fault(self) -> str | None:
        """Say why the database can't store anything now, or None. Changes nothing."""
        try:
            self._check_index()
        except StorageBusy:
            return "database: its -shm file is read-only"
        with self.engine.connect() as connection:
            if self.file is None:
                is_read_only = connection.exec_driver_sql("SHOW transaction_read_only").scalar()
                return "database: is read-only" if is_read_only == "on" else None
            try:
                self._check_file(connection)
            except StorageMoved:
                return "database: its file was removed or replaced; restart the service"
        if not os.access(self.file, os.W_OK):
            return "database: its file is read-only"
        return "database: the disk is full" if self._free_bytes() < LEAST_FREE else None

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.file.parent).free if self.file else LEAST_FREE

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Hold the write lock: first among this process's threads, then among processes."""
        if self._lock_path is None:
            yield
            return
        deadline = time.monotonic() + BUSY_SECONDS
        if not self._threads_turn.acquire(timeout=BUSY_SECONDS):
            raise StorageBusy
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock_before(deadline, descriptor)
                yield
            finally:
                os.close(descriptor)
        finally:
            self._threads_turn.release()

    def share(self, address: str = "") -> None:
        """Mark the database as used by web or deliver, until it is closed.

        Both share a lock that conflicts with `alone` and ends with the process: on
        SQLite it is a kernel lock on a file beside the database, on PostgreSQL an advisory lock
        that every new connection takes. `address` is the web server's. Raises
        StorageBusy while a restore is underway.
        """
        if self.is_sqlite:
            with suppress(OSError):  # a full disk must not stop readers
                self._shared = self._service_file()
                _lock_before(time.monotonic() + BUSY_SECONDS, self._shared.fileno(), fcntl.LOCK_SH)
                if address:
                    self._shared.truncate(0)
                    self._shared.write(address.encode())
        else:
            event.listen(self.engine, "connect", _share_postgresql)
            with suppress(DBAPIError):  # while the server is down, the first use takes the lock
                self.engine.connect().close()  # the pool keeps the connection open

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock out web and deliver; raise InUse when one is running."""
        if self.is_sqlite:
            with self._service_file() as file:
                if not _try_lock(file.fileno()):
                    raise InUse(IN_USE)
                yield
        else:
            engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.detach()  # so that closing the connection releases its lock
                if not connection.scalar(TAKE_SERVICE_LOCK):
                    pids = ", ".join(map(str, connection.scalars(WHO_SHARES)))
                    raise InUse(f"{IN_USE} (PostgreSQL's processes {pids})")
                try:
                    yield
                finally:  # the server would notice a closed connection later
                    with suppress(DBAPIError):
                        connection.execute(RELEASE_SERVICE_LOCK)

    def served_at(self) -> str:
        """Return the address of the web server that uses this SQLite database; empty if none."""
        if not self.is_sqlite:
            return ""
        with self._service_file() as file:
            if _try_lock(file.fileno()):
                return ""
            file.seek(0)
            return file.read().decode()

    def _service_file(self) -> FileIO:
        return FileIO(f"{self.file}.service", "a+", opener=_private)

    def forget(self) -> None:
        """Remove erased data from the write-ahead log."""
        if self.is_sqlite:
            with self.engine.connect() as connection:
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def clean_up(self) -> None:
        """Free the space of erased rows on PostgreSQL; SQLite overwrites them at once."""
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("VACUUM")

    def close(self) -> None:
        self.engine.dispose()
        if self._shared:
            self._shared.close()


def _lock_before(deadline: float, descriptor: int, kind: int = fcntl.LOCK_EX) -> None:
    """Take the kernel lock; poll, because a blocking flock has no time-out."""
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StorageBusy from None
            time.sleep(0.001)


def _try_lock(descriptor: int) -> bool:
    """Take a kernel lock for this process alone; return False when another process has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def open_engine(url: str) -> Engine:
    """Create the engine for `url`, with SQLite set up as the module's docstring says.

    Errors hide their parameters: a traceback must not contain a visitor's input.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(
            parsed,
            pool_size=CONNECTIONS,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5},
        )
        event.listen(engine, "connect", _set_up_postgresql)
        return engine
    engine = create_engine(
        parsed,
        pool_size=CONNECTIONS,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None when it is missing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_up_sqlite(connection, record) -> None:
    # The driver would start transactions late and commit DDL; let SQLAlchemy start them.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # erased data must not remain in free pages
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "cache_size=-1000",  # KB per connection; a commit invalidates the caches of all the others
    ):
        connection.execute(f"PRAGMA {pragma}")
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    record.info["file"] = _identity(path)


def _set_up_postgresql(connection, _record) -> None:
    """Limit lock waits to those of SQLite: PostgreSQL would wait forever."""
    connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    connection.commit()


def _share_postgresql(connection, _record) -> None:
    connection.execute(SHARE_SERVICE_LOCK)
    connection.commit()


def _begin(connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
