"""Where limits are counted while one web process serves: the library's memory, swept less often.

Each hit lets the library start a thread that sweeps what has expired, up to a hundred a second:
under load that was a fifth of the time of a post. What has expired counts for nothing either way.
"""

import time

from limits.storage import MemoryStorage

SWEPT_EVERY = 10  # seconds


class Memory(MemoryStorage):
    """The storage of `memory://`: importing this module makes it so."""

    STORAGE_SCHEME = ("memory",)
    _swept_at = float("-inf")

    # The library has no setting for it; a test holds that it still asks this method.
    def _MemoryStorage__schedule_expiry(self) -> None:
        now = time.monotonic()
        if now - self._swept_at >= SWEPT_EVERY:
            self._swept_at = now
            super()._MemoryStorage__schedule_expiry()
