"""For tests of what only one of the databases has."""

import pytest

only_sqlite = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
