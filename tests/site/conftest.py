"""Fixtures: the built site behind a plain file server, and pages in a browser."""

import functools
import http.server
from contextlib import contextmanager

import pytest

from lead_service.action_framework.loading import load
from tests.support.built_site import ROOT, pages_of
from tests.support.local_server import LocalServer


@pytest.fixture(scope="session")
def site(built_site):
    return built_site


@pytest.fixture(scope="session")
def pages(site):
    return pages_of(site)


@pytest.fixture(scope="session")
def framework():
    return load((ROOT / "docs" / "framework.yml").read_text("utf-8"))


class Plain(http.server.SimpleHTTPRequestHandler):
    """Serve files with the policy for static hosts, without logging."""

    policy = ""

    def end_headers(self):
        self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def served(site):
    """Serve a built site with a plain file server on a free port; yield its address."""
    lines = (site / "_headers").read_text("utf-8").splitlines()
    policy = next(line for line in lines if "Security-Policy" in line).partition(": ")[2]
    handler = type("WithPolicy", (Plain,), {"policy": policy})
    with LocalServer(functools.partial(handler, directory=str(site))) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="session")
def address(site):
    with served(site) as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Open a page in a browser with these options; width in CSS pixels."""
    contexts = []

    def open_page(path, width=1280, **kind):
        context = browser.new_context(viewport={"width": width, "height": 800}, **kind)
        contexts.append(context)
        page = context.new_page()
        page.goto(address + path)
        if kind.get("java_script_enabled", True):
            page.locator(".scheme").wait_for()  # the script that comes after the first paint
        return page

    yield open_page
    for context in contexts:
        context.close()
