"""Copies of the database: whole, made beside those who write, and put back without surprises."""

import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from lead_service import create_app
from lead_service.accounts.audit_log import Actor, AuditKind
from lead_service.accounts.members import Passkey
from lead_service.book.hosts import setup
from lead_service.book.hosts.models import CalendarFeed, Host
from lead_service.db import engine, schema
from lead_service.db.engine import Database, InUse, StorageBusy
from lead_service.desk.auth import links, sessions
from lead_service.desk.team import membership
from lead_service.emails import outbox, provider_erasure, worker
from lead_service.emails.models import OutboxMessage
from lead_service.leads import capture
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead
from lead_service.ops import backup
from lead_service.ops.backup import BackupError
from lead_service.privacy import backup_files, erasure
from lead_service.settings import load
from tests.support.app.outbox_helper import compose
from tests.support.databases import open_migrated
from tests.support.engines import only_postgresql, only_sqlite
from tests.support.waiting import eventually

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ADA = "ada@example.com"
NOT_WHOLE = [
    b"",
    b"this is no backup",
    b"SQLite format 3\x00" + b"\x00" * 4000,
    b"PGDMP\x01\x0e\x00",
]


@pytest.fixture
def live(db_url):
    database = open_migrated(db_url)
    yield database
    database.close()


@pytest.fixture
def settings(environment, tmp_path):
    return load(environment | {"BACKUP_DIR": str(tmp_path / "backups")})


def write_to(database: Database, number: int) -> None:
    """Store a lead with its email, like every form."""

    def work(session) -> None:
        lead = capture.capture_lead(
            session, ContactDetails(email=f"ada{number}@example.com"), at=NOW
        )
        week = {"at": NOW, "useless_after": NOW + timedelta(days=7)}
        outbox.queue(session, "invited", f"{number}@lead.test", lead_id=lead.id, **week)

    database.write(work)


def held(database: Database) -> tuple[int, int]:
    with database.read() as session:
        counts = [select(func.count()).select_from(table) for table in (Lead, OutboxMessage)]
        return session.scalar(counts[0]), session.scalar(counts[1])


@pytest.mark.long
@pytest.mark.both_engines
def test_a_backup_under_load_has_everything_committed_before(live, settings, tmp_path):
    acknowledged, stopping = [], threading.Event()

    def keep_writing() -> None:
        while not stopping.is_set():
            write_to(live, len(acknowledged))
            acknowledged.append(None)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for number in range(3):
            while len(acknowledged) < 10 * (number + 1):
                stopping.wait(0.01)
            before = len(acknowledged)
            contents = backup.make(live, tmp_path / f"copy{number}")
            assert contents.leads >= before
            assert contents.leads == contents.mails
    finally:
        stopping.set()
        writer.join()
    restored = backup.restore(live, settings, tmp_path / "copy2", NOW, replace=True)
    assert restored == replace(contents, waiting=contents.mails)
    assert held(live) == (contents.leads, contents.mails)


def test_a_backup_is_readable_by_its_owner_only_and_replaces_nothing(live, tmp_path):
    path = tmp_path / "new folder" / "copy"
    backup.make(live, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    content = path.read_bytes()
    with pytest.raises(BackupError, match="exists"):
        backup.make(live, path)
    assert path.read_bytes() == content


def seed(live: Database, settings) -> None:
    """Create the records of `migrate` and `serve`."""
    live.write(lambda session: setup.create_first_host(session, settings))
    links.make_link(live, settings, settings.sales_to[0], NOW)


CHANGES = {
    "lead": lambda session: capture.capture_lead(session, ContactDetails(email=ADA), at=NOW),
    "host": lambda session: session.execute(update(Host).values(version=2)),
    "member": lambda session: membership.add_member(session, "ann@example.com", NOW),
    "calendar_feed": lambda session: session.add(
        CalendarFeed(host_id=1, url="https://ada.net/a", label="Work")
    ),
    "audit": lambda session: Actor(NOW).note(session, AuditKind.ROLE_CHANGED, "member 1"),
}


@pytest.mark.parametrize("what", [None, *CHANGES])
def test_seeded_rows_are_replaced_and_entered_ones_are_not(live, settings, tmp_path, what):
    seed(live, settings)
    backup.make(live, tmp_path / "copy")
    if what is None:
        assert backup.restore(live, settings, tmp_path / "copy", NOW).leads == 0
        return
    live.write(lambda session: CHANGES[what](session))
    with pytest.raises(BackupError, match=rf"\b{what}: \d.*--replace"):
        backup.restore(live, settings, tmp_path / "copy", NOW)
    backup.restore(live, settings, tmp_path / "copy", NOW, replace=True)
    assert backup.restore(live, settings, tmp_path / "copy", NOW).leads == 0  # seeded once more


SHARES = (
    "import sys, time; from lead_service.db.engine import Database; "
    "database = Database(sys.argv[1]); "
)
HOLDS = SHARES + "database.share(sys.argv[2]); print('ready', flush=True); time.sleep(600)"


@pytest.mark.both_engines
def test_nothing_is_restored_while_the_service_uses_the_database(live, settings, tmp_path):
    backup.make(live, tmp_path / "copy")
    write_to(live, 1)
    address = "http://127.0.0.1:8123/"
    holder = [sys.executable, "-c", HOLDS, live.engine.url.render_as_string(False), address]
    with subprocess.Popen(holder, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout.readline() == "ready\n"
        assert live.served_at() == (address if live.is_sqlite else "")
        with pytest.raises(InUse, match="stop `serve`, or `web` and `deliver`"):
            backup.restore(live, settings, tmp_path / "copy", NOW, replace=True)
        service.kill()  # no process can hold the lock after its end
    assert held(live) == (1, 1)

    def is_restored() -> bool:
        try:
            return not backup.restore(live, settings, tmp_path / "copy", NOW, replace=True).leads
        except InUse:
            return False

    assert eventually(is_restored)
    assert held(live) == (0, 0)
    assert live.served_at() == ""


def test_web_and_deliver_use_the_database_until_they_end(live, settings):
    def is_used() -> bool:
        try:
            with live.alone():
                return False
        except InUse:
            return True

    app = create_app(settings)
    assert is_used()
    app.extensions["lead_service"].database.close()
    assert not is_used()
    worker.run(settings, compose, until=is_used)  # it would not end otherwise
    assert not is_used()


def test_the_service_does_not_start_in_the_middle_of_a_restore(live, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    with closing(Database(live.engine.url.render_as_string(False))) as service:
        with live.alone(), pytest.raises((StorageBusy, DBAPIError)):
            service.share()
            service.engine.connect()
        with service.engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("content", NOT_WHOLE, ids=["empty", "text", "no pages", "no end"])
def test_a_damaged_copy_changes_nothing(live, settings, tmp_path, content):
    write_to(live, 1)
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(BackupError):
        backup.restore(live, settings, tmp_path / "copy", NOW, replace=True)
    assert held(live) == (1, 1)


@pytest.mark.both_engines
def test_a_truncated_backup_changes_nothing(live, settings, tmp_path):
    for number in range(50):
        write_to(live, number)
    whole = tmp_path / "copy"
    backup.make(live, whole)
    whole.write_bytes(whole.read_bytes()[: -whole.stat().st_size // 3])
    with pytest.raises(BackupError):
        backup.restore(live, settings, whole, NOW, replace=True)
    assert held(live) == (50, 50)


@only_sqlite
def test_a_corrupt_backup_changes_nothing(live, settings, tmp_path):
    write_to(live, 1)
    copy = tmp_path / "copy"
    backup.make(live, copy)
    whole = copy.read_bytes()
    at = whole.rindex(b"ada1@example.com")  # of several: the table's and its indexes'
    copy.write_bytes(whole[:at] + b"eve1" + whole[at + 4 :])
    with pytest.raises(BackupError, match="damaged"):
        backup.restore(live, settings, copy, NOW, replace=True)
    assert held(live) == (1, 1)


@only_sqlite
def test_the_file_of_a_running_database_is_no_copy(settings, tmp_path):
    live = open_migrated(settings.database_url)
    write_to(live, 1)
    with pytest.raises(BackupError, match="live database"):
        backup.restore(live, settings, Path(live.engine.url.database), NOW, replace=True)
    live.close()


def test_tables_of_a_later_schema_are_dropped_by_an_older_backup(live, settings, tmp_path):
    write_to(live, 1)
    backup.make(live, tmp_path / "copy")
    with live.engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (lead_id INTEGER REFERENCES lead (id))"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer" in schema.fault(live)
    backup.restore(live, settings, tmp_path / "copy", NOW, replace=True)
    assert schema.fault(live) is None
    assert held(live) == (1, 1)


def test_pending_erasures_at_the_provider_survive_a_restore(live, settings, tmp_path):
    backup.make(live, tmp_path / "copy")
    live.write(lambda session: provider_erasure.promise(session, ["ada@example.com"], NOW))
    backup.restore(live, settings, tmp_path / "copy", NOW)
    with live.read() as session:
        assert [job.address for job in provider_erasure.pending(session)] == ["ada@example.com"]


def test_people_erased_since_the_backup_are_erased_again(live, settings, tmp_path):
    backup.make(live, tmp_path / "older")
    for number in (1, 2):
        write_to(live, number)
    backup.make(live, tmp_path / "copy")
    later = NOW + timedelta(hours=1)
    live.write(lambda session: erasure.erase(session, settings, "ada1@example.com", Actor(later)))
    backup.restore(live, settings, tmp_path / "older", later, replace=True)  # the backup was empty
    restored = backup.restore(live, settings, tmp_path / "copy", later, replace=True)
    assert str(restored).splitlines() == [
        "leads: 2, emails: 2; erased again since: 1",
        "emails held: 1; send or cancel them on the desk",
    ]
    with live.read() as session:
        assert session.scalars(select(Lead.address)).all() == ["ada2@example.com"]
    assert held(live) == (1, 1)


def test_an_older_backup_is_migrated_and_restores_no_erased_person(db_url, settings, tmp_path):
    live = Database(db_url)
    schema.migrate(live, schema.revisions()[-2])
    with live.engine.begin() as connection:
        lead = Table("lead", MetaData(), autoload_with=connection)
        none = {one.name: "" for one in lead.c if not one.nullable and one.name != "id"}
        known = {"address": ADA, "email": ADA, "stage": "new", "version": 1, "quarantine": False}
        times = {"created_at": NOW, "touched_at": NOW}
        connection.execute(insert(lead).values(none | known | times))
    backup.make(live, tmp_path / "copy")
    schema.migrate(live)
    later = NOW + timedelta(hours=1)
    live.write(lambda session: erasure.erase(session, settings, ADA, Actor(later)))
    restored = backup.restore(live, settings, tmp_path / "copy", later, replace=True)
    assert restored.erased_again == 1
    assert schema.fault(live) is None
    assert held(live) == (0, 0)
    live.close()


def test_a_restore_ends_all_sessions_and_keeps_passkeys(live, settings, tmp_path):
    link = links.make_link(live, settings, "ann@example.com", NOW)
    member = live.write(lambda session: membership.find_member(session, "ann@example.com"))
    cookie = live.write(lambda session: sessions.start_session(session, member, NOW))
    given = {"credential_id": "aWQ", "public_key": "a2V5", "sign_count": 2**32 - 1}
    passkey = Passkey(name="Phone", member_id=member.id, created_at=NOW, **given)
    live.write(lambda session: session.add(passkey))
    backup.make(live, tmp_path / "copy")
    backup.restore(live, settings, tmp_path / "copy", NOW, replace=True)
    token = link.rstrip("/").rpartition("/")[2]
    with live.read() as session:
        assert sessions.live_session(session, settings, cookie, NOW) is None
        assert not links.is_usable(session, token, NOW)
        assert session.scalars(select(Passkey.sign_count)).all() == [2**32 - 1]


@only_postgresql
def test_no_password_is_in_a_command_line(postgresql_server, settings, tmp_path, monkeypatch):
    postgresql_server.empty()
    live = Database(postgresql_server.url.replace("postgres@", "postgres:hunter2@"))
    schema.migrate(live)
    _listen_in(tmp_path / "bin", monkeypatch)
    backup.make(live, tmp_path / "copy")
    backup.restore(live, settings, tmp_path / "copy", NOW, replace=True)
    live.close()
    said = (tmp_path / "bin" / "said").read_text()
    for program in ("pg_dump", "psql"):
        assert f"{program} knows hunter2:" in said
    assert "hunter2" not in said.replace("knows hunter2:", "")


def _listen_in(folder: Path, monkeypatch) -> None:
    """Wrap PostgreSQL's programs to record their arguments."""
    folder.mkdir()
    for program in ("pg_dump", "psql"):
        spy = folder / program
        spy.write_text(
            f'#!/bin/sh\necho "{program} knows $PGPASSWORD: $*" >>{folder}/said\n'
            f'exec {shutil.which(program)} "$@"\n'
        )
        spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_copies_go_when_their_time_is_over(live, settings):
    for days in (40, 31, 29, 0):
        backup.make(live, backup.path_for(settings, NOW - timedelta(days=days)))
    (settings.backup_dir / "lead_service-mine.backup").write_text("somebody else's")
    assert backup.prune(settings, NOW) == 2
    assert [copy.made_at for copy in backup_files.list_backups(settings)] == [
        NOW - timedelta(days=29),
        NOW,
    ]
    assert len(list(settings.backup_dir.iterdir())) == 3


def test_a_backup_that_is_missing_or_late_is_a_fault(live, settings, environment):
    assert backup.faults(load(environment), NOW) == []
    assert "is empty" in backup.faults(settings, NOW)[0]
    backup.make(live, backup.path_for(settings, NOW))
    assert backup.faults(settings, NOW + timedelta(hours=25)) == []
    assert "27 hours old" in backup.faults(settings, NOW + timedelta(hours=27))[0]
