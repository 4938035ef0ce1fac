"""Write headers and redirects of the site for web servers.

The rules come from lead_service/headers.py, which the service uses, too. `_headers` and
`_redirects` are for static hosts, `_nginx/` is for nginx (see deploy/);
`headers.json` has the hashes of the pages' inline blocks for the service.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Template

from .. import headers as serving


def hash_source(content: str) -> str:
    """Return the source expression that allows one inline block (Content Security Policy 3)."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def write_headers(site: Path, inline: Mapping[str, Iterable[str]], *, https: bool) -> None:
    """Write headers.json and _headers; `inline` are the blocks by directive."""
    hashes = {name: [*map(hash_source, blocks)] for name, blocks in inline.items()}
    (site / serving.HASHES).write_text(json.dumps(hashes, indent=1) + "\n", "utf-8")
    lines = []
    for path, headers in serving.rules(serving.headers_for(https=https), hashes).items():
        lines += [path, *(f"  {name}: {value}" for name, value in headers.items()), ""]
    (site / serving.HOST_HEADERS).write_text("\n".join(lines), "utf-8")


def write_nginx(site: Path, site_url: str, moved: Mapping[str, str]) -> None:
    """Write the files that deploy/nginx/advisory.conf includes: name, headers, types, redirects."""
    hashes = json.loads((site / serving.HASHES).read_text("utf-8"))
    address = urlsplit(site_url)
    hardening = serving.headers_for(https=address.scheme == "https")
    of_pages = serving.rules(hardening, hashes)["/*"]
    (site / "_nginx").mkdir(exist_ok=True)
    written = {
        "name": [f"server_name {address.hostname};", f"set $home {_quoted(site_url.rstrip('/'))};"],
        "headers": [_added(name, value) for name, value in of_pages.items()],
        "files": [_added(name, hardening[name]) for name in serving.OF_FILES if name in hardening],
        "places": [
            *(
                f"location = /{name} {{ types {{}} default_type {kind}; }}"
                for name, kind in serving.TYPES.items()
            ),
            *(
                f"location = {_quoted(old.rstrip('/') + slash)} {{ return 301 {_quoted(new)}; }}"
                for old, new in moved.items()
                for slash in ("", "/")
            ),
        ],
    }
    for name, lines in written.items():
        (site / "_nginx" / f"{name}.conf").write_text("\n".join(lines) + "\n", "utf-8")


def _added(name: str, value: str) -> str:
    return f"add_header {name} {_quoted(value)} always;"


def _quoted(text: str) -> str:
    """Quote a text for nginx, which has no escape for a dollar."""
    if "$" in text or "\n" in text:
        raise ValueError(f"nginx cannot be told of {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def old_address(path: str) -> str:
    """Normalize an old address: a file's unchanged, any other with a slash."""
    return path if path.endswith((".html", ".htm")) else f"{path.rstrip('/')}/"


def write_redirects(site: Path, moved: Mapping[str, str], page: Template) -> None:
    """Write a redirecting page at each old address, and the list of redirects."""
    for old, new in moved.items():
        path = site / (f"{old}index.html" if old.endswith("/") else old).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.render(url=new), "utf-8")
    lines = (f"{old} {new} 301\n" for old, new in sorted(moved.items()))
    (site / "_redirects").write_text("".join(lines), "utf-8")
