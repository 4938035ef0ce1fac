"""A lock that threads get in the order in which they asked for it.

`threading.Lock` goes to whoever asks at the right moment: on a busy machine a thread that runs
takes it before the one that was woken for it, and that one can lose for seconds.
"""

import threading
from collections import deque


class FairLock:
    """Who releases it hands it to the thread that has waited longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # of the two below
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()  # each is released when its turn comes

    def acquire(self, timeout: float) -> bool:
        """Wait for at most so many seconds; return False when they were not enough."""
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
            return True  # it was handed over at the last moment

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False
