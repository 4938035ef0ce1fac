"""Group tests by worker, so that slow fixtures are started once.

The marks of pytest-xdist do the same, but it adds them to names that pytest 9.2 no longer reads.
"""

from xdist.scheduler import LoadScopeScheduling

FORKING = (  # from a server of processes, or with the made-up data, which take seconds to make
    *("tests/service/ops/", "tests/service/book/test_races.py", "tests/service/web/test_every_"),
    *("tests/service/emails/test_worker_crash.py", "tests/service/web/test_logs.py"),
)
# By the beginning of their names; the rest are handed out one by one.
GROUPS = {
    "tests/site/test_in_browser.py": "pages",
    "tests/browser/": "pages",
    "tests/site/": "site",
    "tests/service/desk/test_hostile_text.py": "hostile text",
    "tests/service/emails/test_every_email.py": "every email",
    "tests/deploy/": "postgresql",
    **dict.fromkeys(FORKING, "processes"),
}


def group(nodeid: str) -> str:
    """Return the group of a test: several tests of one worker, or the test alone."""
    if "postgresql" in nodeid.partition("[")[2]:
        return "postgresql"
    return next((name for start, name in GROUPS.items() if nodeid.startswith(start)), nodeid)


class Groups(LoadScopeScheduling):
    """Give each group to one worker, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
