"""Put the styles and the first script into the first page of a visit.

A slow phone then shows the page after one round trip instead of two. Later pages link these
files, and so do pages with a secret, which aren't compressed.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from flask import Response

from .. import own_files
from ..headers import HEADERS, for_pages
from .context import context

# The files that a page waits for. The script's `data-` attributes name what it loads later.
WAITED_FOR = re.compile(
    r'<link rel="stylesheet" href="(?P<style>[^"]+)">'
    r'|<script src="(?P<script>[^"]+)"(?P<data>(?: data-\w+="[^"]*")+)></script>'
)
POLICY = "Content-Security-Policy"


class Block(NamedTuple):
    """The content of a file, and its hash for the security policy."""

    content: str
    hash: str


def inline(response: Response) -> None:
    """Replace a page's links to styles and scripts by their content, which its policy allows."""
    hashes: dict[str, list[str]] = {"style-src": [], "script-src": []}

    def written(link: re.Match[str]) -> str:
        try:
            block = _block(link["style"] or link["script"])
        except FileNotFoundError:  # a newer build has replaced it, and the service restarts soon
            return link[0]
        if link["style"]:
            hashes["style-src"].append(block.hash)
            return f"<style>{block.content}</style>"
        hashes["script-src"].append(block.hash)
        return f"<script{link['data']}>{block.content}</script>"

    response.set_data(WAITED_FOR.sub(written, response.get_data(as_text=True)))
    response.headers[POLICY] = for_pages(HEADERS, hashes)[POLICY]


@cache
def _block(address: str) -> Block:
    """Read one of our files, or of the built site; a hash of the content is in the name."""
    if ours := own_files.by_address().get(address):
        content = own_files.lean_css(ours.read_text("utf-8"))
    else:
        content = (context().settings.site_dir / address.lstrip("/")).read_text("utf-8")
    return Block(content, f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'")
