"""Migrations of every released schema to the present one, with data."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event, select, text

from lead_service.db import schema
from lead_service.db.base import Base
from lead_service.db.engine import Database
from tests.support.bulk_data import fill, held

ROOT = Path(__file__).parents[3]
_config = Config()
_config.set_main_option("script_location", str(schema.MIGRATIONS))
RELEASED = [one.revision for one in ScriptDirectory.from_config(_config).walk_revisions()][::-1]

LAST_STEP = f"UPDATE alembic_version SET version_num='{RELEASED[-1]}'"
KILLED = f"""
import os, signal, sys
from sqlalchemy import event
from lead_service.db import schema
from lead_service.db.engine import Database
def die(_connection, _cursor, statement, *_more):
    if statement.startswith({LAST_STEP!r}):
        os.kill(os.getpid(), signal.SIGKILL)
database = Database(sys.argv[1])
event.listen(database.engine, "before_cursor_execute", die)
schema.migrate(database)
"""


@pytest.fixture
def empty(db_url) -> Iterator[Database]:
    database = Database(db_url)
    yield database
    database.close()


def filled(database: Database, revision: str) -> dict:
    """Migrate a database to a released schema and fill every table; return the rows."""
    schema.migrate(database, revision)
    with database.engine.begin() as connection:
        fill(connection)
    return all_of(database)


def all_of(database: Database) -> dict:
    with database.engine.connect() as connection:
        return held(connection)


DERIVED = {"sort_name", "sought"}  # from other columns


@pytest.mark.both_engines
@pytest.mark.parametrize("revision", RELEASED[:-1])
def test_migrating_a_released_schema_keeps_all_of_its_data(empty, revision):
    before = filled(empty, revision)
    assert all(before.values())
    schema.migrate(empty)
    assert schema.fault(empty) is None
    after = all_of(empty)
    for table, rows in before.items():
        columns = rows[0].keys() & after[table][0].keys() - DERIVED
        kept = [{name: row[name] for name in columns} for row in after[table]]
        assert sorted(kept, key=str) == sorted(
            ({name: row[name] for name in columns} for row in rows), key=str
        ), table
    with empty.read() as session:
        for mapper in Base.registry.mappers:
            session.scalars(select(mapper.class_)).all()


@pytest.mark.both_engines
@pytest.mark.parametrize("revision", RELEASED[:-1])
def test_a_migration_that_fails_at_its_last_step_changes_nothing(empty, revision):
    before = filled(empty, revision)

    def fail(_connection, _cursor, statement, *_more) -> None:
        if statement.startswith(LAST_STEP):
            raise RuntimeError("at the end")

    event.listen(empty.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        schema.migrate(empty)
    event.remove(empty.engine, "before_cursor_execute", fail)
    assert all_of(empty) == before
    assert schema.fault(empty) == schema.OLDER


@pytest.mark.long
def test_a_migration_that_is_killed_leaves_the_old_schema_and_can_be_run_again(empty, db_url):
    before = filled(empty, RELEASED[0])
    done = subprocess.run([sys.executable, "-c", KILLED, db_url], cwd=ROOT, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert all_of(empty) == before
    with empty.engine.connect() as connection:
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert revision == RELEASED[0]
    schema.migrate(empty)
    assert schema.fault(empty) is None
