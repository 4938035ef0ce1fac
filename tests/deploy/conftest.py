"""Share one deployment between all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.deploy.cluster import Cluster
from tests.support.fake_sendgrid import StandIn
from tests.support.limits_store import LimitsStore


@pytest.fixture(scope="package")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="package")
def cluster(
    postgresql_server, built_site, provider, tmp_path_factory, pytestconfig
) -> Iterator[Cluster]:
    """The product behind nginx; tests that stop a part of it start that part again.

    Those that need two processes of a kind are long, and each takes seconds to start. Its site
    has another address, and is built from what is cached once the other site is there.
    """
    postgresql_server.empty()
    limits, folder = LimitsStore(), tmp_path_factory.mktemp("deployment")
    stores = {
        "DATABASE_URL": postgresql_server.url,
        "LIMITS_STORAGE": limits.url,
        "SENDGRID_HOST": provider.url,
    }
    try:
        with Cluster(folder, 2 if pytestconfig.option.all else 1, **stores) as cluster:
            yield cluster
    finally:
        limits.remove()


@pytest.fixture
def client(cluster):
    return cluster.client
