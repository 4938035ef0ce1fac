"""The service's styles and scripts, each at an address with a hash of its content.

The site's build publishes them compressed; the service serves them itself when that build is older.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from .headers import STATIC_PREFIX

STATIC = Path(__file__).parent / "static"


@cache
def address(name: str) -> str:
    """Return the address of one of these files: /static/desk.0123456789ab.css."""
    path = STATIC / name
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{STATIC_PREFIX}{path.stem}.{content}{path.suffix}"


def by_address() -> dict[str, Path]:
    """Map the address of each of these files to its path."""
    return {address(path.name): path for path in sorted(STATIC.iterdir())}


def lean_css(style: str) -> str:
    """Remove comments, indentation and unnecessary line breaks.

    A full minifier would save 3 % more of the compressed sheet.
    """
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    style = re.sub(r"\s*\n\s*", "\n", style)
    return re.sub(r"(?<=[{};,])\n", "", style).strip()
