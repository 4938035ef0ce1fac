"""Build the site once for all tests of it."""

import pytest

from tests.site.built import build_site, pages_of


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site built with nothing but the defaults."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NAME", "LEGAL_NAME", "POSTAL_ADDRESS", "EMAIL", "PHONE"):
            patch.delenv(f"PRACTICE_{name}", raising=False)
        patch.delenv("PUBLIC_URL", raising=False)
        return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def pages(site):
    return pages_of(site)
