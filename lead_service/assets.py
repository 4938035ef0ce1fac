"""The service's own styles and scripts, each at an address that its content decides.

So browsers may keep them for a year: a changed file has another address.
"""

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
PREFIX = "/static/"


@cache
def address(name: str) -> str:
    """Return the address of a file of ours: /static/desk.0123456789ab.css."""
    path = STATIC / name
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{PREFIX}{path.stem}.{content}{path.suffix}"


def served() -> dict[str, Path]:
    """Return every file of ours by its address."""
    return {address(path.name): path for path in sorted(STATIC.iterdir())}
