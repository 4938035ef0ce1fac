"""The schema: migrated in one transaction, never halfway, never newer than the program."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from lead_service.db import schema
from lead_service.db.base import Base
from lead_service.db.engine import Database
from tests.support import bulk_data
from tests.support.engines import only_sqlite


@pytest.fixture
def empty(db_url):
    database = Database(db_url)
    yield database
    database.close()


@pytest.mark.both_engines
def test_migrating_an_empty_database_once_or_twice_makes_the_schema_of_the_models(empty):
    assert "empty" in schema.fault(empty)
    schema.migrate(empty)
    schema.migrate(empty)
    assert schema.fault(empty) is None
    with empty.engine.connect() as connection:
        found = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(found, Base.metadata) == []


def test_the_revisions_are_those_that_alembic_would_run_in_that_order():
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    walked = ScriptDirectory.from_config(config).walk_revisions()
    assert schema.revisions() == [script.revision for script in walked][::-1]


@only_sqlite
@pytest.mark.parametrize("since", ["0007", "head"])
def test_ids_of_erased_records_are_never_reused(empty, since):
    """PostgreSQL has sequences; SQLite needs AUTOINCREMENT, also in older tables."""
    schema.migrate(empty, since)
    with empty.engine.begin() as connection:
        bulk_data.fill(connection)
    schema.migrate(empty)
    with empty.engine.connect() as connection:
        tables = {table.name: table for table in bulk_data.tables(connection)}
        for table in reversed(tables.values()):
            connection.execute(table.delete())
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for name in ("lead", "booking", "assessment", "note", "member", "host"):
            row = bulk_data.rows(connection, tables[name])[0]
            del row["id"]
            inserted = connection.execute(tables[name].insert(), row)
            assert inserted.inserted_primary_key[0] == 3, name
        connection.rollback()
