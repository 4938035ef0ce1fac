"""The service's own styles and scripts, each at an address that holds a hash of its content.

The site's build publishes them compressed; the service serves them itself where that site is older.
"""

import hashlib
from functools import cache
from pathlib import Path

from .headers import STATIC_PREFIX

STATIC = Path(__file__).parent / "static"


@cache
def address(name: str) -> str:
    """Return the address of a file of ours: /static/desk.0123456789ab.css."""
    path = STATIC / name
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{STATIC_PREFIX}{path.stem}.{content}{path.suffix}"


def by_address() -> dict[str, Path]:
    """Return every file of ours by its address."""
    return {address(path.name): path for path in sorted(STATIC.iterdir())}
