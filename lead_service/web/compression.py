"""Compress the public pages that every visitor sees alike.

A compressed page gives away by its length what it repeats (the attack called BREACH), so pages
that hold a secret, such as a token of the desk or of a result, are never compressed.
"""

import gzip
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request

from ..leads.touch import PARAMETERS

# Parameters that open nothing. A page with any other one is not compressed: `for` fills in a
# lead's details, and `assessment` comes along in every link.
PUBLIC = {"day", "find", "from", "host", "kind", "month", "zone", *PARAMETERS}
LEVEL = 6
View = TypeVar("View", bound=Callable[..., Any])


def compressed(view: View) -> View:
    """Mark a view whose page holds no secret unless a parameter brings one."""
    view.is_compressed = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Compress the answers of marked views for browsers that accept it."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    if not getattr(view, "is_compressed", False) or not PUBLIC.issuperset(request.args):
        return response
    response.vary.add("Accept-Encoding")
    if request.method == "GET" and response.status_code == 200 and _accepts_gzip():
        response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _accepts_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0
