"""What all tests stand on: a fresh database of each kind, and Hypothesis without a stopwatch."""

import functools
import shutil
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from xdist.scheduler import LoadFileScheduling

import lead_service
from lead_service.db import Base, Database
from tests.databases import PostgreSQL, sqlite_url
from tests.limits_store import LimitsStore

MISSING = "Chromium is not installed, and the tests need it: apt-get install -y chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP advisory.test 127.0.0.1",  # where tests/deploy serves https
)
MILLISECONDS = 20_000  # patience with a busy machine

hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """Keeps the tests of a file on one worker, but for the file that is a quarter of the run."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        if file.startswith("tests/deploy/"):
            return "tests/deploy"  # one deployment, which takes longer to start than to test
        is_at_the_desk = file.endswith("test_every_page.py") and "desk, " in nodeid
        return f"{file} at the desk" if is_at_the_desk else file


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server, started when the first test asks for it."""
    server = PostgreSQL()
    yield server
    server.stop()


@pytest.fixture
def limits_store() -> Iterator[LimitsStore]:
    """An empty store of limits, for several web processes."""
    store = LimitsStore()
    yield store
    store.remove()


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
    if database.file:
        database.file.write_bytes(_sqlite_with_tables())
    else:
        request.getfixturevalue("postgresql_server").clear(Base.metadata)
    yield database
    database.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The installed Chromium, one for all tests of this worker: a process may have one only."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail(MISSING, pytrace=False)
    expect.set_options(timeout=MILLISECONDS)  # actions wait for 30 seconds by themselves
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@functools.cache
def _sqlite_with_tables() -> bytes:
    """Return the file of a database with every table; writing it again is faster than making it."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder)))
        Base.metadata.create_all(database.engine, checkfirst=False)
        database.close()  # the last connection brings home what the log holds
        assert database.file
        return database.file.read_bytes()


@functools.cache
def _import_models() -> None:
    """Import each module that declares a table, so that a new one cannot be forgotten."""
    root = Path(lead_service.__path__[0])
    for path in sorted(root.rglob("*.py")):
        if "__tablename__" in path.read_text() and "migrations" not in path.parts:
            import_module(".".join(["lead_service", *path.relative_to(root).with_suffix("").parts]))
