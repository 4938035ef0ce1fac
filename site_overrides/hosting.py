"""Write what tells a web server how to serve the site: headers and redirects.

The rules come from lead_service/files.py, which serves the site by them too. `_headers` and
`_redirects` are the forms that static hosts read; `headers.json` tells the service which inline
blocks the pages hold, by their hashes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Template


def hash_source(content: str) -> str:
    """Return the source expression that allows one inline block (Content Security Policy 3)."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def write_headers(site: Path, inline: Mapping[str, str], *, https: bool) -> None:
    """Write headers.json and _headers; `inline` is the content of each block by directive."""
    # Imported here: a preview needs no headers, and this brings the web framework with it.
    from lead_service import files, security

    hashes = {directive: [hash_source(content)] for directive, content in inline.items()}
    (site / files.HASHES).write_text(json.dumps(hashes, indent=1) + "\n", "utf-8")
    strict = {"Strict-Transport-Security": security.STRICT_TRANSPORT} if https else {}
    lines = []
    for path, headers in files.rules(security.HEADERS | strict, hashes).items():
        lines += [path, *(f"  {name}: {value}" for name, value in headers.items()), ""]
    (site / files.HOST_HEADERS).write_text("\n".join(lines), "utf-8")


def write_redirects(site: Path, moved: Mapping[str, str], page: Template) -> None:
    """Leave a page at each old address that leads on without a script, and list them all."""
    for old, new in moved.items():
        path = site / old.strip("/") / "index.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.render(url=new), "utf-8")
    lines = (f"{old} {new} 301\n" for old, new in sorted(moved.items()))
    (site / "_redirects").write_text("".join(lines), "utf-8")
