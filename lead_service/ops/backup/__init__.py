"""Back up the database while the service runs, check backups, and restore them.

A plain copy of a live SQLite file lacks the write-ahead log and may be corrupt,
so each engine has its own way. A backup contains everything in the database, including personal
data: only its owner can read it, and it is deleted after BACKUP_DAYS.

A restore takes the lock that web and deliver share (`Database.alone`), so that it never replaces
data under them, and it asks before it replaces data that people entered.
"""

import dataclasses
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sqlalchemy import ColumnElement, func, inspect, select, table, update
from sqlalchemy.orm import Session

from ...accounts.audit_log import Actor, AuditEntry, AuditKind
from ...accounts.members import DeskSession, Member, Role, SignInLink
from ...book.hosts.models import Host
from ...db import schema
from ...db.engine import Database
from ...emails import outbox, provider_erasure
from ...emails.models import ErasureJob
from ...leads.models import Lead
from ...privacy import erasure
from ...privacy.backup_files import FILE_NAME, list_backups
from ...privacy.models import Suppression
from ...settings import Settings
from ...web.tokens import derived_token

ON_A_TERMINAL, IN_A_LOG = 2, 30  # seconds between progress lines
LATE = timedelta(hours=26)  # a daily backup, and time for a slow night
# Tables without people's data, or that a restore carries over.
NO_LOSS = {
    *("alembic_version", "framework_version", "outbox_pause", "sign_in_link", "desk_session"),
    *("suppression", "erasure_job"),
}


class BackupError(Exception):
    """Why a backup or restore failed, in one line without personal data."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """Row counts of a backup."""

    leads: int
    mails: int
    erased_again: int = 0  # people who were erased after the backup, at a restore
    waiting: int = 0  # emails that are held for review after a restore

    def __str__(self) -> str:
        said = f"leads: {self.leads}, emails: {self.mails}"
        said += f"; erased again since: {self.erased_again}" if self.erased_again else ""
        if not self.waiting:
            return said
        return f"{said}\nemails held: {self.waiting}; send or cancel them on the desk"


def path_for(settings: Settings, now: datetime) -> Path:
    """Name the next copy in BACKUP_DIR."""
    if settings.backup_dir is None:
        raise BackupError("give a file, or set BACKUP_DIR")
    return settings.backup_dir / now.astimezone(UTC).strftime(FILE_NAME)


def make(database: Database, path: Path) -> Contents:
    """Write a consistent backup, mode 0600, while others read and write; return its counts.

    Raises BackupError, and leaves nothing behind, when the file exists or the backup
    fails.
    """
    if path.exists():
        raise BackupError(f"{path} already exists, and was not overwritten")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part") as part:
            with _told("backup", Path(part.name)):
                contents = _engine(database).copy(database, Path(part.name))
            with open(part.name, "rb") as written:
                os.fsync(written.fileno())
            os.link(part.name, path)  # unlike a rename, a link never replaces a file
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}") from None
    return contents


def restore(
    database: Database, settings: Settings, path: Path, now: datetime, *, replace: bool = False
) -> Contents:
    """Replace the database's content with a backup, atomically; return its counts.

    An older backup is migrated. Its waiting emails are held: most of them were
    sent after the backup. People who were erased after it are
    erased again, pending erasures at the mail provider are kept, and
    all members are signed out, because the backup has sessions that have ended since. Raises
    InUse while web or deliver runs, and BackupError for a damaged or foreign file, or
    without `replace` when the database holds more than the seeded host and admin.
    """
    if not path.is_file():
        raise BackupError(f"{path} is not a file")
    with database.alone():
        if not replace and (held := _at_stake(database, settings)):
            counts = ", ".join(f"{name}: {count}" for name, count in held.items())
            raise BackupError(f"the database is not empty ({counts}); to replace it, add --replace")
        return _put_in_place(database, settings, path, now)


def _put_in_place(database: Database, settings: Settings, path: Path, now: datetime) -> Contents:
    marks, jobs = _marks(database), _erasure_jobs(database)
    engine = _engine(database)
    log = Path(f"{database.file}-wal") if database.file else None
    with _told("restore", log):
        engine.check(path)
        contents = engine.put_back(database, path)
    if schema.is_older(database):
        schema.migrate(database)  # otherwise people erased since the backup would be back for good
    if schema.fault(database) is None:
        gone = database.write(lambda session: _erase_again(session, settings, marks, now))
        database.write(lambda session: _keep_marks(session, marks))
        held = database.write(outbox.hold_waiting)
        contents = dataclasses.replace(contents, erased_again=gone, waiting=held)
        database.write(lambda session: provider_erasure.promise(session, jobs, now))
        database.write(lambda session: _sign_all_out(session, now))
    database.forget()
    return contents


def prune(settings: Settings, now: datetime) -> int:
    """Delete the backups in BACKUP_DIR that are older than BACKUP_DAYS; return how many."""
    over = [copy for copy in list_backups(settings) if copy.until <= now]
    for copy in over:
        copy.path.unlink(missing_ok=True)
    return len(over)


def faults(settings: Settings, now: datetime) -> list[str]:
    """Return the faults of the backups in BACKUP_DIR, if it is set."""
    if settings.backup_dir is None:
        return []
    copies = list_backups(settings)
    if not copies:
        return [f"backups: {settings.backup_dir} is empty; run `lead-service backup` daily"]
    age = now - copies[-1].made_at
    if age > LATE:
        return [f"backups: the newest is {age // timedelta(hours=1)} hours old"]
    return []


def _engine(database: Database) -> ModuleType:
    """Import and return the backup functions for this database."""
    return import_module("." + ("sqlite" if database.is_sqlite else "postgresql"), __package__)


def _at_stake(database: Database, settings: Settings) -> dict[str, int]:
    """Count the rows that a restore would replace, by table, without seeded rows.

    `migrate` makes the first host and `serve` the first admin. Until a member changes them, and
    in a schema of this version, they can be replaced without asking.
    """
    rows = select(func.count())
    names = set(inspect(database.engine).get_table_names()) - NO_LOSS
    is_known = schema.fault(database) is None
    with database.read() as session:
        counts = {name: session.scalar(rows.select_from(table(name))) or 0 for name in names}
        if is_known and counts["host"] == 1 and session.scalar(rows.where(*_is_seeded(settings))):
            del counts["host"], counts["opening_hours"]
        if is_known and counts["member"] == 1 and session.scalar(rows.where(*_is_first(settings))):
            del counts["member"], counts["audit"]
    return {name: count for name, count in sorted(counts.items()) if count}


def _is_seeded(settings: Settings) -> tuple[ColumnElement[bool], ...]:
    return (Host.version == 1, Host.feed_version == 1, Host.email == settings.sales_to[0])


def _is_first(settings: Settings) -> tuple[ColumnElement[bool], ...]:
    is_admin = (Member.role == Role.ADMIN, Member.name == "", Member.removed_at.is_(None))
    nothing_else = select(AuditEntry.id).where(AuditEntry.what != AuditKind.MEMBER_ADDED)
    return (*is_admin, Member.email == settings.sales_to[0], ~nothing_else.exists())


def _marks(database: Database) -> dict[str, datetime]:
    """Return when each address was erased, by its digest."""
    if not inspect(database.engine).has_table(Suppression.__tablename__):
        return {}
    with database.read() as session:
        return {mark.digest: mark.at for mark in session.scalars(select(Suppression))}


def _erasure_jobs(database: Database) -> list[str]:
    """Return the pending erasures at the mail provider."""
    if not inspect(database.engine).has_table(ErasureJob.__tablename__):
        return []
    with database.read() as session:
        return [job.address for job in provider_erasure.pending(session)]


def _erase_again(
    session: Session, settings: Settings, marks: dict[str, datetime], now: datetime
) -> int:
    """Erase again everyone who was erased after the backup; return how many."""
    people = session.execute(select(Lead.address, Lead.created_at)).all() if marks else []
    gone = 0
    for address, created_at in people:
        digest = derived_token(settings.secret, "suppression", address)
        if digest in marks and created_at <= marks[digest]:
            erasure.erase(session, settings, address, Actor(now))
            gone += 1
    return gone


def _keep_marks(session: Session, marks: dict[str, datetime]) -> None:
    """Store the digests of erased addresses, which the restored backup may lack."""
    for digest, at in marks.items():
        mark = session.get(Suppression, digest)
        if mark is None or mark.at < at:
            session.merge(Suppression(digest=digest, at=at))


def _sign_all_out(session: Session, now: datetime) -> None:
    session.execute(update(DeskSession).where(DeskSession.ended_at.is_(None)).values(ended_at=now))
    session.execute(update(SignInLink).where(SignInLink.used_at.is_(None)).values(used_at=now))


@contextmanager
def _told(what: str, file: Path | None = None) -> Iterator[None]:
    """Write the elapsed time and the size of `file` to stderr every few seconds."""
    is_over, start = threading.Event(), time.monotonic()

    def tell() -> None:
        while not is_over.wait(ON_A_TERMINAL if sys.stderr.isatty() else IN_A_LOG):
            size = f", {file.stat().st_size // 10**6} MB" if file and file.exists() else ""
            print(f"{what}: {time.monotonic() - start:.0f} s{size}", file=sys.stderr, flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
