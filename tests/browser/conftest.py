"""Chromium, the site built once for all workers, and the product that serves it."""

import fcntl
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.product import HOST_ZONE, Product
from tests.browser.visitor import OWN_ZONE, Visitor

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_OF_THE_BUILD = ("PUBLIC_URL", "PRACTICE_")


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real site, strictly built; workers wait for one build and share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    site = shared / "built-site"
    with (shared / "built-site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            _build(into := shared / "site-being-built")
            into.rename(site)  # so that a build that failed is never taken for a site
    return site


def _build(into: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(SETTINGS_OF_THE_BUILD)
    }
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", into],
        cwd=ROOT,
        env=environment | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"the site does not build:\n{done.stdout}{done.stderr}", pytrace=False)


# It ends with this folder and not with the session.
@pytest.fixture(scope="package")
def product(built_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product on SQLite, with whatever the tests of this worker leave in it."""
    product = Product(built_site, tmp_path_factory.mktemp("product"))
    yield product
    assert product.stop() == 0


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser profile that ends with the test."""
    contexts = []

    def open_one(product: Product, width: int, javascript: bool, zone: str) -> BrowserContext:
        context = browser.new_context(
            base_url=product.address,
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
            timezone_id=zone,
        )
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(open_context, product: Product) -> Callable[..., Visitor]:
    """Invite a new visitor with an address of their own."""

    def invite(
        width: int = 1280,
        javascript: bool = True,
        at: Product = product,
        timezone_id: str = OWN_ZONE,
    ) -> Visitor:
        context = open_context(at, width, javascript, timezone_id)
        zone = timezone_id if javascript else HOST_ZONE  # without a script nobody knows it
        return Visitor(context.new_page(), zone, f"ada.{next(_numbers)}@example.com")

    return invite


_numbers = itertools.count(1)
