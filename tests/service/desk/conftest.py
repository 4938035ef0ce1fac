"""Fixtures: signed-in browsers of the sales team."""

import pytest

from tests.service.conftest import Browser
from tests.support.app.desk_client import sign_in


@pytest.fixture
def admin(client, database, settings, at) -> None:
    """The browser of Ann, the first member and an admin, signed in on a Monday morning."""
    sign_in(client, database, settings)


@pytest.fixture
def member(admin) -> None:
    """The same browser, for tests to which the role doesn't matter."""


@pytest.fixture
def another_browser(app):
    app.test_client_class = Browser
    return app.test_client
