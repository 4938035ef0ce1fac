"""Wait for progress on a busy machine, instead of for a fixed time."""

import subprocess
import time
from collections.abc import Callable

PATIENCE = 120  # seconds; only a broken test waits this long


def eventually(claim: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait until a condition holds; return whether it did."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def comes_up(is_ready: Callable[[], object], *processes: subprocess.Popen) -> bool:
    """Wait until what processes serve is ready, for as long as all of them run; say whether it is.

    A test's own time-out ends the wait for one that hangs.
    """
    while not is_ready():
        if any(process.poll() is not None for process in processes):
            return False
        time.sleep(0.05)
    return True
