"""The only reader of the system's time, so that tests can set it and rules take it as a value."""

import zoneinfo
from datetime import UTC, datetime

# The zones are those of the tzdata package, pinned with the rest, and not the machine's own:
# two servers must not disagree about the day on which a government moves the clocks.
zoneinfo.reset_tzpath(to=())


def now() -> datetime:
    """Return the present instant, aware, in UTC, to the second.

    Whole seconds: both databases then store what Python compares, and no mail or page shows
    a meaningless fraction.
    """
    return datetime.now(UTC).replace(microsecond=0)
