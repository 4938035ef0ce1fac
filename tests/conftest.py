"""Select and order the tests, and create a fresh database of each kind.

What takes long to import is imported by the fixture that needs it: a unit test starts at once.
"""

import gc
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support import tools

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

    from lead_service.db.engine import Database
    from tests.support.databases import PostgreSQL
    from tests.support.limits_store import LimitsStore

HERE = Path(__file__).parent
# Folders with the slowest fixtures come first, so that the rest for the worker
# that ends early is small and needs none of them. The deployment comes after
# other tests of its worker, because two other workers wait for the site, too.
FOLDERS = ("browser", "site", "service", "deploy", "faults", "unit")

gc.disable()  # while tests are imported and listed, nothing becomes garbage

hypothesis.settings.register_profile("short", deadline=None, max_examples=15, print_blob=True)
hypothesis.settings.register_profile("all", deadline=None, max_examples=300, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        help="run everything: each test on both databases, each page at each width, long programs",
    )


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("all" if config.option.all else "short")
    config.pluginmanager.register(tools.Plugin())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that need a database on SQLite; those marked `both_engines` on PostgreSQL, too."""
    chosen = any(
        "db_url" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")
    )
    if "db_url" in metafunc.fixturenames and not chosen:
        marked = metafunc.definition.get_closest_marker("both_engines")
        both = marked or metafunc.config.option.all
        engines = ["sqlite", "postgresql"] if both else ["sqlite"]
        metafunc.parametrize("db_url", engines, indirect=True)


@pytest.hookimpl(optionalhook=True)  # there is no scheduler without workers
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Let one worker run all tests of what takes long to start."""
    from tests.support.schedule import Groups

    return Groups(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let each worker import another part of the tests first, which compiles them.

    In one order, each worker would compile every file of a fresh checkout.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker and session.config.args == session.config.getini("testpaths"):
        number = int(worker["workerid"].removeprefix("gw"))
        for path in sorted(HERE.rglob("test_*.py"))[number :: worker["workercount"]]:
            with suppress(Exception):  # set after the collection
                import_module(".".join(path.relative_to(HERE.parent).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """Collect garbage less often, and without imported modules: it saves a sixth of the time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is `long`, and keep a folder's tests together, in any order within it."""
    if not config.option.all:
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=lambda item: FOLDERS.index(item.path.relative_to(HERE).parts[0]))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    seed = getattr(config.option, "randomly_seed", "default")
    if exitstatus == pytest.ExitCode.TESTS_FAILED and seed != "default":
        terminalreporter.write_line(f"The order of these tests again: --randomly-seed={seed}")


@pytest.fixture(scope="session")
def postgresql_server() -> "Iterator[PostgreSQL]":
    """A PostgreSQL server, started when the first test asks for it."""
    from tests.support.databases import PostgreSQL

    server = PostgreSQL()
    yield server
    server.stop()


@pytest.fixture
def limits_store() -> "Iterator[LimitsStore]":
    """An empty store of limits, for several web processes."""
    from tests.support.limits_store import LimitsStore

    store = LimitsStore()
    yield store
    store.remove()


@pytest.fixture
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database of the kind that `pytest_generate_tests` chose."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server = request.getfixturevalue("postgresql_server")
    if "database" not in request.fixturenames:
        server.empty()
    return server.url


@pytest.fixture
def database(request: pytest.FixtureRequest, db_url: str) -> "Iterator[Database]":
    """The database at `db_url` with every table in it, made from the models, and no row."""
    from lead_service.db.base import Base
    from lead_service.db.engine import Database
    from tests.support import databases

    databases.import_models()
    database = Database(db_url)
    if database.file:
        database.file.write_bytes(databases.sqlite_with_tables())
    else:
        request.getfixturevalue("postgresql_server").clear(Base.metadata)
    yield database
    database.close()


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real site, built with nothing but the defaults; workers share one."""
    from tests.support import whole_site
    from tests.support.shared import make_once

    return make_once(tmp_path_factory, "built-site", whole_site.build)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """The installed Chromium, one for all tests of this worker: a process may have one only."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=tools.MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.chromium(), args=tools.QUIET)
        yield browser
        browser.close()
