"""Print the progress of a long copy."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ON_A_TERMINAL, IN_A_LOG = 2, 30  # seconds between two lines


@contextmanager
def told(what: str, file: Path | None = None) -> Iterator[None]:
    """Write a line to stderr every few seconds: the time so far, and how much `file` holds."""
    is_over, start = threading.Event(), time.monotonic()

    def tell() -> None:
        while not is_over.wait(ON_A_TERMINAL if sys.stderr.isatty() else IN_A_LOG):
            size = f", {file.stat().st_size // 10**6} MB" if file and file.exists() else ""
            print(f"{what}: {time.monotonic() - start:.0f} s{size}", file=sys.stderr, flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
