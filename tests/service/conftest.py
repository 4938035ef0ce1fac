"""Fixtures: the application on a fresh database, with a small stand-in for the built site."""

import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from lead_service import clock
from lead_service.book.hosts import setup
from lead_service.db.engine import Database
from lead_service.desk.mail.composers import composer
from lead_service.emails import worker
from lead_service.emails.models import OutboxMessage
from lead_service.emails.outbox import NotNeeded
from lead_service.emails.transports.folder import Folder
from lead_service.ops import demo
from lead_service.settings import Settings, load
from lead_service.web.context import Context
from tests.support import kept_apps
from tests.support.app.outbox_helper import OutboxHelper
from tests.support.fake_sendgrid import StandIn
from tests.support.shared import make_once
from tests.support.webhook_signing import PUBLIC_KEY

ROOT = Path(__file__).parents[2]
SECRET = "the secret of all tests of the service, 0123456789"
MONDAY_MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
kept_apps.keep_statements()
kept_apps.keep_templates()
kept_apps.keep_frameworks()
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title><!--page:title--> · Advisory</title>
<meta name="description" content="<!--page:description-->">
<style>.raw{#}{{ raw }}</style><!--page:head--></head>
<body><!--page:masthead--><a class="wordmark" href="/"><b>Drawn</b></a>
<a class="masthead-book" href="/book/">Book a call</a>
<a href="/insights/">Insights</a><!--page:/masthead-->
<!--page:above--><main id="main"><!--page:content--></main>
<!--page:footer-->{{ foot }}<!--page:/footer--></body></html>
"""
ARTICLES = [
    {
        "title": f"An article about {step}",
        "url": f"/insights/about-{step}/",
        "slug": f"about-{step}",
        "step": step,
        "description": "What it says, in one sentence.",
        "date": "2026-11-01",
        "minutes": 5,
    }
    for step in ("organize", "clarify")
]


def publish(folder: Path) -> Path:
    """Write the files that the service reads from a real build."""
    (folder / "200.html").write_text(PAGE)
    (folder / "index.html").write_text("<!doctype html><title>Home</title>")
    for name in ("framework.yml", "calls.yml"):
        (folder / name).write_text((ROOT / "docs" / name).read_text())
    (folder / "people.json").write_text("[]")
    (folder / "articles.json").write_text(
        json.dumps({"site_url": "http://127.0.0.1:8000/", "site_name": "A", "articles": ARTICLES})
    )
    return folder


@pytest.fixture(autouse=True)
def _trust_no_one(monkeypatch) -> None:
    """Create TLS contexts without the machine's authorities: reading them takes 50 ms."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)


@pytest.fixture(scope="session")
def site_dir(tmp_path_factory) -> Path:
    """Publish the stand-in site once."""
    return publish(tmp_path_factory.mktemp("site"))


@pytest.fixture
def environment(tmp_path, db_url, site_dir) -> dict[str, str]:
    """Return the environment; a test may extend it before it uses `app`."""
    return {
        "DATABASE_URL": db_url,
        "VAR_DIR": str(tmp_path / "var"),
        "SITE_DIR": str(site_dir),
        "SALES_TO": "team@example.com",
        "SECRET_KEY": SECRET,
        "LIMIT_POSTS": "10000 per minute",
        "SENDGRID_WEBHOOK_KEY": PUBLIC_KEY,
    }


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory, site_dir) -> bytes:
    """The file of a database with only the made-up data of a Monday morning."""

    def set_up(folder: Path) -> None:
        given = {"VAR_DIR": str(folder), "SITE_DIR": str(site_dir), "SECRET_KEY": SECRET}
        demo.set_up(load(given), MONDAY_MORNING)

    return (make_once(tmp_path_factory, "demo", set_up) / "lead_service.db").read_bytes()


@pytest.fixture
def filled(context, database, demo_file) -> Database:
    """The test's own database, with the made-up data of a Monday morning."""
    if database.file is None:
        demo.fill(context, MONDAY_MORNING)
        return database
    for one in (context.database, database):
        one.close()
    database.file.write_bytes(demo_file)
    return database


@pytest.fixture
def settings(environment) -> Settings:
    return load(environment)


@pytest.fixture
def app(settings, database) -> Iterator[Flask]:
    """Create the application on the database with tables, and its first host."""
    app = kept_apps.get_app(settings)
    database.write(lambda session: setup.create_first_host(session, settings))
    yield app
    app.extensions["lead_service"].database.close()


@pytest.fixture
def framework(app):
    return app.extensions["lead_service"].published.framework


@pytest.fixture
def mails(database, app) -> Iterator[Callable[[], list]]:
    """Return the outbox as it is now: (row, message) in the order of writing.

    What waits is composed as it would leave now; what would not leave is left out.

    Their times are whole seconds and their ids are random, so the order is watched.
    """
    written: list[str] = []

    def note(_connection, _cursor, statement: str, values, *_more) -> None:
        if statement.startswith("INSERT INTO outbox "):
            written.append(values["id"] if isinstance(values, dict) else values[0])

    def read() -> list:
        context = app.extensions["lead_service"]  # as it is now
        compose = composer(context.settings, context.published)
        found = []
        with database.read() as session:
            rows = session.scalars(select(OutboxMessage)).all()
            for row in sorted(rows, key=lambda row: written.index(row.id)):
                if row.body or row.facts is not None:
                    with suppress(NotNeeded):
                        found.append((row, compose(session, row, clock.now())))
        return found

    event.listen(Engine, "before_cursor_execute", note)
    yield read
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def post(app, context, settings) -> Callable[[], None]:
    """Send the emails in the outbox to the folder, like the deliver process without a provider."""

    def send() -> None:
        database = app.extensions["lead_service"].database
        compose = composer(settings, context.published)
        while worker.deliver_one(database, Folder(settings), compose, clock.now(), keep_text=True):
            pass

    return send


@pytest.fixture
def room(database) -> OutboxHelper:
    """An outbox without an application."""
    return OutboxHelper(database)


@pytest.fixture
def provider() -> Iterator[StandIn]:
    """The fake email provider, which accepts every email by default."""
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return {}


@pytest.fixture
def made_once(request, db_url, made) -> Callable:
    """Return what a function makes of fixtures, made once for all tests of a file that only read.

    They are one worker's, by tests/support/schedule.py.
    """

    def make(function: Callable[..., Any]) -> Any:
        engine = db_url.partition(":")[0]
        if engine not in made:
            names = inspect.signature(function).parameters
            made[engine] = function(**{name: request.getfixturevalue(name) for name in names})
        return made[engine]

    return make


@pytest.fixture
def context(app) -> Context:
    return app.extensions["lead_service"]


class Browser(FlaskClient):
    """A client that sends the same-origin headers of a browser."""

    def open(self, *args, **kwargs):
        headers = {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
        headers |= dict(kwargs.get("headers") or {})
        kwargs["headers"] = {name: value for name, value in headers.items() if value is not None}
        return super().open(*args, **kwargs)


@pytest.fixture
def client(app) -> FlaskClient:
    app.test_client_class = Browser
    return app.test_client()


@pytest.fixture(autouse=True)
def at(monkeypatch) -> Callable[[datetime], None]:
    """Set the clock. It begins at a time with enough starts left in the day."""

    def set_clock(instant: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    set_clock(MONDAY_MORNING)
    return set_clock
