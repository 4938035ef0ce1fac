"""How often a client may: hits are counted in this process, or in a store that several share.

Flask-Limiter in front of this library looks for limits before, in and after each request, limited
or not, and that took a tenth of the time of a post; what we need of it is one call.
"""

import logging
import time
from functools import lru_cache
from math import ceil

from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

PATIENCE = {"socket_timeout": 1, "socket_connect_timeout": 1}  # seconds: nobody waits for a store
ASKED_AGAIN = 10  # seconds after which a store that was away is asked again
SWEPT_EVERY = 10  # seconds

log = logging.getLogger(__name__)
_parsed = lru_cache(maxsize=32)(parse)


class RateLimits:
    """Counts hits in moving windows; while the shared store is away, each process by itself."""

    def __init__(self, uri: str) -> None:
        self.here = MovingWindowRateLimiter(Memory())
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
    limit = _parsed(words)
    if counter.hit(limit, *names):
        return 0
    wait = counter.get_window_stats(limit, *names).reset_time - time.time()
    return min(max(1, ceil(wait)), limit.get_expiry())


class Memory(MemoryStorage):
    """The library's, swept less often: it lets nearly each hit start a thread for that.

    Under load that was a fifth of the time of a post. What has expired counts for nothing
    either way.
    """

    _swept_at = float("-inf")

    # The library has no setting for it; a test holds that it still asks this method.
    def _MemoryStorage__schedule_expiry(self) -> None:
        now = time.monotonic()
        if now - self._swept_at >= SWEPT_EVERY:
            self._swept_at = now
            super()._MemoryStorage__schedule_expiry()  # type: ignore[misc] # private in the library
