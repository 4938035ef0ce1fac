"""Browsers of the sales team."""

import pytest

from tests.service.conftest import Browser
from tests.support.app.desk_client import sign_in


@pytest.fixture
def admin(client, database, settings, at) -> None:
    """Ann, the first member and so an admin, who is signed in on a Monday morning."""
    sign_in(client, database, settings)


@pytest.fixture
def member(admin) -> None:
    """The same, where it is no matter that she is an admin."""


@pytest.fixture
def another_browser(app):
    app.test_client_class = Browser
    return app.test_client
