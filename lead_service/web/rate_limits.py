"""Rate limits: hits are counted in this process, or in a store that several processes share."""

import logging
import time
from math import ceil

from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

PATIENCE = {"socket_timeout": 1, "socket_connect_timeout": 1}  # seconds
ASKED_AGAIN = 10  # seconds before an unavailable store is tried again

log = logging.getLogger(__name__)


class RateLimits:
    """Count hits in moving windows; while the shared store is unavailable, in this process."""

    def __init__(self, uri: str) -> None:
        self.here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = None
        if not uri.startswith("memory"):
            storage = storage_from_string(uri, wrap_exceptions=True, **PATIENCE)
            self._shared = MovingWindowRateLimiter(storage)
        self._asked_at = float("-inf")  # when the shared store last failed

    def hit(self, limit: str, *names: str) -> int:
        """Count one hit of `names`; return 0, or the seconds to wait if there were too many.

        `limit` is a text such as `10 per hour`. Hits beyond it aren't counted.
        """
        if self._shared and time.monotonic() - self._asked_at >= ASKED_AGAIN:
            try:
                return _hit(self._shared, limit, names)
            except StorageError as error:
                self._asked_at = time.monotonic()
                kind = type(error.storage_error).__name__
                log.warning("the store of rate limits is unavailable", extra={"error": kind})
        return _hit(self.here, limit, names)


def _hit(counter: MovingWindowRateLimiter, words: str, names: tuple[str, ...]) -> int:
    limit = parse(words)
    if counter.hit(limit, *names):
        return 0
    wait = counter.get_window_stats(limit, *names).reset_time - time.time()
    return min(max(1, ceil(wait)), limit.get_expiry())
