"""The only reader of the time, so that a test can set it and a rule can be given it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC, to the second.

    Whole seconds: both databases then store what Python compares, and no mail or page shows
    a fraction that nobody asked for.
    """
    return datetime.now(UTC).replace(microsecond=0)
