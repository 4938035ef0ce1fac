"""How often a client may: hits are counted in this process, or in a store that several share."""

import logging
import time
from math import ceil

from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

PATIENCE = {"socket_timeout": 1, "socket_connect_timeout": 1}  # seconds
ASKED_AGAIN = 10  # seconds after which a store that was away is asked again

log = logging.getLogger(__name__)


class RateLimits:
    """Counts hits in moving windows; while the shared store is away, each process by itself."""

    def __init__(self, uri: str) -> None:
        self.here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = None
        if not uri.startswith("memory"):
            storage = storage_from_string(uri, wrap_exceptions=True, **PATIENCE)
            self._shared = MovingWindowRateLimiter(storage)
        self._asked_at = float("-inf")  # when the shared store was last found to be away

    def hit(self, limit: str, *names: str) -> int:
        """Count one hit of `names`; return 0, or the seconds to wait where there were too many.

        `limit` is in words: `10 per hour`. What is beyond it is not counted.
        """
        if self._shared and time.monotonic() - self._asked_at >= ASKED_AGAIN:
            try:
                return _hit(self._shared, limit, names)
            except StorageError as error:
                self._asked_at = time.monotonic()
                kind = type(error.storage_error).__name__
                log.warning("the store of limits is away", extra={"error": kind})
        return _hit(self.here, limit, names)


def _hit(counter: MovingWindowRateLimiter, words: str, names: tuple[str, ...]) -> int:
    limit = parse(words)
    if counter.hit(limit, *names):
        return 0
    wait = counter.get_window_stats(limit, *names).reset_time - time.time()
    return min(max(1, ceil(wait)), limit.get_expiry())
