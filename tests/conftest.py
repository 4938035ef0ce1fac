"""What all tests stand on: a fresh database of each kind, and Hypothesis without a stopwatch."""

import functools
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import hypothesis
import pytest

import lead_service
from lead_service.db import Base, Database
from tests.databases import PostgreSQL, sqlite_url

hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server, started when the first test asks for it."""
    server = PostgreSQL()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database; a test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server = request.getfixturevalue("postgresql_server")
    if "database" not in request.fixturenames:
        server.empty()
    return server.url


@pytest.fixture
def database(request: pytest.FixtureRequest, db_url: str) -> Iterator[Database]:
    """The database at `db_url` with every table in it, made from the models, and no row."""
    _import_models()
    database = Database(db_url)
    if database.is_sqlite:
        Base.metadata.create_all(database.engine, checkfirst=False)
    else:
        request.getfixturevalue("postgresql_server").clear(Base.metadata)
    yield database
    database.close()


@functools.cache
def _import_models() -> None:
    """Import each module that declares a table, so that a new one cannot be forgotten."""
    root = Path(lead_service.__path__[0])
    for path in sorted(root.rglob("*.py")):
        if "__tablename__" in path.read_text() and "migrations" not in path.parts:
            import_module(".".join(["lead_service", *path.relative_to(root).with_suffix("").parts]))
