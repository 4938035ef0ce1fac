"""Import the service's fixtures for the programs of this folder."""

from tests.service.conftest import environment, site_dir

__all__ = ["environment", "site_dir"]
