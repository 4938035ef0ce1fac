"""Fixtures: the running product on the built site, and visitors in a browser."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.browser.product import HOST_ZONE, Product
from tests.support.browser.visitor import OWN_ZONE, Visitor
from tests.support.tools import MILLISECONDS


# It ends with this folder, not with the session.
@pytest.fixture(scope="package")
def product(built_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product on SQLite, shared by the tests of this worker."""
    product = Product(built_site, tmp_path_factory.mktemp("product"))
    yield product
    assert product.stop() == 0


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser profile for one test."""
    contexts = []

    def open_one(product: Product, width: int, javascript: bool, zone: str) -> BrowserContext:
        context = browser.new_context(
            base_url=product.url,
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
            timezone_id=zone,
        )
        context.set_default_timeout(MILLISECONDS)
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(open_context, product: Product) -> Callable[..., Visitor]:
    """Create a visitor with an address of their own."""

    def invite(
        width: int = 1280,
        javascript: bool = True,
        at: Product = product,
        timezone_id: str = OWN_ZONE,
    ) -> Visitor:
        context = open_context(at, width, javascript, timezone_id)
        zone = timezone_id if javascript else HOST_ZONE  # unknown without a script
        number = next(_numbers)  # searches on the desk must find only one person
        return Visitor(
            context.new_page(), zone, f"ada.{number}@example.com", f"Ada {number:03} Example"
        )

    return invite


_numbers = itertools.count(1)
